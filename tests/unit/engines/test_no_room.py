"""A registry that stores no more, or explains nothing, in the words of crane and skopeo."""

import json
from functools import partial
from pathlib import Path

import pytest

from dockless.engines.automatic import Automatic, Program
from dockless.engines.failures import failure
from dockless.errors import (
    AuthError,
    ContentRefusedError,
    DocklessError,
    EngineDeniedError,
    UnclearAnswerError,
)
from dockless.model.refusal_words import speaks_of_quota
from dockless.oci.content import Content, StagedImage, single
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_CONFIG, OCI_MANIFEST, Descriptor, image_manifest
from dockless.oci.reference import Reference, Repository
from dockless.ports import Task, Written
from dockless.registry.client import RegistryClient
from dockless.registry.refusals import upload_refusal
from fakes.http import StubHttp
from fakes.progress import FakeTask

HOST = "registry.example.com"
URL = f"https://{HOST}/v2/team/shop"
SHOP = Repository.of(HOST, "team/shop")
PUT = f"writing manifest: uploading manifest sha256:1d51 to {HOST}/team/shop"
POST = f"writing blob: initiating layer upload to /v2/team/shop/blobs/uploads/ in {HOST}"
CONFIG = b'{"rootfs": {"diff_ids": []}}'
DATA = image_manifest(
    Descriptor(media_type=OCI_CONFIG, digest=Digest.of(CONFIG), size=len(CONFIG)), ()
)
CONTENT = single(
    Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(DATA), size=len(DATA)), DATA, CONFIG
)


def skopeo(message: str) -> str:
    return f'time="2026-11-23T22:27:39Z" level=fatal msg="{message}"\n'


class Failing:
    """A program that prints this, as an `automatic.Whole`."""

    name = tagger = "skopeo"

    def __init__(self, stderr: str) -> None:
        self.error = failure("skopeo", HOST, 1, stderr)

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        del image, repository, sending
        raise self.error

    def pull(self, source: Reference, layout: Path) -> None:
        raise AssertionError((source, layout))

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        raise AssertionError((content, repository, tag))


@pytest.fixture
def http() -> StubHttp:
    http = StubHttp()
    http.on(f"GET https://{HOST}/v2/")
    return http


def written(http: StubHttp, stderr: str) -> DocklessError:
    """Return the error of a write with a program that prints this."""
    failing = Failing(stderr)
    program = Program(name="skopeo", start=lambda: failing, trial=str)
    refusal = partial(upload_refusal, RegistryClient(http, lambda: None))
    image = StagedImage(content=CONTENT, blobs={}, layout=Path, missing=None)
    with pytest.raises(DocklessError) as caught:
        Automatic([program], failing, print, refusal).write(image, SHOP, FakeTask("x", None))
    return caught.value


@pytest.mark.parametrize(
    "stderr",
    [
        skopeo(f"{POST}: received unexpected HTTP status: 507 Insufficient Storage"),
        skopeo(f"{PUT}: received unexpected HTTP status: 507 Insufficient Storage"),
        skopeo(f"{PUT}: StatusCode: 402, <html>pay first</html>"),
        f"Error: POST {URL}/blobs/uploads/: unexpected status code 507 Insufficient Storage: x\n",
        f"Error: PUT {URL}/manifests/v1: unexpected status code 402 Payment Required: pay first\n",
        f"Error: PUT {URL}/manifests/v1: DENIED: Payment required\n",
        f"Error: POST {URL}/blobs/uploads/: DENIED: You have exceeded the included storage\n",
    ],
)
def test_402_and_507_are_no_question_of_the_account_and_do_not_pass(stderr: str) -> None:
    error = failure("crane", HOST, 1, stderr)
    assert type(error) is ContentRefusedError
    assert "does not store more" in error.what
    assert error.exit_code == 1


@pytest.mark.parametrize("said", ["pay first", "not in your plan", ""])
def test_a_blob_that_is_denied_with_402_is_told_by_its_status(http: StubHttp, said: str) -> None:
    body = json.dumps({"errors": [{"code": "DENIED", "message": said}]}).encode()
    http.on(f"POST {URL}/blobs/uploads/", 402, body=body)
    error = written(http, skopeo(f"{POST}: denied: {said}"))
    assert type(error) is ContentRefusedError
    assert "does not store more" in error.what


@pytest.mark.parametrize("said", ["denied: pay first", "denied", "denied: requested access: x"])
def test_a_manifest_that_is_denied_without_a_status_is_left_to_the_writer_that_sees_it(
    http: StubHttp, said: str
) -> None:
    http.on(f"POST {URL}/blobs/uploads/", 202, headers={"Location": "1"})
    assert type(written(http, skopeo(f"{PUT}: {said}"))) is UnclearAnswerError


@pytest.mark.parametrize("said", ["denied: pay first", "denied", "unauthorized: who are you"])
def test_a_blob_that_is_denied_stays_denied(http: StubHttp, said: str) -> None:
    http.on(f"POST {URL}/blobs/uploads/", 202, headers={"Location": "1"})
    error = written(http, skopeo(f"{POST}: {said}"))
    assert isinstance(error, AuthError | EngineDeniedError)


@pytest.mark.parametrize("what", [PUT, POST, f"writing blob: uploading layer chunked to {HOST}"])
def test_a_code_unknown_with_its_usual_message_may_be_anything(what: str) -> None:
    # skopeo leaves out the message `unknown error`
    error = failure("skopeo", HOST, 1, skopeo(f"{what}: unknown"))
    assert type(error) is UnclearAnswerError


@pytest.mark.parametrize("said", ["manifest unknown", "blob unknown", "no unknown"])
def test_other_words_that_end_so_are_none(said: str) -> None:
    assert type(failure("skopeo", HOST, 1, skopeo(f"{PUT}: {said}"))) is not UnclearAnswerError


@pytest.mark.parametrize(
    "said", ["exceeded the storage included", "this exceeds your plan's storage", "out of space"]
)
def test_words_about_room(said: str) -> None:
    assert speaks_of_quota(said)


@pytest.mark.parametrize("said", ["the deadline was exceeded", "storage is read-only", "no access"])
def test_words_about_something_else(said: str) -> None:
    assert not speaks_of_quota(said)
