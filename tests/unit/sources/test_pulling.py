"""What somebody deletes while an image of a registry is pulled is pulled again."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.client.workspace import Surroundings, workspaces
from dockless.errors import LostCopyError
from dockless.model.options import PushOptions
from dockless.oci.reference import Reference
from dockless.retry import RetryPolicy
from dockless.sources.pulling import Pulling, lost_part
from dockless.storage.machine import Machine
from fakes.progress import FakeProgress

REFERENCE = Reference.parse("registry.example.com/team/shop:1")
Delete = Callable[[Path], None]


def _all(layout: Path) -> None:
    shutil.rmtree(layout.parents[4])


def _run(layout: Path) -> None:
    shutil.rmtree(layout.parents[1])


def _layout(layout: Path) -> None:
    shutil.rmtree(layout)


def _blobs(layout: Path) -> None:
    shutil.rmtree(layout / "blobs")


class Reader:
    """Brings one file, of whose folders some are deleted before it is there."""

    def __init__(self, delete: Delete, times: int) -> None:
        self.pulls = 0
        self._delete = delete
        self._times = times

    def pull(self, _: Reference, layout: Path) -> None:
        self.pulls += 1
        blobs = layout / "blobs/sha256"
        blobs.mkdir(parents=True)
        (layout / "index.json").touch()
        if self.pulls <= self._times:
            self._delete(layout)
        (blobs / ".draft").write_bytes(b"data")
        (blobs / ".draft").replace(blobs / "data")


@pytest.fixture
def pull(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Reader], Path]:
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "one/two/cache"))

    def pulled(reader: Reader) -> Path:
        machine = Machine(environment=os.environ, home=tmp_path, data=tmp_path)
        around = Surroundings(machine=machine, progress=FakeProgress())
        with workspaces(PushOptions(), around, None) as space, space("") as own:
            policy = RetryPolicy(attempts=1, deadline=None, note=lambda _: None)
            made = Pulling(own.staging, own.progress, policy, lambda _: lambda _: reader)
            layout = made.pull(REFERENCE)
            assert (layout / "blobs/sha256/data").read_bytes() == b"data"
            return layout

    return pulled


@pytest.mark.parametrize("delete", [_all, _run, _layout, _blobs])
@pytest.mark.parametrize("times", [1, 2])
def test_it_is_pulled_again(pull: Callable[[Reader], Path], delete: Delete, times: int) -> None:
    reader = Reader(delete, times)
    pull(reader)
    assert reader.pulls == times + 1


@pytest.mark.parametrize("delete", [_all, _run, _layout, _blobs])
def test_not_for_ever(pull: Callable[[Reader], Path], delete: Delete) -> None:
    reader = Reader(delete, 99)
    with pytest.raises(LostCopyError, match="was deleted during the run"):
        pull(reader)
    assert reader.pulls == 3


DIGEST = f"sha256:{'c0' * 32}"


@pytest.mark.parametrize(
    ("said", "part"),
    [
        (f"r.io refuses: GET http://r.io/v2/a/blobs/{DIGEST}: BLOB_UNKNOWN: Unknown.", "the blob"),
        (f"crane failed: fetching blob {DIGEST}: unexpected status code 404.", "the blob"),
        (f"skopeo failed: reading blob {DIGEST}: status code 404 (Not Found).", "the blob"),
        (f"skopeo failed: reading blob {DIGEST}: blob unknown to registry.", "the blob"),
        (f"registry.example.com does not have {DIGEST} of registry.example.com/team/shop.", ""),
        (f"GET http://r.io/v2/a/manifests/{DIGEST}: MANIFEST_UNKNOWN: none.", "the manifest"),
    ],
)
def test_what_the_source_s_registry_has_lost_is_named_with_it(said: str, part: str) -> None:
    found = lost_part(said, REFERENCE)
    assert found
    assert f"registry.example.com does not have {part} {DIGEST}".replace("  ", " ") in found.what
    assert str(REFERENCE) in found.what


@pytest.mark.parametrize(
    "said",
    [
        "crane failed: not found.",
        f"crane failed: reading blob {DIGEST}: connection reset by peer.",
        f"skopeo failed: reading blob {DIGEST}: 403 (Forbidden).",
        f"skopeo failed: reading blob {DIGEST}: lookup r.io: unknown host, not found.",
    ],
)
def test_another_fault_is_not_the_source_s(said: str) -> None:
    assert lost_part(said, REFERENCE) is None


def test_an_image_that_is_not_there_is_not_a_lost_part() -> None:
    pinned = Reference.parse(f"registry.example.com/team/shop@{DIGEST}")
    assert lost_part(f"GET /v2/a/manifests/{DIGEST}: MANIFEST_UNKNOWN", pinned) is None
