"""A bundle that is not finished leaves nothing, and never half of itself under its name."""

import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.storage import bundle_archive
from dockless.storage.bundle import Bundle, free_of, workplace
from dockless.storage.bundle_archive import pack

_STOPS = """
import os, signal, sys
from pathlib import Path
from dockless.storage import bundle, bundle_archive
out, archive, at = Path(sys.argv[1]), sys.argv[1].endswith(".tar"), sys.argv[2]
def stop(*_):
    os.kill(os.getpid(), int(sys.argv[3]))
with bundle.workplace(out, archive=archive) as folder:
    made = bundle.Bundle(folder)
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "blobs" / "sha256" / ("0" * 64)).write_bytes(bytes(100_000))
    if at == "layers":
        stop()
    made.finish()
    if at == "pack":
        bundle_archive._add = stop
    bundle_archive.pack(folder, out, 50_000 if at == "parts" else None)
"""


def stopped(out: Path, at: str, number: signal.Signals) -> None:
    """Run a process that is ended while it writes a bundle."""
    done = subprocess.run(
        (sys.executable, "-c", _STOPS, str(out), at, str(int(number))),
        check=False,
        stderr=subprocess.DEVNULL,
        timeout=60,
    )
    assert done.returncode != 0


def written(out: Path, part: int | None = None) -> tuple[Path, ...]:
    with workplace(out, archive=True) as folder:
        Bundle(folder).finish()
        return pack(folder, out, part)


@pytest.mark.parametrize("at", ["layers", "pack"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill", "int"])
def test_an_archive_that_was_ended_leaves_nothing_after_the_next(
    tmp_path: Path, at: str, number: signal.Signals
) -> None:
    out = tmp_path / "out.tar"
    for _ in range(3):
        stopped(out, at, number)
    assert not out.exists()
    assert written(out) == (out,)
    assert list(tmp_path.iterdir()) == [out]


def test_an_older_archive_stays_whole_until_the_new_one_is(tmp_path: Path) -> None:
    (out,) = written(tmp_path / "out.tar")
    before = out.read_bytes()
    stopped(out, "pack", signal.SIGKILL)
    assert out.read_bytes() == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill", "int"])
def test_a_folder_that_was_ended_can_be_written_again(
    tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "disk"
    stopped(out, "layers", number)
    assert free_of(out)
    with workplace(out, archive=False) as folder:
        Bundle(folder).finish()
    assert not free_of(out)
    assert not (out / ".unfinished").exists()


def test_a_folder_with_anything_else_is_never_free(tmp_path: Path) -> None:
    out = tmp_path / "disk"
    stopped(out, "layers", signal.SIGKILL)
    (out / "mine").touch()
    assert not free_of(out)
    assert (out / "mine").exists()


@pytest.mark.parametrize("name", ["notes.txt", "blobs/notes", "blobs/sha256/notes", "sub/x"])
@pytest.mark.parametrize("there", [False, True])
def test_what_the_user_puts_into_it_meanwhile_stays(
    tmp_path: Path, name: str, *, there: bool
) -> None:
    out = tmp_path / "disk"
    if there:
        out.mkdir()
    with pytest.raises(KeyboardInterrupt), workplace(out, archive=False) as folder:
        _stop_after(folder, f"blobs/sha256/{'0' * 64}", f"blobs/sha256/.{'1' * 64}", name)
    assert [path for path in out.rglob("*") if path.is_file()] == [out / name]


def _stop_after(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    raise KeyboardInterrupt


def test_parts_get_their_names_together(tmp_path: Path) -> None:
    made = written(tmp_path / "out.tar", 4096)
    assert sorted(made) == sorted(tmp_path.iterdir())
    assert made[-1].name == f"out.tar.{bundle_archive.PARTS}"


def test_an_archive_that_a_link_names_is_written_where_that_leads(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    link = tmp_path / "out.tar"
    link.symlink_to(disk / "real.tar")
    assert written(link) == (link,)
    assert link.is_symlink()
    with tarfile.open(disk / "real.tar") as tar:
        assert "index.json" in tar.getnames()


@pytest.mark.parametrize("part", [None, 4096])
@pytest.mark.parametrize("text", ["my notes", "another bundle", ""])
def test_what_takes_the_place_of_a_bundle_meanwhile_stays(
    tmp_path: Path, part: int | None, text: str
) -> None:
    out = tmp_path / "out.tar"

    def refuse() -> None:
        raise UsageError(f"{out} exists and is not a bundle.", "Move that file.")

    with workplace(out, archive=True) as folder:
        Bundle(folder).finish()
        out.write_text(text)
        with pytest.raises(UsageError, match="is not a bundle"):
            pack(folder, out, part, refuse)
    assert out.read_text() == text
    assert list(tmp_path.iterdir()) == [out]
