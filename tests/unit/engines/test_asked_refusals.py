"""What a program leaves out of a registry's refusal is asked for by the writer of `auto`."""

import json
from functools import partial
from pathlib import Path

import pytest

from dockless.engines.automatic import Automatic, Program
from dockless.errors import (
    AuthError,
    ContentRefusedError,
    DocklessError,
    EngineDeniedError,
    NetworkError,
    PushError,
    UnclearAnswerError,
    UnexplainedError,
)
from dockless.model.secret import Credential, Secret
from dockless.oci.content import Content, StagedImage, single
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_CONFIG, OCI_MANIFEST, Descriptor, image_manifest
from dockless.oci.reference import Reference, Repository
from dockless.ports import Task, Written
from dockless.registry.client import RegistryClient
from dockless.registry.refusals import upload_refusal
from fakes.http import StubHttp
from fakes.progress import FakeProgress

URL = "https://registry.example.com/v2/"
SHOP = Repository.of("registry.example.com", "team/shop")
CONFIG = b'{"rootfs": {"diff_ids": []}}'
DATA = image_manifest(
    Descriptor(media_type=OCI_CONFIG, digest=Digest.of(CONFIG), size=len(CONFIG)), ()
)
ROOT = Descriptor(media_type=OCI_MANIFEST, digest=Digest.of(DATA), size=len(DATA))
CONTENT = single(ROOT, DATA, CONFIG)


class Failing:
    """A writer that fails, as an `automatic.Whole`."""

    name = tagger = "direct"

    def __init__(self, error: DocklessError) -> None:
        self._error = error

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        del image, repository, sending
        raise self._error

    def pull(self, source: Reference, layout: Path) -> None:
        raise AssertionError((source, layout))

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        del content, repository, tag
        raise self._error


def written(error: DocklessError, status: int, message: str) -> tuple[DocklessError, StubHttp]:
    """Return how a write ends, after which the registry answers a begun upload so."""
    http = StubHttp()
    http.on(f"GET {URL}")
    body = json.dumps({"errors": [{"code": "OWN", "message": message}]}).encode()
    http.on(f"POST {URL}team/shop/blobs/uploads/", status, body=body)
    image = StagedImage(content=CONTENT, blobs={}, layout=Path, missing=None)
    failing = Failing(error)
    program = Program(name="crane", start=lambda: failing, trial=lambda: "")
    refusal = partial(upload_refusal, RegistryClient(http, lambda: None))
    writer = Automatic([program], failing, print, refusal)
    with pytest.raises(DocklessError) as caught:
        writer.write(image, SHOP, FakeProgress().start("x", None))
    return caught.value, http


UNCLEAR = UnclearAnswerError("skopeo: initiating layer upload: unknown: not today.")
ANSWERED = UnexplainedError(f"crane: POST {URL}: OWN: not today; more: of it.", answered=True)


@pytest.mark.parametrize("error", [UNCLEAR, UnexplainedError("x: OWN: not today.", answered=True)])
@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, AuthError), (412, PushError), (413, ContentRefusedError), (422, PushError)],
)
def test_a_refusal_is_the_error(
    error: DocklessError, status: int, kind: type[DocklessError]
) -> None:
    found, _ = written(error, status, "not today")
    assert type(found) is kind
    assert "OWN: not today" in found.what


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        (f"PUT {URL}x: UNAUTHORIZED: authentication required", True),
        ("HEAD x: unexpected status code 401 Unauthorized", True),
        ("writing blob: unauthorized", True),
        (f"PUT {URL}x: DENIED: not yours", False),
        ("PUT x: unexpected status code 403 Forbidden", False),
    ],
)
def test_a_registry_that_was_open_may_require_a_credential_of_who_writes(
    message: str, *, asks: bool
) -> None:
    error = AuthError(f"{SHOP.host} does not allow the push: {message}.")
    image = StagedImage(content=CONTENT, blobs={}, layout=Path, missing=None)
    kinds: dict[bool, type[DocklessError]] = {
        True: UnclearAnswerError if asks else AuthError,
        False: AuthError,
    }
    for has_none, kind in kinds.items():
        failing = Failing(error)
        program = Program(name="crane", start=partial(Failing, error), trial=str)
        writer = Automatic([program], failing, print, lambda _: None, partial(bool, has_none))
        with pytest.raises(kind, match="does not allow the push"):
            writer.write(image, SHOP, FakeProgress().start("x", None))


@pytest.mark.parametrize(("status", "message"), [(405, "read-only"), (202, ""), (500, "not today")])
@pytest.mark.parametrize("error", [UNCLEAR, ANSWERED])
def test_another_answer_leaves_the_error_as_it_is(
    error: DocklessError, status: int, message: str
) -> None:
    found, _ = written(error, status, message)
    assert found is error


@pytest.mark.parametrize(
    "error", [NetworkError("timeout"), AuthError("no"), UnexplainedError("crane: panic")]
)
def test_what_is_clear_is_not_asked(error: DocklessError) -> None:
    found, http = written(error, 403, "no")
    assert found is error
    assert not http.asked


@pytest.mark.parametrize("user", ["ro", "ci-bot", ""])
@pytest.mark.parametrize("said", ["requested access is denied", ""])
def test_a_program_that_is_denied_is_told_in_the_words_of_the_writer_without_one(
    user: str, said: str
) -> None:
    error = EngineDeniedError(f"{SHOP.host} does not allow the push: POST {URL}: DENIED: x.")
    http = StubHttp()
    http.on(f"GET {URL}")
    body = json.dumps({"errors": [{"code": "DENIED", "message": said}]}).encode()
    http.on(f"POST {URL}team/shop/blobs/uploads/", 403, body=body)
    login = Credential(username=user, password=Secret("x"))
    image = StagedImage(content=CONTENT, blobs={}, layout=Path, missing=None)
    failing = Failing(error)
    program = Program(name="crane", start=lambda: failing, trial=str)
    refusal = partial(upload_refusal, RegistryClient(http, lambda: login))
    with pytest.raises(AuthError) as caught:
        Automatic([program], failing, print, refusal).write(
            image, SHOP, FakeProgress().start("x", None)
        )
    assert caught.value.what.startswith(
        f"{SHOP.host} does not allow {user or 'this token'} to use {SHOP}"
    )
    assert URL not in caught.value.what


def test_a_denial_that_the_registry_does_not_repeat_stands() -> None:
    error = EngineDeniedError(f"{SHOP.host} does not allow the push: PUT {URL}: DENIED: x.")
    found, _ = written(error, 202, "")
    assert found is error
