"""The words are those of crane 0.20.7 and skopeo 1.9.3, shortened in the middle."""

import pytest

from dockless.engines.failures import failure, last_words
from dockless.model.errors import (
    AuthError,
    DocklessError,
    NetworkError,
    PushError,
    RepositoryMissingError,
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
    skopeo("writing blob: received unexpected HTTP status: 507 Insufficient Storage"),
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
OTHER = [
    crane(f"PUT {URL}/manifests/sha256:3df3: MANIFEST_INVALID: manifest invalid"),
    skopeo("writing manifest: uploading manifest to shop: manifest unknown: manifest unknown"),
    crane("open layout/blobs/sha256/1d51: no such file or directory"),
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


@pytest.mark.parametrize("stderr", OTHER)
def test_anything_else_is_a_failed_push(stderr: str) -> None:
    assert type(failure("crane", HOST, 1, stderr)) is PushError


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


def test_a_full_disk_is_called_one() -> None:
    said = skopeo("writing blob: unknown: write /var/lib/registry: no space left on device")
    error: DocklessError = failure("skopeo", HOST, 1, said)
    assert isinstance(error, PushError)
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
