"""Answers to the PUT of a manifest, as registries give them, and what they mean."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockless.errors import (
    AuthError,
    ContentRefusedError,
    DocklessError,
    ImmutableTagError,
    ManifestRefusedError,
    NetworkError,
    PushError,
    RepositoryMissingError,
)
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.manifests import put_manifest
from dockless.registry.refusal import LONGEST_SAID, read_refusal
from dockless.registry.refusals import blob_error, forbidden, manifest_error
from dockless.transport.http import Response
from fakes.http import StubHttp

URL = "https://registry.example.com/v2/"
SHOP = Repository.of("registry.example.com", "team/shop")
DATA = b"a manifest"
DIGEST = Digest.of(DATA)
ECR_IMMUTABLE = (
    "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because "
    "the repository is immutable."
)


def body(*errors: tuple[str, str, object]) -> bytes:
    names = ("code", "message", "detail")
    return json.dumps({"errors": [dict(zip(names, each, strict=True)) for each in errors]}).encode()


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (401, "UNAUTHORIZED", "authentication required", AuthError),
        (403, "DENIED", "requested access to the resource is denied", AuthError),
        (404, "NAME_UNKNOWN", "repository name not known to registry", RepositoryMissingError),
        (404, "BLOB_UNKNOWN", "blob unknown to registry", NetworkError),
        (400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", NetworkError),
        (404, "MANIFEST_UNKNOWN", 'Sub-manifest "sha256:0" not found', NetworkError),
        (400, "DIGEST_INVALID", "provided digest did not match", ContentRefusedError),
        (400, "SIZE_INVALID", "provided length did not match", ContentRefusedError),
        (409, "CONFLICT", "", ImmutableTagError),
        (412, "PRECONDITION", "'app:v1' configured as immutable", ImmutableTagError),
        (400, "TAG_INVALID", ECR_IMMUTABLE, ImmutableTagError),
        (403, "DENIED", "tag v1 is immutable", ImmutableTagError),
        (412, "PRECONDITION", "it would exceed the project's quota", ContentRefusedError),
        (413, "SIZE_TOO_LARGE", "", ContentRefusedError),
        (415, "", "", ManifestRefusedError),
        (400, "MANIFEST_INVALID", "manifest invalid", ManifestRefusedError),
        (400, "UNSUPPORTED", "", ManifestRefusedError),
        (400, "OTHER", "Unsupported Media Type in request", ManifestRefusedError),
        (400, "TAG_INVALID", "manifest tag did not match URI", PushError),
        (405, "UNSUPPORTED", "The operation is unsupported.", PushError),
        (418, "TEAPOT", "short and stout", PushError),
    ],
)
def test_each_refusal_is_an_error_of_its_kind_with_the_registrys_words(
    status: int, code: str, message: str, kind: type[DocklessError]
) -> None:
    error = manifest_error(
        Response(status=status, headers={}, body=body((code, message, None))), SHOP, "v1"
    )
    assert type(error) is kind
    assert SHOP.host in error.what
    assert message.rstrip(".") in error.what
    assert error.remedy


@pytest.mark.parametrize(
    ("status", "code", "message", "detail", "about_type"),
    [
        (415, "", "", None, True),
        (400, "UNSUPPORTED", "", None, True),
        (400, "MANIFEST_INVALID", "manifest invalid", "unrecognized manifest content type", True),
        (400, "MANIFEST_INVALID", "manifest schema version not supported", None, True),
        (400, "MANIFEST_INVALID", "manifest invalid", {"mediaType": "not allowed"}, True),
        (400, "OTHER", "Unsupported Media Type in request", None, True),
        (400, "MANIFEST_INVALID", "manifest invalid", {}, False),
        (400, "MANIFEST_INVALID", "too many layers", None, False),
        (400, "MANIFEST_INVALID", "annotations are too large", {"limit": 4096}, False),
        (400, "MANIFEST_INVALID", "", None, False),
    ],
)
def test_a_refusal_says_whether_the_media_type_is_why(
    status: int, code: str, message: str, detail: object, *, about_type: bool
) -> None:
    error = manifest_error(
        Response(status=status, headers={}, body=body((code, message, detail))), SHOP, str(DIGEST)
    )
    assert isinstance(error, ManifestRefusedError)
    assert error.about_type == about_type


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("said", ["a bad request", "invalid tag", "manifest too large", ""])
def test_not_every_refusal_is_of_a_type(status: int, said: str) -> None:
    error = manifest_error(
        Response(status=status, headers={}, body=body(("BAD", said, None))), SHOP, "v1"
    )
    assert not isinstance(error, ManifestRefusedError)


HARBOR = "Failed to process request due to 'shop:v1' configured as immutable."
NEXUS = "Repository does not allow updating assets: docker-hosted"
ARTIFACTORY = (
    "Not enough permissions to delete/overwrite artifact 'shop/v1/manifest.json' "
    "(user 'me' needs DELETE permission)."
)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, body(("TAG_INVALID", ECR_IMMUTABLE, None))),
        (400, body(("TAG_INVALID", ECR_IMMUTABLE.replace("app", "team/quota"), None))),
        (412, body(("PRECONDITION", HARBOR, None))),
        (400, body(("BLOB_UPLOAD_INVALID", "blob upload invalid", NEXUS))),
        (400, body(("UNKNOWN", "docker/v2/shop/manifests/v1 cannot be updated", None))),
        (403, body(("DENIED", ARTIFACTORY, None))),
        (403, json.dumps({"errors": [{"status": 403, "message": ARTIFACTORY}]}).encode()),
        (403, ARTIFACTORY.encode()),
        (400, b"The repository has tag immutability enabled."),
        (409, body(("CONFLICT", "", None))),
    ],
)  # fmt: skip
def test_each_registry_words_it_in_its_own_way_that_tags_stay(status: int, said: bytes) -> None:
    answer = Response(status=status, headers={}, body=said)
    quota = Repository.of(SHOP.host, "team/quota")
    for repository in (SHOP, quota):
        assert isinstance(manifest_error(answer, repository, "v1"), ImmutableTagError)
        told = forbidden(answer, repository, "me", "v1")
        assert isinstance(told, ImmutableTagError)
        assert told.exit_code == 5


QUOTAS = [
    "adding 29.0 MiB of storage resource … will exceed the configured upper limit of 10.0 MiB.",
    "Quota has been exceeded on namespace",
    "registry contains 1 repositories, limit is 1",
    "Your project has exceeded its storage limit.",
    "Datastore disk usage is too high. Contact your administrator.",
    "write /var/lib/registry: no space left on device",
]


@pytest.mark.parametrize("status", [400, 403, 412, 413, 507])
@pytest.mark.parametrize("said", QUOTAS)
def test_a_quota_is_neither_the_account_nor_a_proxy_nor_a_tag(status: int, said: str) -> None:
    answer = Response(status=status, headers={}, body=body(("DENIED", said, None)))
    for error in (
        manifest_error(answer, SHOP, "v1"),
        manifest_error(answer, SHOP, str(DIGEST)),
        blob_error(answer, SHOP, DIGEST),
        blob_error(answer, SHOP, None),
        forbidden(answer, SHOP, "me", ""),
    ):
        assert isinstance(error, ContentRefusedError)
        assert error.exit_code == 1
        assert said.rstrip(".") in error.what
        assert "quota" in error.remedy
        assert "credential" not in str(error)


@pytest.mark.parametrize("status", [402, 507])
def test_a_status_that_asks_for_money_or_room_needs_no_words(status: int) -> None:
    answer = Response(status=status, headers={}, body=b"")
    assert isinstance(blob_error(answer, SHOP, DIGEST), ContentRefusedError)


@pytest.mark.parametrize("path", ["team/quota", "storage/full", "upper/limit"])
@pytest.mark.parametrize("named", ["{}", "requested access to {} is denied", "{}:v1 is not yours"])
def test_a_repository_called_like_a_quota_is_none(path: str, named: str) -> None:
    repository = Repository.of(SHOP.host, path)
    answer = Response(status=403, headers={}, body=body(("DENIED", named.format(path), None)))
    assert isinstance(forbidden(answer, repository, "me", "v1"), AuthError)
    assert isinstance(manifest_error(answer, repository, "v1"), AuthError)
    assert isinstance(blob_error(answer, repository, DIGEST), AuthError)


def test_what_is_only_read_needs_no_quota() -> None:
    answer = Response(status=403, headers={}, body=body(("DENIED", QUOTAS[1], None)))
    assert isinstance(forbidden(answer, SHOP, "me"), AuthError)


def test_what_may_pass_can_be_tried_again() -> None:
    error = manifest_error(
        Response(status=404, headers={}, body=body(("BLOB_UNKNOWN", "", None))), SHOP, str(DIGEST)
    )
    assert isinstance(error, NetworkError)
    assert error.passing
    assert error.retry_after is None


def test_a_conflict_about_a_digest_is_not_about_a_tag() -> None:
    error = manifest_error(
        Response(status=409, headers={}, body=body(("CONFLICT", "busy", None))), SHOP, str(DIGEST)
    )
    assert type(error) is PushError
    assert "(status 409): CONFLICT: busy." in error.what


def test_tags_that_stay_have_the_exit_code_of_a_conflict() -> None:
    error = manifest_error(Response(status=409, headers={}, body=b""), SHOP, "v1")
    assert error.exit_code == 5
    assert "another tag than v1" in error.remedy


@pytest.mark.parametrize(
    ("status", "may"),
    [(each, True) for each in (400, 403, 405, 409, 412, 422, 423, 428)]
    + [(each, False) for each in (401, 402, 404, 410, 413, 415, 418, 429, 500, 507)],
)
@pytest.mark.parametrize("code", ["", "MANIFEST_INVALID", "NAME_UNKNOWN"])
def test_the_status_decides_whether_a_refusal_may_be_about_the_tag(
    status: int, *, may: bool, code: str
) -> None:
    said = body((code, "no", None)) if code else b""
    error = manifest_error(Response(status=status, headers={}, body=said), SHOP, "v1")
    assert error.refuses_put == may
    assert error.with_context("It failed.").refuses_put == may


def test_an_account_that_may_not_read_or_begin_an_upload_was_refused_no_manifest() -> None:
    answer = Response(status=403, headers={}, body=b"no")
    assert forbidden(answer, SHOP, "me", "v1").refuses_put
    assert not forbidden(answer, SHOP, "me").refuses_put
    assert not forbidden(answer, SHOP, "me", "").refuses_put


def test_a_limit_on_bodies_names_the_proxy() -> None:
    answer = Response(
        status=413, headers={"Content-Type": "text/html"}, body=b"<html>413 nginx</html>"
    )
    error = manifest_error(answer, SHOP, "v1")
    assert "client_max_body_size" in error.remedy
    assert "<html>" not in str(error)


def test_words_code_and_detail_of_several_errors_are_said_once_each() -> None:
    errors = (("A", "one", {"tag": "v1"}), ("B", "two", None), ("B", "two", None))
    assert (
        read_refusal(Response(status=400, headers={}, body=body(*errors))).said
        == 'A: one: {"tag": "v1"}; B: two'
    )


@pytest.mark.parametrize("said", ["x" * 1000, "a\x1b[31mred\r\n\x00\u202e" * 100])
def test_foreign_words_are_bounded_and_hold_no_control_characters(said: str) -> None:
    for answer in (
        Response(status=400, headers={}, body=said.encode()),
        Response(status=400, headers={}, body=body(("A", said, said))),
    ):
        shown = read_refusal(answer).said
        assert shown.isprintable()
        assert len(shown) == LONGEST_SAID


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["errors", "code", "message", "detail"]), inner)
    ),
    max_leaves=12,
)


@given(st.integers(100, 599), JSON | st.binary(max_size=20))
def test_no_answer_breaks_the_reader(status: int, content: object) -> None:
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    for name in ("v1", str(DIGEST)):
        assert isinstance(
            manifest_error(Response(status=status, headers={}, body=data), SHOP, name),
            DocklessError,
        )


def test_nested_without_end_is_words_as_any_other() -> None:
    assert read_refusal(Response(status=400, headers={}, body=b"[" * 100_000)).said.startswith(
        "[[["
    )


def put(http: StubHttp) -> Response:
    http.on(f"GET {URL}")
    client = RegistryClient(http, lambda: None)
    return put_manifest(client, SHOP, str(DIGEST), DATA, OCI_MANIFEST)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_manifest_that_is_taken_gives_the_answer(status: int) -> None:
    http = StubHttp()
    headers = {"OCI-Subject": "x"}
    http.on(f"PUT {URL}team/shop/manifests/{DIGEST}", status, headers=headers)
    assert put(http).headers == headers
    assert http.asked[-1].headers == {"Content-Type": OCI_MANIFEST}
    assert http.asked[-1].body == DATA


def test_a_login_page_has_not_taken_the_manifest() -> None:
    http = StubHttp()
    page = {"Content-Type": "text/html; charset=utf-8"}
    http.on(f"PUT {URL}team/shop/manifests/{DIGEST}", headers=page)
    with pytest.raises(PushError, match=r"\(status 200\): a web page\."):
        put(http)


def test_a_manifest_that_is_refused_raises_what_it_means() -> None:
    http = StubHttp()
    http.on(f"PUT {URL}team/shop/manifests/{DIGEST}", 415)
    with pytest.raises(ManifestRefusedError, match="no manifest of this type"):
        put(http)
