"""The words are those of crane 0.20.7 and skopeo 1.9.3, shortened in the middle."""

import pytest

from dockless.engines.failures import failure, last_words
from dockless.errors import (
    AuthError,
    ContentRefusedError,
    DocklessError,
    EngineDeniedError,
    EngineRefusedError,
    ManifestRefusedError,
    NetworkError,
    PolicyError,
    PushError,
    RepositoryMissingError,
    UnclearAnswerError,
    UnexplainedError,
)

HOST = "registry.example.com"
URL = f"https://{HOST}/v2/team/shop"


def skopeo(message: str) -> str:
    escaped = message.replace('"', '\\"')
    return f'time="2026-11-23T22:27:39Z" level=fatal msg="{escaped}"\n'


def crane(message: str) -> str:
    return f"2026/11/23 22:27:39 retrying {message}\nError: {message}\n"


BUSY = [
    crane(f"HEAD {URL}/blobs/sha256:1d51: unexpected status code 429 Too Many Requests (HEAD)"),
    crane(f"POST {URL}/blobs/uploads/: TOOMANYREQUESTS: rate limit exceeded"),
    skopeo("writing blob: uploading layer chunked: toomanyrequests: rate limit exceeded"),
]
TROUBLE = [
    crane(f"HEAD {URL}/blobs/sha256:1d51: unexpected status code 503 Service Unavailable (HEAD)"),
    crane(f"PUT {URL}/manifests/sha256:3df3: UNKNOWN: on purpose"),
    crane(f"PUT {URL}/manifests/sha256:3df3: UNAVAILABLE: service unavailable"),
    skopeo("writing manifest: uploading manifest sha256:e95a to shop: unknown: on purpose"),
    skopeo("trying to reuse blob sha256:c2d0 at destination: 503 (Service Unavailable)"),
    skopeo("writing blob: received unexpected HTTP status: 500 Internal Server Error"),
    skopeo("writing blob: received unexpected HTTP status: 508 Loop Detected"),
]
RACE = [
    crane(f"PUT {URL}/manifests/sha256:3df3: MANIFEST_BLOB_UNKNOWN: blob unknown to registry"),
    crane(
        f"PUT {URL}/manifests/sha256:3df3: multiple errors returned: DIGEST_INVALID: provided "
        "digest did not match uploaded content; MANIFEST_BLOB_UNKNOWN: blob unknown to registry; "
        "sha256:1643"
    ),
    skopeo("writing manifest: uploading manifest to shop: blob unknown to registry"),
]
CONNECTION = [
    crane(f'Post "{URL}/blobs/uploads/": EOF'),
    crane(f'Get "https://{HOST}/v2/": dial tcp 127.0.0.1:1: connect: connection refused'),
    skopeo(f'writing blob: Post "{URL}/blobs/uploads/": EOF'),
    skopeo(f'pinging container registry {HOST}: Get "{URL}": dial tcp: i/o timeout'),
    skopeo(f'pinging container registry {HOST}: Get "{URL}": lookup {HOST}: no such host'),
]
AUTH = [
    crane(f"HEAD {URL}/manifests/sha256:800b: unexpected status code 401 Unauthorized (HEAD)"),
    crane(f"POST {URL}/blobs/uploads/: DENIED: requested access to the resource is denied"),
    skopeo(f"checking whether a blob exists in {HOST}: unauthorized: authentication required"),
    skopeo("writing blob: denied: requested access to the resource is denied"),
]
TYPE = [
    crane(f"PUT {URL}/manifests/sha256:3df3: MANIFEST_INVALID: manifest invalid"),
    crane(f"PUT {URL}/manifests/sha256:3df3: unexpected status code 415 Unsupported Media Type: x"),
    crane(f"PUT {URL}/manifests/sha256:3df3: UNSUPPORTED: The operation is unsupported."),
    crane(f"PUT {URL}/manifests/sha256:3df3: UNKNOWN: media type of the manifest not known"),
    skopeo("writing manifest: uploading manifest sha256:3df3 to shop: manifest invalid: x"),
]
ANSWERED = [
    skopeo("writing manifest: uploading manifest to shop: manifest unknown: manifest unknown"),
    crane(f"PUT {URL}/blobs/uploads/1: BLOB_UPLOAD_INVALID: blob upload invalid"),
    crane(f"PUT {URL}/manifests/sha256:3df3: unexpected status code 400 Bad Request: <html>WAF"),
    crane(f"POST {URL}/blobs/uploads/: unexpected status code 418 I'm a teapot: short and stout"),
    skopeo("writing blob: initiating layer upload to /v2/shop/blobs in x: StatusCode: 418, teapot"),
]
UNANSWERED = [
    crane("open /x/index.json: permission denied"),
    crane("unexpected EOF"),
    crane("exit status 500"),
    skopeo("open /proc/1/fd/3: permission denied"),
    crane("open layout/blobs/sha256/1d51: no such file or directory"),
    crane("unknown flag: --index"),
    skopeo("Error parsing image name: unsupported transport"),
    "panic: runtime error: index out of range [3] with length 2\n\ngoroutine 1 [running]:\n",
    "",
]
REFUSED = [
    crane("layout blob sha256:1d51 is a symlink"),
    crane('unsupported hash: "sha512"'),
    skopeo("writing blob: layer sha512:0ef8 saved with digest sha256:6664"),
    skopeo("writing blob: config with digest sha256:286a does not match expected sha384:9cc3"),
    skopeo("Digest of source image's manifest would not match destination reference."),
    crane(
        f"invalid realm in www-authenticate of {URL}: realm host 10.0.0.9 is a private or "
        "link-local address"
    ),
    crane("could not parse reference: registry.example.com/a:v1"),
]
POLICY = [
    skopeo("Source image rejected: Running image dir:/x is rejected by policy."),
    skopeo("Error loading trust policy: invalid policy in /etc/containers/policy.json"),
    skopeo("Source image rejected: A signature was required, but no signature exists"),
]


@pytest.mark.parametrize("stderr", [*BUSY, *TROUBLE, *RACE, *CONNECTION])
def test_what_may_pass_by_itself_is_tried_again(stderr: str) -> None:
    error = failure("crane", HOST, 1, stderr)
    assert isinstance(error, NetworkError)
    assert error.passing
    assert HOST in error.what


@pytest.mark.parametrize("stderr", AUTH)
def test_a_refusal_is_not_tried_again(stderr: str) -> None:
    assert isinstance(failure("crane", HOST, 1, stderr), AuthError)


@pytest.mark.parametrize(
    "stderr",
    [
        crane(f"POST {URL}/blobs/uploads/: NAME_UNKNOWN: repository name not known to registry"),
        skopeo(
            "initiating layer upload: name unknown: The repository with name 'shop' does not "
            "exist in the registry with id '123456789012'"
        ),
    ],
)
def test_a_repository_that_has_to_be_made_first_is_told_apart(stderr: str) -> None:
    assert isinstance(failure("crane", HOST, 1, stderr), RepositoryMissingError)


@pytest.mark.parametrize("stderr", TYPE)
def test_a_manifest_of_a_type_that_is_not_accepted_is_told_apart(stderr: str) -> None:
    assert isinstance(failure("crane", HOST, 1, stderr), ManifestRefusedError)


@pytest.mark.parametrize(
    ("said", "about_type"),
    [
        ("MANIFEST_INVALID: manifest invalid; unsupported media type", True),
        ("MANIFEST_INVALID: manifest schema version not supported", True),
        ("UNSUPPORTED: the operation is unsupported", True),
        ("MANIFEST_INVALID: manifest invalid", False),
        ("MANIFEST_INVALID: manifest invalid; too many layers", False),
        ("MANIFEST_INVALID: annotations are too large", False),
    ],
)
def test_an_engine_tells_whether_the_media_type_is_why(said: str, *, about_type: bool) -> None:
    error = failure("crane", HOST, 1, f"Error: PUT {URL}/manifests/v1: {said}")
    assert isinstance(error, ManifestRefusedError)
    assert error.about_type == about_type


@pytest.mark.parametrize(
    ("stderr", "answered"),
    [(said, True) for said in ANSWERED] + [(said, False) for said in UNANSWERED],
)
def test_of_anything_else_it_is_known_whether_the_registry_answered(
    stderr: str, *, answered: bool
) -> None:
    error = failure("crane", HOST, 1, stderr)
    assert isinstance(error, UnexplainedError)
    assert error.answered == answered


@pytest.mark.parametrize("stderr", REFUSED)
def test_what_an_engine_refuses_by_its_own_rules_is_its_own_fault(stderr: str) -> None:
    error = failure("crane", HOST, 1, stderr)
    assert isinstance(error, EngineRefusedError)
    assert "--engine auto" in error.remedy


@pytest.mark.parametrize("stderr", POLICY)
def test_a_signature_policy_is_no_fault_of_the_program(stderr: str) -> None:
    error = failure("skopeo", HOST, 1, stderr)
    assert isinstance(error, PolicyError)
    assert "policy" in error.what


@pytest.mark.parametrize(
    ("status", "kind"), [(409, PushError), (412, PushError), (413, ContentRefusedError)]
)
def test_a_conflict_and_a_limit_are_answers_of_the_registry(
    status: int, kind: type[PushError]
) -> None:
    error = failure("crane", HOST, 1, crane(f"PUT {URL}/x: unexpected status code {status} No: n"))
    assert type(error) is kind


@pytest.mark.parametrize(
    "said",
    [
        "adding 29.0 MiB of storage resource … will exceed the configured upper limit of 10 MiB.",
        "Quota has been exceeded on namespace",
        "registry contains 1 repositories, limit is 1",
    ],
)
def test_a_quota_is_no_question_of_the_account(said: str) -> None:
    for stderr in (
        crane(f"POST {URL}/blobs/uploads/: DENIED: {said}"),
        crane(f"PUT {URL}/manifests/v1: QUOTA_EXCEEDED: {said}"),
        skopeo(f"writing blob: denied: {said}"),
    ):
        error = failure("crane", HOST, 1, stderr)
        assert type(error) is ContentRefusedError
        assert "quota" in error.remedy


def test_a_repository_called_quota_has_none() -> None:
    url = f"https://{HOST}/v2/team/quota"
    error = failure("crane", HOST, 1, crane(f"POST {url}/blobs/uploads/: DENIED: access denied"))
    assert type(error) is EngineDeniedError


@pytest.mark.parametrize(
    "stderr",
    [
        crane(f'Get "{URL}": tls: failed to verify certificate: x509: certificate signed by x'),
        skopeo(f'pinging: Get "{URL}": x509: certificate signed by unknown authority'),
    ],
)
def test_an_untrusted_certificate_stays_untrusted(stderr: str) -> None:
    error = failure("skopeo", HOST, 1, stderr)
    assert isinstance(error, NetworkError)
    assert not error.passing
    assert "--ca-file" in error.remedy


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("certificate relies on legacy Common Name field, use SANs instead", "subjectAltName"),
        ("certificate is valid for other.example, not registry.example.com", "subjectAltName"),
        ("cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs",
         "subjectAltName"),
        ("certificate has expired or is not yet valid: current time 2026", "clock"),
        ("certificate specifies an incompatible key usage", "has to replace it"),
        ("certificate is not authorized to sign other certificates", "has to replace it"),
    ],
)  # fmt: skip
def test_another_authority_does_not_mend_every_certificate(said: str, remedy: str) -> None:
    for stderr in (
        crane(f'Get "{URL}": tls: failed to verify certificate: x509: {said}'),
        skopeo(f'pinging container registry: Get "{URL}": x509: {said}'),
    ):
        error = failure("skopeo", HOST, 1, stderr)
        assert remedy in error.remedy
        assert "authority" not in error.remedy


def test_a_full_disk_is_called_one() -> None:
    said = skopeo("writing blob: unknown: write /var/lib/registry: no space left on device")
    error: DocklessError = failure("skopeo", HOST, 1, said)
    assert isinstance(error, ContentRefusedError)
    assert error.what.startswith("A disk is full")


def test_an_engine_that_says_nothing_is_quoted_by_its_status() -> None:
    assert "ended with status 137" in failure("crane", HOST, 137, " \n").what


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (skopeo('reading "x": EOF'), 'reading "x": EOF.'),
        (crane("PUT x: DENIED: no"), "PUT x: DENIED: no."),
        ("Error: unexpected status code 502 Bad Gateway: <html>\n<body>\n</body>\n</html>\n",
         "unexpected status code 502 Bad Gateway: <html>."),
        ("plain words.\n\n", "plain words."),
        ("", ""),
    ],
)  # fmt: skip
def test_the_engines_own_sentence_is_found(stderr: str, words: str) -> None:
    assert last_words(stderr) == words


OWN_CODES = ("TOO_LATE", "PROJECTPOLICYVIOLATION", "X_Y", "BLOCKED", "SIZE2")


@pytest.mark.parametrize("code", OWN_CODES)
@pytest.mark.parametrize(
    "message",
    ["x", "the connection refused by policy", "timeout of the trial", "no certificate", "a: eof"],
)
def test_a_code_of_the_registrys_own_is_its_refusal(code: str, message: str) -> None:
    stderr = (
        f'2026/11/30 09:00:00 retrying Post "{URL}/blobs/uploads/": unexpected EOF\n'
        f"Error: POST {URL}/blobs/uploads/: {code}: {message}\n"
    )
    error = failure("crane", HOST, 1, stderr)
    assert isinstance(error, UnexplainedError)
    assert error.answered
    assert f"{HOST} refuses" in error.what
    assert f"{code}: {message}" in error.what
    assert "network" not in error.remedy


@pytest.mark.parametrize("code", ["UNKNOWN", "UNAVAILABLE"])
def test_an_answer_that_may_be_anything_is_told_apart(code: str) -> None:
    for stderr in (
        crane(f"POST {URL}/blobs/uploads/: {code}: x"),
        skopeo(f"writing blob: initiating layer upload to /v2/shop in {HOST}: unknown: x"),
    ):
        assert isinstance(failure("skopeo", HOST, 1, stderr), NetworkError)
    assert isinstance(failure("skopeo", HOST, 1, stderr), UnclearAnswerError)


@pytest.mark.parametrize("size", [1_001, 70_000, 3_000_000])
def test_very_long_words_are_shortened(size: int) -> None:
    for stderr in (crane(f"POST {URL}/blobs/uploads/: BIG: {'x' * size}"), skopeo("y" * size)):
        error = failure("crane", HOST, 1, stderr)
        assert len(error.what) < 1_200
        assert "… (shortened)" in error.what


TAG = "writing manifest: uploading manifest v1 to registry.example.com/team/shop:"
DIRECT_TAG = f"PUT {URL}/manifests/v1:"


@pytest.mark.parametrize(
    "stderr",
    [
        skopeo(f"{TAG} manifest invalid: words of MANIFEST_INVALID"),
        skopeo(f"{TAG} StatusCode: 409, it is there"),
        skopeo(f"{TAG} denied: it may not be overwritten"),
        skopeo(f"{TAG} StatusCode: 423, locked"),
        crane(f"{DIRECT_TAG} TAG_INVALID: it cannot be moved"),
        crane(f"{DIRECT_TAG} unexpected status code 412 Precondition Failed: immutable"),
        crane(f"{DIRECT_TAG} unexpected status code 405 Method Not Allowed"),
        crane(f"{DIRECT_TAG} DENIED: it needs DELETE"),
    ],
)
def test_a_refused_put_of_a_manifest_may_be_about_its_tag(stderr: str) -> None:
    assert failure("skopeo", HOST, 1, stderr).refuses_put


@pytest.mark.parametrize(
    "stderr",
    [
        skopeo(
            "initializing source docker://registry.example.com/team/shop@sha256:1d51: reading "
            "manifest sha256:1d51 in registry.example.com/team/shop: manifest unknown"
        ),
        skopeo("Error determining manifest MIME type for docker://shop@sha256:1d51: denied: no"),
        skopeo("trying to reuse blob sha256:c2d0 at destination: StatusCode: 403, no"),
        skopeo("copying config: downloading blob: StatusCode: 409, no"),
        skopeo(f"{TAG} StatusCode: 418, teapot"),
        skopeo(f"{TAG} name unknown: there is no such repository"),
        skopeo(f"{TAG} unauthorized: authentication required"),
        skopeo(f"{TAG} StatusCode: 404, 404 page not found"),
        crane(f"GET {URL}/manifests/sha256:1d51: MANIFEST_UNKNOWN: manifest unknown"),
        crane(f"HEAD {URL}/manifests/sha256:1d51: unexpected status code 403 Forbidden (HEAD)"),
        crane(f"{DIRECT_TAG} unexpected status code 418 I'm a teapot: short"),
        crane(f"{DIRECT_TAG} NAME_UNKNOWN: there is no such repository"),
        crane(f"{DIRECT_TAG} UNAUTHORIZED: authentication required"),
        crane(f"POST {URL}/blobs/uploads/: DENIED: requested access to the resource is denied"),
        *UNANSWERED,
    ],
)
def test_what_fails_before_the_put_or_means_no_rule_is_not_about_a_tag(stderr: str) -> None:
    assert not failure("skopeo", HOST, 1, stderr).refuses_put


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
@pytest.mark.parametrize("said", ["no idea", "panic: runtime error", "unknown flag: --index"])
def test_the_remedy_for_a_program_at_fault_is_none_that_is_in_use(engine: str, said: str) -> None:
    error = failure(engine, HOST, 1, crane(said))
    assert isinstance(error, UnexplainedError)
    assert error.remedy == f"If {engine} is at fault, --engine direct writes without a program."
