import errno
import os
from pathlib import Path

import pytest

from dockless.model.timings import Timings
from dockless.storage.file_links import place


def refusing(code: int) -> object:
    def link(source: object, target: object) -> None:
        raise OSError(code, os.strerror(code), source, None, target)

    return link


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "blobs" / "source"
    path.parent.mkdir()
    path.write_bytes(b"layer")
    return path


def test_a_file_gets_a_second_name_and_no_second_copy(source: Path, tmp_path: Path) -> None:
    timings = Timings()
    place(source, tmp_path / "target", timings)
    assert (tmp_path / "target").samefile(source)
    assert not timings.seconds


def test_a_symbolic_link_leads_to_a_file(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(source)
    place(tmp_path / "link", tmp_path / "target")
    assert not (tmp_path / "target").is_symlink()
    assert (tmp_path / "target").samefile(source)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP])
def test_where_links_are_refused_it_is_copied_and_said_so(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "link", refusing(code))
    monkeypatch.setattr("dockless.storage.file_links._cloned", lambda *_: False)
    timings = Timings()
    place(source, tmp_path / "target", timings)
    assert not (tmp_path / "target").samefile(source)
    assert (tmp_path / "target").read_bytes() == b"layer"
    assert list(timings.seconds) == ["copy"]
    assert (tmp_path / "target").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.ENOENT, errno.EDQUOT])
def test_where_a_copy_would_not_help_nothing_is_copied(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(os, "link", refusing(code))
    with pytest.raises(OSError, match=os.strerror(code)):
        place(source, tmp_path / "target")
    assert {path.name for path in tmp_path.iterdir()} == {"blobs"}


def test_a_copy_that_breaks_leaves_nothing(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "link", refusing(errno.EXDEV))
    monkeypatch.setattr("dockless.storage.file_links._cloned", lambda *_: False)
    monkeypatch.setattr("shutil.copyfileobj", torn)
    with pytest.raises(OSError, match="Input/output error"):
        place(source, tmp_path / "target")
    assert {path.name for path in tmp_path.iterdir()} == {"blobs"}
