"""A lock is not always about a tag that exists."""

import json

import pytest

from dockless.engines.failures import failure
from dockless.errors import ImmutableTagError, time_is_over
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.registry.refusals import forbidden, manifest_error
from dockless.transport.http import Response

SHOP = Repository.of("registry.example.com", "team/shop")
DIGEST = str(Digest.of(b"manifest"))
LOCKS = ["package team/shop is locked", "The repository IS LOCKED by an admin", "not write-enabled"]
TAG_WORDS = ["tag v1 already exists", "'shop:v1' configured as immutable", "it cannot be updated"]


def answer(status: int, said: str) -> Response:
    body = json.dumps({"errors": [{"code": "DENIED", "message": said}]}).encode()
    return Response(status=status, headers={}, body=body)


@pytest.mark.parametrize("said", [*LOCKS, "", "conflict"])
@pytest.mark.parametrize("status", [409, 412])
def test_a_tag_that_must_not_be_written_need_not_exist(status: int, said: str) -> None:
    error = manifest_error(answer(status, said), SHOP, "v1")
    assert isinstance(error, ImmutableTagError)
    assert "existing" not in error.what
    assert "the tag v1 of registry.example.com/team/shop to be written" in error.what
    assert said in error.what
    assert "have it unlocked" in error.remedy


@pytest.mark.parametrize("said", LOCKS)
@pytest.mark.parametrize("status", [400, 409, 412, 422, 403])
def test_a_lock_of_what_is_written_by_its_digest_is_about_no_tag(status: int, said: str) -> None:
    error = (
        forbidden(answer(status, said), SHOP, "me", DIGEST)
        if status == 403
        else manifest_error(answer(status, said), SHOP, DIGEST)
    )
    assert not isinstance(error, ImmutableTagError)
    assert said in error.what
    assert " tag" not in error.what


@pytest.mark.parametrize("said", TAG_WORDS)
def test_words_about_an_existing_tag_are_taken_as_they_are(said: str) -> None:
    for name in ("v1", DIGEST):
        error = manifest_error(answer(409, said), SHOP, name)
        assert isinstance(error, ImmutableTagError)
        assert "an existing tag" in error.what


@pytest.mark.parametrize("status", [409, 412])
def test_a_program_that_is_refused_by_digest_overwrites_no_tag(status: int) -> None:
    stderr = f"Error: PUT https://x/v2/a/manifests/{DIGEST}: unexpected status code {status} No: n"
    error = failure("crane", "x", 1, stderr)
    assert "refuses to change what it has" in error.what
    assert "tag" not in error.what


@pytest.mark.parametrize("what", ["The keyring", "pass", "Reading a.tar"])
def test_a_wait_that_ended_promises_no_upload(what: str) -> None:
    assert "upload" not in str(time_is_over(what))
