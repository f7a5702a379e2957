from contextlib import ExitStack
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.storage.bundle_lock import alone


@pytest.mark.parametrize("name", ["same.tar", "folder", "link.tar"])
@pytest.mark.parametrize("caches", [("one", "one"), ("one", "two")])
def test_two_runs_do_not_write_one_bundle_whatever_their_stores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, caches: tuple[str, str]
) -> None:
    out, target = tmp_path / "out" / name, tmp_path / "out" / "target.tar"
    out.parent.mkdir()
    if name == "link.tar":
        target.touch()
        out.symlink_to(target)
    before = sorted(out.parent.iterdir())
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / caches[0]))
    with ExitStack() as stack:
        stack.enter_context(alone(out))
        monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / caches[1]))
        for again in (out, out.parent / "x" / ".." / name, *([target] if out.is_symlink() else [])):
            (out.parent / "x").mkdir(exist_ok=True)
            with pytest.raises(UsageError, match="Another run is writing"):
                stack.enter_context(alone(again))
        stack.enter_context(alone(out.with_name("other.tar")))
    (out.parent / "x").rmdir()
    assert sorted(out.parent.iterdir()) == before
    with alone(out):
        pass


def test_data_in_the_place_of_the_lock_is_kept(tmp_path: Path) -> None:
    (tmp_path / ".o.tar.lock").write_text("mine")
    with alone(tmp_path / "o.tar"):
        pass
    assert (tmp_path / ".o.tar.lock").read_text() == "mine"


@pytest.mark.parametrize("name", ["none/o.tar", "x" * 255])
def test_where_no_lock_can_be_made_there_is_none(tmp_path: Path, name: str) -> None:
    with alone(tmp_path / name):
        pass


@pytest.mark.parametrize("out", ["/", "//", "/../", "/."])
def test_the_root_folder_is_no_bundle_and_gets_no_lock_next_to_it(out: str) -> None:
    with alone(Path(out)):
        assert not list(Path("/").glob("..lock"))


@pytest.mark.parametrize("out", [".", "x/..", "x/."])
def test_a_bundle_may_be_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    (tmp_path / "disk" / "x").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "disk")
    with alone(Path(out)), pytest.raises(UsageError), alone(Path(out)):
        pass
