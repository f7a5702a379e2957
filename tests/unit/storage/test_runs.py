import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest

from dockless.errors import LostCopyError, PushError, UsageError
from dockless.processes.stops import Terminated
from dockless.storage.blob_store import BlobStore
from dockless.storage.locks import lock_file
from dockless.storage.runs import Runs, usable


@pytest.mark.parametrize("below", ["", "runs", "locks/runs"])
@pytest.mark.parametrize("code", [errno.ENOENT, errno.EEXIST])
@pytest.mark.parametrize("there", [True, False])
def test_a_store_that_is_deleted_meanwhile_is_no_fault_of_the_settings(
    tmp_path: Path, below: str, code: int, *, there: bool
) -> None:
    store = tmp_path / "cache" / "1000"
    store.mkdir(parents=True)
    if not there:
        store.rmdir()
    with pytest.raises(LostCopyError, match="deleted during the run") as caught, usable(store):
        raise OSError(code, os.strerror(code), str(store / below / "gone"))
    assert caught.value.exit_code == 1


@pytest.mark.parametrize("store", ["/proc/nothing", "/proc/self/fd/x", "/sys/x"])
def test_a_store_that_never_was_is_one(store: str) -> None:
    with pytest.raises(UsageError, match="cannot be used"), usable(Path(store)):
        Path(store).mkdir(parents=True)


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOTDIR, errno.ELOOP])
def test_a_store_that_cannot_be_used_is_one(tmp_path: Path, code: int) -> None:
    with pytest.raises(UsageError, match="cannot be used"), usable(tmp_path):
        raise OSError(code, os.strerror(code), str(tmp_path))


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_a_run_whose_folder_cannot_be_removed_ends_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    store = BlobStore(tmp_path / "store")

    def fail(_: Path) -> None:
        raise OSError(code, os.strerror(code))

    with store.run() as folder:
        monkeypatch.setattr(Path, "iterdir", fail)
    monkeypatch.undo()
    with lock_file(folder / "lock", wait=False):  # nobody holds it any longer
        pass
    with store.run():
        assert not folder.exists()


@pytest.mark.parametrize("code", [errno.ENOENT, errno.EMFILE, errno.ENOSPC])
def test_a_run_whose_folder_cannot_be_made_again_ends_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    store = BlobStore(tmp_path / "store")

    def locked(path: Path, **how: bool) -> IO[bytes]:
        if path.parent.parent.name == "runs":
            raise OSError(code, os.strerror(code), str(path))
        return lock_file(path, **how)

    with store.run() as folder:
        shutil.rmtree(folder)
        with monkeypatch.context() as patched:
            patched.setattr("dockless.storage.runs.lock_file", locked)
            with pytest.raises((LostCopyError, UsageError, PushError)):
                store.renew()
    with store.run():
        assert not folder.exists()


@pytest.mark.parametrize("at", ["after the folder", "after its lock", "after all of it"])
@pytest.mark.parametrize("stop", [KeyboardInterrupt, Terminated, OSError])
def test_a_run_that_is_broken_off_as_it_begins_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str, stop: type[BaseException]
) -> None:
    store = BlobStore(tmp_path / "store")
    begin = Runs.begin

    def locked(path: Path, **how: bool) -> IO[bytes]:
        if path.parent.parent.name != "runs":
            return lock_file(path, **how)
        if at == "after its lock":
            lock_file(path, **how).close()
        raise stop

    def begun(runs: Runs, folder: Path, settle: Callable[[], None]) -> None:
        begin(runs, folder, settle)
        raise stop

    with monkeypatch.context() as patched:
        if at == "after all of it":
            patched.setattr(Runs, "begin", begun)
        else:
            patched.setattr("dockless.storage.runs.lock_file", locked)
        with pytest.raises((stop, UsageError)), store.run():
            pass
    assert list((tmp_path / "store" / "runs").iterdir()) == []
