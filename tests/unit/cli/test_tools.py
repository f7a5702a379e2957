import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dockless.cli.tools import tools
from dockless.model.errors import EngineError

CRANE = "#!/bin/sh\nprintf '  tag  x\\n  --index\\n  --insecure\\n  1.2\\n'\n"
SHA256 = "0" * 64


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DOCKLESS_TOOLS_DIR", str(tmp_path / "own"))
    return tmp_path / "own"


def crane(folder: Path, text: str = CRANE) -> Path:
    path = folder / "crane"
    path.write_text(text)
    path.chmod(0o755)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(tools, arguments, catch_exceptions=False)


def test_the_list_is_a_table_with_a_line_for_each_engine(own: Path) -> None:
    path = crane(own, CRANE.replace("1.2", "0.20.7"))
    assert run("list").stdout.splitlines() == [
        f"ENGINE  VERSION  STATE    PATH{' ' * (len(str(path)) - 4)}  NOTES",
        f"crane   0.20.7   usable   {path}  refuses ./-prefixed tars: it is given OCI layouts only",
        f"skopeo  -        missing  -{' ' * (len(str(path)) - 1)}  optional",
    ]


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


def test_the_path_of_an_engine_that_is_not_there_is_an_error(own: Path) -> None:
    with pytest.raises(EngineError, match=f"neither on PATH nor in {own}"):
        run("path")


def test_a_usable_crane_is_not_installed_again(own: Path) -> None:
    path = crane(own)
    result = run("install")
    assert result.stdout == f"{path}\n"
    assert "nothing was installed" in result.stderr


def test_an_engine_from_a_file_is_installed_even_if_there_is_one(own: Path) -> None:
    theirs = crane(own.parent / "bin")
    checksum = "f" * 64
    with pytest.raises(EngineError, match=f"but {checksum} was expected"):
        run("install", "--from", str(theirs), "--sha256", checksum)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--sha256", SHA256), "go together"),
        (("--from", "FILE"), "go together"),
        (("--from", "FILE", "--sha256", "abc"), "64 hexadecimal digits"),
        (("--from", "absent", "--sha256", SHA256), "does not exist"),
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
