import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dockless.engines import install as module
from dockless.engines.install import Installation, Installed, install, install_file
from dockless.engines.probe_result import ProbeResult
from dockless.engines.tampering import TamperedError
from dockless.errors import EngineError

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
CRANE = b"#!/bin/sh\nprintf '  tag  x\\n  --index\\n  --insecure\\n'\n"


PASSED = ProbeResult(passed=True, reason="", moment=1.0)


class Check:
    """Stands in for the push probe, for which a unit test has no sockets."""

    def __init__(self, result: ProbeResult = PASSED) -> None:
        self.result = result
        self.asked: list[tuple[str, Path]] = []

    def __call__(
        self, name: str, path: Path, _policy: Path | None, _: Mapping[str, str], folder: Path
    ) -> ProbeResult:
        assert folder.is_dir()
        assert path.stat().st_mode & 0o777 == 0o755
        self.asked.append((name, path))
        return self.result


def installation(folder: Path, check: Check | None = None) -> Installation:
    return Installation(
        folder=folder,
        environment=ENVIRONMENT,
        note=lambda _: None,
        check=check or Check(),
    )


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def archive(name: str = "crane", kind: bytes = tarfile.REGTYPE, program: bytes = CRANE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("LICENSE"))
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/bin/sh" if kind == tarfile.SYMTYPE else ""
        entry.size = len(program) if kind == tarfile.REGTYPE else 0
        tar.addfile(entry, io.BytesIO(program))
    return buffer.getvalue()


def installed(
    tmp_path: Path, data: bytes, checksum: str = "", check: Check | None = None
) -> Installed:
    file = tmp_path / "file"
    file.write_bytes(data)
    return install_file(installation(tmp_path / "own", check), file, checksum or sha256(data))


@pytest.mark.parametrize("data", [CRANE, archive()], ids=["program", "archive"])
def test_a_file_with_the_right_checksum_becomes_a_program(tmp_path: Path, data: bytes) -> None:
    done = installed(tmp_path, data)
    path = done.path
    assert done.probe == PASSED
    assert path == tmp_path / "own/crane"
    assert path.read_bytes() == CRANE
    assert path.stat().st_mode & 0o777 == 0o755
    assert list(path.parent.iterdir()) == [path]


def test_a_wrong_checksum_leaves_the_old_program_and_nothing_else(tmp_path: Path) -> None:
    old = installed(tmp_path, CRANE).path
    with pytest.raises(TamperedError, match=f"{sha256(b'bad')}, but {sha256(CRANE)}") as caught:
        installed(tmp_path, b"bad", checksum=sha256(CRANE))
    assert caught.value.exit_code == 7
    assert list(old.parent.iterdir()) == [old]
    assert old.read_bytes() == CRANE


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (archive("gcrane"), "holds no program named crane"),
        (archive("../crane"), "holds no program named crane"),
        (archive(kind=tarfile.SYMTYPE), "holds no program named crane"),
        (archive(kind=tarfile.DIRTYPE), "holds no program named crane"),
        (archive()[:-60], "is damaged"),
        (gzip.compress(b"no tar" * 1000), "is damaged"),
        (archive()[:12] + b"\xff" * 8 + archive()[20:], "is damaged"),
        (CRANE.replace(b"--index", b""), "/file is too old: it lacks --index"),
        (b"\x7fELF nothing that runs", "/file is not a program for this kind of machine"),
        (b"#!/bin/sh\nexit 0\n", "/file is not a crane program .* none of crane's commands"),
        (b"#!/bin/sh\nexit 3\n", "/file is not a crane program .*/file --help failed with exit"),
        (
            b"#!/bin/sh\nprintf '  copy  x\\n  list-tags x\\n  --insecure-policy\\n'\n",
            "/file is not a crane program",
        ),
    ],
)
def test_a_file_without_a_usable_crane_leaves_nothing(
    tmp_path: Path, data: bytes, complaint: str
) -> None:
    with pytest.raises(EngineError, match=complaint) as caught:
        installed(tmp_path, data)
    assert ".install-" not in str(caught.value)
    assert not list((tmp_path / "own").iterdir())


def test_a_crane_that_cannot_push_is_not_put_in_the_place_of_the_old_one(tmp_path: Path) -> None:
    old = installed(tmp_path, CRANE).path
    failed = Check(ProbeResult(passed=False, reason="layout blob is a symlink.", moment=1.0))
    with pytest.raises(EngineError, match="was not installed: layout blob is a symlink") as caught:
        installed(tmp_path, CRANE + b"# newer", check=failed)
    assert caught.value.exit_code == 7
    assert [name for name, _ in failed.asked] == ["crane"]
    assert failed.asked[0][1].parent != old.parent
    assert list(old.parent.iterdir()) == [old]
    assert old.read_bytes() == CRANE


def test_more_than_crane_ever_had_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LIMIT", len(CRANE) - 1)
    with pytest.raises(TamperedError, match="more than any release of crane"):
        installed(tmp_path, CRANE)


def test_an_archive_that_unpacks_to_more_than_crane_ever_had_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = archive(program=CRANE + b"#" * 100_000)
    monkeypatch.setattr(module, "_LIMIT", len(bomb))
    with pytest.raises(EngineError, match="holds no program named crane"):
        installed(tmp_path, bomb)


def test_an_interrupt_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Path) -> Iterator[bytes]:
        yield CRANE
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_chunks", interrupted)
    with pytest.raises(KeyboardInterrupt):
        installed(tmp_path, CRANE)
    assert not list((tmp_path / "own").iterdir())


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Path) -> Iterator[bytes]:
        yield CRANE
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_chunks", full)
    with pytest.raises(EngineError, match="No space left on device") as caught:
        installed(tmp_path, CRANE)
    assert "DOCKLESS_TOOLS_DIR" in caught.value.remedy
    assert not list((tmp_path / "own").iterdir())


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="absent cannot be read"):
        install_file(installation(tmp_path / "own"), tmp_path / "absent", "0" * 64)


def test_a_place_that_is_no_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "own").touch()
    with pytest.raises(EngineError, match="crane cannot be installed in"):
        installed(tmp_path, CRANE)


def test_a_folder_that_cannot_be_written_to_is_said_once_before_any_way_is_tried(
    tmp_path: Path,
) -> None:
    (tmp_path / "own").touch()
    notes: list[str] = []
    wanted = Installation(
        folder=tmp_path / "own/x", environment={"PATH": ""}, note=notes.append, check=Check()
    )
    with pytest.raises(EngineError) as caught:
        install(wanted, None)
    assert caught.value.what == f"crane cannot be installed in {wanted.folder}: Not a directory."
    assert caught.value.remedy == (
        "Set DOCKLESS_TOOLS_DIR to a folder that this user may write to."
    )
    assert notes == []


def test_when_no_way_works_the_error_lists_each(tmp_path: Path) -> None:
    notes: list[str] = []
    with pytest.raises(EngineError) as caught:
        install(
            Installation(
                folder=tmp_path / "own", environment={"PATH": ""}, note=notes.append, check=Check()
            ),
            None,
        )
    assert "No release of crane is known" in caught.value.what
    assert "apt-get does not exist" in caught.value.what
    assert "--from FILE --sha256 HEX" in caught.value.remedy
    assert notes[0] == "No release of crane is known for this kind of machine."
