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
from dockless.sources.pulling import Pulling
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
            made = Pulling(
                own.staging, own.folder, own.progress, policy, lambda _: lambda _: reader
            )
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
