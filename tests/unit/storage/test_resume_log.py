import json
import os
from pathlib import Path

import pytest

from dockless.oci.digest import Digest
from dockless.oci.reference import Reference
from dockless.storage.resume_log import ResumeLog

ASKED = ("registry.inside", ("images",))
DIGEST, OTHER = Digest("sha256", "a" * 64), Digest("sha256", "b" * 64)


ONE, TWO = (Reference.parse(f"registry.inside/{name}:1") for name in ("one", "two"))


def resume_log(
    folder: Path, asked: tuple[object, ...] = ASKED, *, resume: bool = True
) -> ResumeLog:
    return ResumeLog(folder, asked, resume=resume)


@pytest.fixture
def interrupted(tmp_path: Path) -> Path:
    first = resume_log(tmp_path / "journals")
    assert not first.begun
    first.begin()
    assert first.arrived(ONE, DIGEST, now=True)
    return tmp_path / "journals"


def test_the_next_run_knows_what_had_arrived_and_when(interrupted: Path) -> None:
    again = resume_log(interrupted)
    assert again.begun
    assert again.had((ONE, TWO)) == 1
    assert again.arrived(ONE, DIGEST, now=False)
    assert again.arrived(TWO, DIGEST, now=False) is None, "it was there before"
    assert again.arrived(ONE, OTHER, now=False) is None, "it is another image now"


def test_it_keeps_when_the_first_run_began(interrupted: Path) -> None:
    again = resume_log(interrupted)
    again.begin()
    assert resume_log(interrupted).begun == again.begun


@pytest.mark.parametrize(
    "when",
    [
        "not a time",
        "",
        "2026-02-30T10:00:00Z",
        "2026-01-02",
        "2026-01-02T10:00:00",
        "now\n",
        7,
        None,
    ],
)
def test_what_is_no_time_is_not_there(interrupted: Path, when: object) -> None:
    (log,) = interrupted.iterdir()
    lines = ({f"{ONE}@{DIGEST}": when}, {"begun": when})
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    again = resume_log(interrupted)
    assert again.arrived(ONE, DIGEST, now=False) is None
    assert (again.begun, again.had((ONE, TWO))) == ("", 0)


def test_another_mirror_has_another_journal(interrupted: Path) -> None:
    assert not resume_log(interrupted, ("registry.inside", ("others",))).begun


def test_it_can_be_begun_anew(interrupted: Path) -> None:
    assert not resume_log(interrupted, resume=False).begun
    assert list(interrupted.iterdir()) == []


def test_it_goes_when_all_has_arrived(interrupted: Path) -> None:
    resume_log(interrupted).end()
    assert list(interrupted.iterdir()) == []


@pytest.mark.parametrize("damage", [b'{"registry.ins', b"\xff", b"[1]", b"1", b'{"begun": 1}'])
def test_what_cannot_be_read_in_it_is_left_out(tmp_path: Path, damage: bytes) -> None:
    assert resume_log(tmp_path).arrived(ONE, DIGEST, now=True)
    (path,) = tmp_path.iterdir()
    with path.open("ab") as stream:
        stream.write(damage)
    again = resume_log(tmp_path)
    assert not again.begun
    assert again.had((ONE,)) == 1


def test_where_it_cannot_be_written_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    without = resume_log(tmp_path / "file" / "journals")
    without.begin()
    assert without.arrived(ONE, DIGEST, now=True)
    without.end()


def test_one_that_nobody_went_on_with_is_forgotten_after_a_month(interrupted: Path) -> None:
    (path,) = interrupted.iterdir()
    os.utime(path, (0, 0))
    assert not resume_log(interrupted).begun
    assert list(interrupted.iterdir()) == []
