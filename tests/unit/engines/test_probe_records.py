import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dockless.engines.probe_records import KEPT_SECONDS, ProbeRecords
from dockless.engines.probe_result import LONGEST_REASON, ProbeResult

NOW = 1_800_000_000.0
FAILED = ProbeResult(passed=False, reason="It cannot.", moment=NOW)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "crane"
    path.write_bytes(b"program")
    return path


@pytest.fixture
def records(tmp_path: Path) -> ProbeRecords:
    return ProbeRecords(tmp_path / "store/programs")


def the_file(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "store/programs").iterdir()
    return file


def test_a_result_is_remembered_in_a_file_for_the_user_alone(
    records: ProbeRecords, program: Path, tmp_path: Path
) -> None:
    assert records.of(program, NOW) is None
    records.keep(program, FAILED)
    assert records.of(program, NOW) == FAILED
    assert the_file(tmp_path).stat().st_mode & 0o777 == 0o600
    passed = ProbeResult(passed=True, reason="", moment=NOW + 1)
    records.keep(program, passed)
    assert records.of(program, NOW + 1) == passed
    assert the_file(tmp_path).suffix == ".json"  # the only one


def test_a_link_to_a_program_is_that_program(records: ProbeRecords, program: Path) -> None:
    link = program.with_name("link")
    link.symlink_to(program)
    records.keep(link, FAILED)
    assert records.of(program, NOW) == FAILED
    assert records.of(link, NOW) == FAILED


def test_the_same_content_written_later_is_the_same_program(
    records: ProbeRecords, program: Path
) -> None:
    records.keep(program, FAILED)
    os.utime(program, (1, 1))
    assert records.of(program, NOW) == FAILED


@pytest.mark.parametrize("content", [b"another", b"longer than before", b""])
def test_another_content_is_another_program(
    records: ProbeRecords, program: Path, content: bytes
) -> None:
    records.keep(program, FAILED)
    program.write_bytes(content)
    os.utime(program, (1, 1))
    assert records.of(program, NOW) is None


def test_the_same_content_elsewhere_is_another_program(
    records: ProbeRecords, program: Path
) -> None:
    records.keep(program, FAILED)
    copy = program.with_name("copy")
    copy.write_bytes(program.read_bytes())
    assert records.of(copy, NOW) is None


def test_a_program_that_is_gone_is_unknown(records: ProbeRecords, program: Path) -> None:
    records.keep(program, FAILED)
    program.unlink()
    assert records.of(program, NOW) is None
    records.keep(program, FAILED)


@pytest.mark.parametrize(
    ("later", "known"), [(KEPT_SECONDS, True), (KEPT_SECONDS + 1, False), (-1, False)]
)
def test_a_result_is_believed_for_thirty_days(
    records: ProbeRecords, program: Path, later: float, *, known: bool
) -> None:
    records.keep(program, FAILED)
    assert (records.of(program, NOW + later) is not None) == known


def test_a_result_holds_for_the_policy_that_was_obeyed(
    records: ProbeRecords, program: Path, tmp_path: Path
) -> None:
    policy = tmp_path / "policy.json"
    policy.write_text("{}")
    records.keep(program, FAILED, policy)
    assert records.of(program, NOW, policy) == FAILED
    assert records.of(program, NOW) is None
    policy.write_text('{"default": []}')
    assert records.of(program, NOW, policy) is None
    policy.unlink()
    assert records.of(program, NOW, policy) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda data: data[:-9],
        lambda _: b"[" * 10_000,
        lambda _: b"[]",
        lambda _: b"\xff\xfe",
        lambda data: json.dumps(json.loads(data) | {"schemaVersion": 2}).encode(),
        lambda data: json.dumps(json.loads(data) | {"passed": "yes"}).encode(),
        lambda data: json.dumps(json.loads(data) | {"reason": None}).encode(),
        lambda data: json.dumps(json.loads(data) | {"moment": float("nan")}).encode(),
        lambda data: json.dumps(json.loads(data) | {"path": "/bin/sh"}).encode(),
        lambda data: json.dumps(json.loads(data) | {"schemaVersion": True}).encode(),
        lambda data: json.dumps(json.loads(data) | {"passed": 1}).encode(),
        lambda data: json.dumps(json.loads(data) | {"size": False}).encode(),
        lambda data: data.decode().encode("utf-16"),
    ],
)
def test_a_record_that_is_none_is_ignored_and_replaced(
    records: ProbeRecords, program: Path, tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    records.keep(program, FAILED)
    file = the_file(tmp_path)
    file.write_bytes(spoil(file.read_bytes()))
    assert records.of(program, NOW) is None
    records.keep(program, FAILED)
    assert records.of(program, NOW) == FAILED


def test_what_a_record_says_is_bounded_and_safe_to_show(
    records: ProbeRecords, program: Path, tmp_path: Path
) -> None:
    records.keep(program, FAILED)
    file = the_file(tmp_path)
    long = json.loads(file.read_bytes()) | {"reason": "\x1b[31m" + "long " * 500}
    file.write_text(json.dumps(long))
    found = records.of(program, NOW)
    assert found is not None
    assert found.reason.isprintable()
    assert len(found.reason) == LONGEST_REASON


def test_what_cannot_be_written_is_not_remembered(program: Path, tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    records = ProbeRecords(tmp_path / "store/programs")
    records.keep(program, FAILED)
    assert records.of(program, NOW) is None


def test_a_write_that_fails_leaves_no_draft(
    records: ProbeRecords, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, __: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    records.keep(program, FAILED)
    assert not list((tmp_path / "store/programs").iterdir())
