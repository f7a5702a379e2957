import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dockless.cli.tools import tools
from dockless.engines import golang, install, push_probe
from dockless.engines.probe_records import ProbeRecords
from dockless.engines.probe_result import ProbeResult
from dockless.engines.releases import GoSource, Release
from dockless.errors import EngineError

CRANE = "#!/bin/sh\nprintf '  tag  x\\n  --index\\n  --insecure\\n  1.2\\n'\n"
SHA256 = "0" * 64


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DOCKLESS_TOOLS_DIR", str(tmp_path / "own"))
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "store"))
    return tmp_path / "own"


class Probe:
    """Stands in for the push probe, for which a unit test has no sockets."""

    def __init__(self) -> None:
        self.reason = ""
        self.asked: list[Path] = []

    def __call__(
        self, _name: str, path: Path, _policy: Path | None, _: Mapping[str, str], folder: Path
    ) -> ProbeResult:
        assert folder.is_dir()
        self.asked.append(path)
        return ProbeResult(not self.reason, self.reason, time.time())


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    made = Probe()
    monkeypatch.setattr(push_probe, "probe_push", made)
    return made


def crane(folder: Path, text: str = CRANE) -> Path:
    path = folder / "crane"
    path.write_text(text)
    path.chmod(0o755)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tools, arguments, catch_exceptions=False)


def test_the_list_is_a_table_with_a_line_for_each_engine(own: Path) -> None:
    path = crane(own, CRANE.replace("1.2", "0.20.7"))
    blank = " " * (len(str(path)) - 4)
    quirk = "refuses ./-prefixed tars: it gets only OCI layouts"
    assert run("list").stdout.splitlines() == [
        f"ENGINE  VERSION  STATE    PUSH PROBE  PATH{blank}  NOTES",
        f"crane   0.20.7   usable   -           {path}  {quirk}",
        f"skopeo  -        missing  -           -   {blank}  optional",
    ]


def test_the_list_shows_the_last_push_probe_and_its_date(own: Path) -> None:
    path = crane(own)
    moment = time.time()
    day = time.strftime("%Y-%m-%d", time.gmtime(moment))
    records = ProbeRecords(own.parent / f"store/{os.geteuid()}/programs")
    records.keep(path, ProbeResult(passed=True, reason="", moment=moment))
    assert f"  usable   passed {day}  {path}" in run("list").stdout
    records.keep(path, ProbeResult(passed=False, reason="It cannot.", moment=moment))
    assert f"  faulty   failed {day}  {path}  It cannot." in run("list").stdout
    shown = json.loads(run("list", "--format", "json").stdout)["engines"]
    when = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment))
    assert shown[0]["probe"] == {"passed": False, "reason": "It cannot.", "when": when}
    assert shown[1]["probe"] is None


def test_a_check_probes_every_program_that_is_found_and_remembers_it(
    own: Path, probe: Probe
) -> None:
    theirs, ours = crane(own.parent / "bin"), crane(own)
    probe.reason = "It cannot."
    done = run("list", "--check")
    assert (done.stdout.count("failed 2"), done.exit_code) == (2, 7)
    assert probe.asked == [theirs, ours]
    assert run("list").stdout.count("failed 2") == 2
    assert probe.asked == [theirs, ours]


def test_a_check_that_every_program_passes_ends_well_and_one_without_a_check_too(
    own: Path, probe: Probe
) -> None:
    crane(own)
    assert run("list", "--check").exit_code == 0
    probe.reason = "It cannot."
    run("list", "--check")
    assert run("list").exit_code == 0
    assert "Exit code 7" in run("list", "--help").stdout


def test_a_crane_that_failed_its_probe_is_left_for_the_next_one_as_a_push_does(
    own: Path, probe: Probe
) -> None:
    theirs, ours = crane(own.parent / "bin"), crane(own, f"{CRANE}# ours\n")
    records = ProbeRecords(own.parent / f"store/{os.geteuid()}/programs")
    records.keep(theirs, ProbeResult(passed=False, reason="It cannot.", moment=time.time()))
    assert run("path").stdout == f"{ours}\n"
    done = run("install")
    assert done.stdout == f"{ours}\n"
    assert "nothing was installed" in done.stderr
    assert probe.asked == [ours]


def test_a_crane_that_fails_only_now_is_left_for_the_next_one_too(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = crane(own.parent / "bin"), crane(own)

    def probed(_: str, path: Path, *__: object) -> ProbeResult:
        return ProbeResult(path == ours, "" if path == ours else "It cannot.", time.time())

    monkeypatch.setattr(push_probe, "probe_push", probed)
    done = run("install")
    assert done.stdout == f"{ours}\n"
    assert f"{theirs} cannot push: It cannot." in done.stderr


def test_a_program_that_lacks_an_option_is_not_probed(own: Path, probe: Probe) -> None:
    crane(own, CRANE.replace("--index", ""))
    done = run("list", "--check")
    assert "unusable  -  " in done.stdout
    assert done.exit_code == 7
    assert not probe.asked


def test_the_list_in_json_has_every_program_and_why_one_cannot_push(own: Path) -> None:
    theirs = crane(own.parent / "bin", CRANE.replace("--index", ""))
    ours = crane(own)
    engines = json.loads(run("list", "--format", "json").stdout)["engines"]
    assert [(engine["path"], engine["state"]) for engine in engines] == [
        (str(theirs), "unusable"),
        (str(ours), "usable"),
        ("", "missing"),
    ]
    assert engines[0]["notes"] == [f"{theirs} is too old: it lacks --index."]
    assert engines[1]["features"] == ["--index", "--insecure", "tag"]
    assert engines[1]["version"] == "1.2"


def test_the_path_alone_is_printed(own: Path) -> None:
    path = crane(own)
    assert run("path").stdout == f"{path}\n"
    assert run("path", "crane").stdout == f"{path}\n"
    assert run("path", "--all").stdout == f"crane {path}\n"


def test_the_path_of_an_engine_that_is_not_there_is_an_error(own: Path) -> None:
    for arguments in (("path",), ("path", "skopeo"), ("path", "--all")):
        with pytest.raises(EngineError, match=f"neither on PATH nor in {own}"):
            run(*arguments)


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_all_engines_are_not_one(own: Path, engine: str) -> None:
    crane(own)
    done = run("path", engine, "--all")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--all does not go with ENGINE" in done.stderr


def test_a_crane_that_pushes_is_not_installed_again(own: Path, probe: Probe) -> None:
    path = crane(own)
    result = run("install")
    assert result.stdout == f"{path}\n"
    assert "nothing was installed" in result.stderr
    assert probe.asked == [path]


def test_a_crane_that_is_there_and_cannot_push_is_replaced(
    own: Path, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = crane(own)
    probe.reason = "It cannot."
    passed = ProbeResult(passed=True, reason="", moment=time.time())

    def installs(wanted: install.Installation, _: Release | None) -> install.Installed:
        return install.Installed(wanted.folder / "crane", passed)

    monkeypatch.setattr(install, "install", installs)
    result = run("install")
    assert result.stdout == f"{path}\n"
    assert f"{path} cannot push: It cannot." in result.stderr
    assert (
        ProbeRecords(own.parent / f"store/{os.geteuid()}/programs").of(path, time.time()) == passed
    )


def test_the_word_go_builds_crane_from_source_and_a_path_of_that_name_is_a_file(
    own: Path, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def builds(scratch: Path, source: GoSource, _: object, __: object) -> Path:
        assert source.version == "0.22.1"
        return crane(scratch)

    monkeypatch.setattr(golang, "build_crane", builds)
    monkeypatch.chdir(own.parent)
    crane(own.parent).rename(own.parent / "go")
    assert run("install", "--from", "go").stdout == f"{own / 'crane'}\n"
    assert len(probe.asked) == 1
    with pytest.raises(EngineError, match=f"but {SHA256} was expected"):
        run("install", "--from", "./go", "--sha256", SHA256)


def test_an_engine_from_a_file_is_installed_even_if_there_is_one(own: Path) -> None:
    theirs = crane(own.parent / "bin")
    checksum = "f" * 64
    with pytest.raises(EngineError, match=f"but {checksum} was expected"):
        run("install", "--from", str(theirs), "--sha256", checksum)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--sha256", SHA256), "needs --from FILE"),
        (("--from", "FILE"), "needs --sha256 HEX"),
        (("--from", "FILE", "--sha256", "abc"), "64 hexadecimal digits"),
        (("--from", "absent", "--sha256", SHA256), "does not exist"),
        (("--from", "go", "--sha256", SHA256), "verifies a pinned checksum"),
    ],
)
def test_a_checksum_and_a_file_are_needed_together(
    own: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    file = str(crane(own))
    result = run("install", *(file if word == "FILE" else word for word in arguments))
    assert result.exit_code == 2
    assert complaint in result.stderr


@pytest.mark.parametrize("command", [(), ("list",), ("install",), ("path",)])
def test_every_help_has_examples(command: tuple[str, ...]) -> None:
    assert "Examples:\n    dockless tools" in run(*command, "--help").stdout


NOWHERE = [("/dev/null",), ("/dev/null/a", "/dev/null/b"), ("/proc/version", "/dev/null")]


def nowhere(monkeypatch: pytest.MonkeyPatch, folders: tuple[str, ...]) -> None:
    """Leave no folder for temporary files that can be written to."""
    monkeypatch.setattr(
        "dockless.storage.user_folders.temporary_folders", lambda _: tuple(map(Path, folders))
    )
    monkeypatch.setenv("HOME", "/dev/null")


@pytest.mark.parametrize("folders", NOWHERE)
def test_a_probe_works_in_the_folder_of_the_store_where_there_is_no_other(
    own: Path, probe: Probe, monkeypatch: pytest.MonkeyPatch, folders: tuple[str, ...]
) -> None:
    crane(own)
    nowhere(monkeypatch, folders)
    assert run("list", "--check").exit_code == 0
    assert probe.asked


@pytest.mark.parametrize("folders", NOWHERE)
def test_a_probe_that_no_folder_is_there_for_is_an_error(
    own: Path, probe: Probe, monkeypatch: pytest.MonkeyPatch, folders: tuple[str, ...]
) -> None:
    crane(own)
    nowhere(monkeypatch, folders)
    monkeypatch.delenv("DOCKLESS_CACHE_DIR")
    with pytest.raises(EngineError, match="cannot be written to"):
        run("list", "--check")
    assert not probe.asked


@pytest.mark.parametrize("folders", NOWHERE)
@pytest.mark.parametrize("command", ["list", "path"])
def test_engines_are_listed_without_a_folder_for_the_store(
    own: Path, monkeypatch: pytest.MonkeyPatch, folders: tuple[str, ...], command: str
) -> None:
    crane(own)
    nowhere(monkeypatch, folders)
    monkeypatch.delenv("DOCKLESS_CACHE_DIR")
    done = run(command)
    assert done.exit_code == 0
    assert str(own / "crane") in done.output
