import stat
from pathlib import Path

from msgspec.structs import replace

from dockless.diagnosis.engines import EngineState, check, judge
from dockless.engines.probe_result import ProbeResult

MOMENT = 1_795_000_000.0
CRANE = EngineState(name="crane", path=Path("/bin/crane"), version="0.20.7")
SKOPEO = EngineState(name="skopeo", path=Path("/bin/skopeo"), version="1.9.3")


def _states(*engines: EngineState) -> list[tuple[str, str]]:
    return [(finding.subject, finding.state) for finding in judge(engines)]


def test_two_that_can_push_are_well() -> None:
    assert _states(CRANE, SKOPEO) == [("crane", "ok"), ("skopeo", "ok")]
    first = next(judge([CRANE]))
    assert first.what == "0.20.7, /bin/crane: can push"
    assert first.facts["usable"] is True


def test_one_that_cannot_push_is_worth_a_note_with_a_remedy() -> None:
    old = replace(CRANE, unusable="/bin/crane is too old: it lacks --index.")
    found = list(judge([old, SKOPEO]))
    assert [(one.subject, one.state) for one in found] == [("crane", "note"), ("skopeo", "ok")]
    assert "it lacks --index" in found[0].what
    assert found[0].remedy.startswith("Run `dockless tools install`")


def test_that_none_can_push_is_worth_a_note_as_dockless_then_writes_itself() -> None:
    old = replace(CRANE, unusable="It is too old.")
    for engines in ((old,), ()):
        *_, last = judge(engines)
        assert (last.state, last.subject) == ("note", "crane, skopeo")
        assert last.what.startswith("neither can push: dockless writes to the registry itself")
        assert last.remedy


def test_a_missing_one_is_worth_a_note() -> None:
    assert _states(SKOPEO) == [("skopeo", "ok"), ("crane", "note")]


def test_the_last_probe_counts() -> None:
    failed = replace(CRANE, probed=ProbeResult(passed=False, reason="a symlink", moment=MOMENT))
    bad, *_ = judge([failed, SKOPEO])
    assert (bad.state, bad.facts["lastProbe"]) == ("note", False)
    assert "failed its push probe of 2026-11-18T11:06:40Z: a symlink" in bad.what
    assert "tools list --check" in bad.remedy
    assert not failed.can_push
    good, *_ = judge([replace(CRANE, probed=ProbeResult(passed=True, reason="", moment=MOMENT))])
    assert good.what.endswith("can push; passed its push probe of 2026-11-18T11:06:40Z")


def test_the_last_probe_is_asked_for_each_program_that_was_found(tmp_path: Path) -> None:
    program = tmp_path / "crane"
    program.write_text("#!/bin/sh\necho '  tag  --index --insecure'; echo '      --index'\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    asked: list[tuple[str, Path]] = []

    def last_probe(name: str, path: Path) -> None:
        asked.append((name, path))

    found = list(check({"PATH": str(tmp_path)}, tmp_path / "own", last_probe))
    assert asked == [("crane", program)]
    assert found[0].subject == "crane"
    assert str(program) in found[0].what
