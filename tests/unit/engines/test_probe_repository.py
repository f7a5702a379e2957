import json
from http import HTTPStatus

import pytest

from dockless.engines.probe_repository import LARGEST, ProbeAnswer, ProbeRepository, ProbeRequest
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    image_manifest,
)

UPLOADS = "/v2/dockless/probe/blobs/uploads/"
MANIFESTS = "/v2/dockless/probe/manifests"
CONFIG, LAYER = b"{}", b"layer"
MANIFEST = image_manifest(
    Descriptor(media_type=OCI_CONFIG, digest=Digest.of(CONFIG), size=len(CONFIG)),
    (Descriptor(media_type=OCI_LAYER, digest=Digest.of(LAYER), size=len(LAYER)),),
)


@pytest.fixture
def repository() -> ProbeRepository:
    return ProbeRepository(path="dockless/probe")


@pytest.fixture
def filled(repository: ProbeRepository) -> ProbeRepository:
    for data in (CONFIG, LAYER):
        answer = ask(repository, "POST", f"{UPLOADS}?digest={Digest.of(data)}", data)
        assert answer.status == HTTPStatus.CREATED
    return repository


def ask(
    repository: ProbeRepository,
    method: str,
    target: str,
    body: bytes = b"",
    content_type: str = "",
    content_range: str | None = None,
) -> ProbeAnswer:
    return repository.answer(
        ProbeRequest(
            method=method,
            target=target,
            body=body,
            content_type=content_type,
            content_range=content_range,
        )
    )


def code(answer: ProbeAnswer) -> str:
    (error,) = json.loads(answer.body)["errors"]
    return str(error["code"])


def test_a_blob_comes_in_pieces_and_is_read_back(repository: ProbeRepository) -> None:
    digest = Digest.of(LAYER)
    blob = f"/v2/dockless/probe/blobs/{digest}"
    assert code(ask(repository, "HEAD", blob)) == "BLOB_UNKNOWN"
    session = ask(repository, "POST", UPLOADS).headers["Location"]
    answer = ask(repository, "PATCH", session, LAYER[:2], content_range="0-1")
    assert (answer.status, answer.headers["Range"]) == (HTTPStatus.ACCEPTED, "0-1")
    assert ask(repository, "GET", session).status == HTTPStatus.NO_CONTENT
    done = ask(repository, "PUT", f"{session}?digest={digest}", LAYER[2:], content_range="2-4")
    assert done.status == HTTPStatus.CREATED
    assert ask(repository, "GET", blob).body == LAYER
    assert ask(repository, "GET", session).status == HTTPStatus.NOT_FOUND
    mounted = ask(repository, "POST", f"{UPLOADS}?mount={digest}&from=other")
    assert mounted.status == HTTPStatus.CREATED


def test_an_upload_can_be_cancelled(repository: ProbeRepository) -> None:
    session = ask(repository, "POST", UPLOADS).headers["Location"]
    assert ask(repository, "DELETE", session).status == HTTPStatus.NO_CONTENT
    assert code(ask(repository, "PATCH", session, LAYER)) == "BLOB_UPLOAD_UNKNOWN"


def test_a_manifest_comes_by_digest_and_by_tag_and_is_read_back(filled: ProbeRepository) -> None:
    digest = Digest.of(MANIFEST)
    assert code(ask(filled, "GET", f"{MANIFESTS}/{digest}")) == "MANIFEST_UNKNOWN"
    for name in (str(digest), "v1"):
        answer = ask(filled, "PUT", f"{MANIFESTS}/{name}", MANIFEST, OCI_MANIFEST)
        assert answer.status == HTTPStatus.CREATED
        assert answer.headers["Docker-Content-Digest"] == str(digest)
        back = ask(filled, "GET", f"{MANIFESTS}/{name}")
        assert (back.body, back.headers["Content-Type"]) == (MANIFEST, OCI_MANIFEST)
    assert filled.tags == {"v1": digest}


@pytest.mark.parametrize(
    ("method", "target", "body", "content_type", "wanted"),
    [
        ("PUT", f"{MANIFESTS}/{Digest.of(b'x')}", MANIFEST, OCI_MANIFEST, "DIGEST_INVALID"),
        ("PUT", f"{MANIFESTS}/-v1", MANIFEST, OCI_MANIFEST, "TAG_INVALID"),
        ("PUT", f"{MANIFESTS}/v1", MANIFEST, OCI_INDEX, "MANIFEST_INVALID"),
        ("PUT", f"{MANIFESTS}/v1", b"[]", OCI_MANIFEST, "MANIFEST_INVALID"),
        ("PUT", f"{MANIFESTS}/v1", b'{"manifests":[]}', OCI_INDEX, "MANIFEST_INVALID"),
        ("POST", f"{UPLOADS}?digest={Digest.of(b'x')}", b"y", "", "DIGEST_INVALID"),
        ("POST", f"{UPLOADS}?digest=sha256:x", b"y", "", "DIGEST_INVALID"),
        ("GET", "/v2/dockless/probe/blobs/sha256:x", b"", "", "DIGEST_INVALID"),
        ("DELETE", f"{MANIFESTS}/v1", b"", "", "UNSUPPORTED"),
        ("POST", f"{MANIFESTS}/v1", b"", "", "UNSUPPORTED"),
        ("GET", "/v2/another/manifests/v1", b"", "", "NAME_UNKNOWN"),
        ("GET", "/v2/dockless/probe/tags/list", b"", "", "NAME_UNKNOWN"),
        ("POST", "/v2/", b"", "", "NAME_UNKNOWN"),
    ],
)
def test_what_is_wrong_is_refused_with_the_specs_code(
    filled: ProbeRepository, method: str, target: str, body: bytes, content_type: str, wanted: str
) -> None:
    assert code(ask(filled, method, target, body, content_type)) == wanted
    assert not filled.manifests
    assert len(filled.blobs) == 2


def test_a_manifest_without_its_blobs_is_refused(repository: ProbeRepository) -> None:
    answer = ask(repository, "PUT", f"{MANIFESTS}/v1", MANIFEST, OCI_MANIFEST)
    assert code(answer) == "MANIFEST_BLOB_UNKNOWN"


def test_a_manifest_with_a_wrong_size_is_refused(filled: ProbeRepository) -> None:
    config = Descriptor(media_type=OCI_CONFIG, digest=Digest.of(CONFIG), size=len(CONFIG))
    wrong = image_manifest(
        config, (Descriptor(media_type=OCI_LAYER, digest=Digest.of(LAYER), size=6),)
    )
    answer = ask(filled, "PUT", f"{MANIFESTS}/v1", wrong, OCI_MANIFEST)
    assert code(answer) == "MANIFEST_BLOB_UNKNOWN"


@pytest.mark.parametrize("said", ["1-5", "0-3", "0-", "bytes 0-4/5"])
def test_a_piece_that_is_said_to_be_elsewhere_is_refused(
    repository: ProbeRepository, said: str
) -> None:
    session = ask(repository, "POST", UPLOADS).headers["Location"]
    answer = ask(repository, "PATCH", session, LAYER, content_range=said)
    assert answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


def test_no_more_is_held_than_a_probe_sends(repository: ProbeRepository) -> None:
    session = ask(repository, "POST", UPLOADS).headers["Location"]
    assert ask(repository, "PATCH", session, b"x" * LARGEST).status == HTTPStatus.ACCEPTED
    assert ask(repository, "PATCH", session, b"x").status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    sessions = [ask(repository, "POST", UPLOADS).status for _ in range(100)]
    assert sessions[-1] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    for number in range(100):
        data = str(number).encode()
        ask(repository, "POST", f"{UPLOADS}?digest={Digest.of(data)}", data)
    assert len(repository.blobs) < 100


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_version_of_the_api_is_told(repository: ProbeRepository, method: str) -> None:
    assert ask(repository, method, "/v2/").status == HTTPStatus.OK
