"""No name from outside begins a line of its own, in the output of any command."""

import ast
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

import dockless.cli
from dockless.cli import main
from dockless.cli.main import dockless as command
from dockless.errors import DocklessError
from dockless.processes import stops

BREAKS = ("\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029", "\x1c")
FORGED = "999 of 999 are right"
NAME = f"x.tar failed.{''.join(f'{each}{FORGED}' for each in BREAKS)}{BREAKS[0]}.tar"
TO = "127.0.0.1:1/m"
DIGEST = f"sha256:{'a' * 64}"

Said = Callable[..., str]


@pytest.fixture
def name() -> str:
    """A name in which a line stands that a command might say, after a break of each kind."""
    return NAME


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def said(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Said]:
    """Run a command line as `main` does; return all that it prints, in which no line is forged."""
    assert folder.is_dir()

    def run(*arguments: str) -> str:
        try:
            command.main(list(arguments), standalone_mode=False)
        except (DocklessError, click.ClickException) as error:
            main._ending(error)
        except SystemExit:
            pass
        shown = capsys.readouterr()
        lines = f"{shown.out}\n{shown.err}".splitlines()
        assert not [line for line in lines if line.lstrip().startswith(FORGED[:10])], arguments
        return shown.out + shown.err

    yield run
    stops.end_by(None)


def receipt(path: Path, **changed: object) -> str:
    document: dict[str, object] = {
        "receiptVersion": 1,
        "target": TO,
        "finished": "2026-11-30T01:02:03Z",
        "versions": {},
        "bundles": {},
        "images": [],
        "failures": [],
        **changed,
    }
    path.write_text(json.dumps(document))
    return str(path)


@pytest.mark.parametrize(
    "arguments",
    [
        ("push", "{}"),
        ("push", "./{}"),
        ("push", "x.tar", "--image", "{}"),
        ("push", "x.tar", "--image", f"{TO}/x:1", "--tag", "{}"),
        ("push", "x.tar", "--image", f"{TO}/x:1", "--platform", "{}"),
        ("push", "x.tar", "{}"),
        ("mirror", "{}", "--to", TO),
        ("mirror", "{}", "{}2", "--to", TO, "-q"),
        ("mirror", "{}", "./{}", "--to", TO, "-q", "--dry-run"),
        ("mirror", "-f", "{}", "--to", TO),
        ("mirror", "x.tar", "--to", "{}"),
        ("mirror", "x.tar", "--to", TO, "--map", "{}"),
        ("mirror", "x.tar", "--to", TO, "--shard", "{}"),
        ("mirror", "x.tar", "--to", TO, "--receipt", "no/{}"),
        ("bundle", "create", "{}", "-o", "out.tar"),
        ("bundle", "create", "{}", "y.tar", "-o", "{}.tar", "--keep-going", "-q"),
        ("bundle", "list", "{}"),
        ("bundle", "verify", "{}"),
        ("bundle", "{}"),
        ("verify", "{}"),
        ("verify", "{}", "--merge", "{}"),
        ("login", "{}"),
        ("logout", "{}"),
        ("whoami", "{}"),
        ("doctor", "{}"),
        ("hosts", "--hosts", "{}"),
        ("tools", "which", "{}"),
        ("tools", "install", "--from", "{}"),
        ("cache", "info", "{}"),
        ("cache", "{}"),
        ("completion", "{}"),
        ("{}",),
        ("push", "--{}"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("exists", [True, False])
def test_no_name_that_is_given_begins_a_line(
    said: Said, folder: Path, name: str, arguments: tuple[str, ...], *, exists: bool
) -> None:
    if exists:
        (folder / name).write_text("junk")
    assert said(*(each.replace("{}", name) for each in arguments)).strip()


@pytest.mark.parametrize("option", ["-q", "--dry-run", "--format=json", "--no-referrers"])
def test_no_name_in_a_folder_or_a_list_begins_a_line(
    said: Said, folder: Path, name: str, option: str
) -> None:
    (folder / "d").mkdir()
    (folder / "d" / name).write_text("junk")
    (folder / "d" / "y.tar").write_text("junk")
    assert "arrive" in said("mirror", "d", "--to", TO, option)
    (folder / "list").write_text(f"./d/{name}\ndocker://{name}\n/no/such.tar\n")
    assert "arrive" in said("mirror", "-f", "list", "--to", TO, option)
    assert "d" in said("bundle", "create", "d", "-o", "out.tar", "--keep-going")


@pytest.mark.parametrize("member", ["source", "name", "message"])
def test_nothing_in_a_receipt_begins_a_line(
    said: Said, folder: Path, name: str, member: str
) -> None:
    words = {"source": "x.tar", "name": "x", "message": "It is cut short.", member: name}
    message = words.pop("message")
    error = {"kind": "source", "message": message, "remedy": name, "exitCode": 3}
    failures = [{**words, "references": [], "error": error}]
    path = receipt(folder / "failed.json", failures=failures)
    assert "did not arrive" in said("verify", path)
    pending = [{"source": name, "name": name, "references": []}]
    path = receipt(folder / f"{name}.json", pending=pending, finished=None)
    assert "had not been tried" in said("verify", path)
    assert said("verify", receipt(folder / "odd.json", target=name))


@pytest.mark.parametrize("host", ["{}", "ssh://{}", "deploy@{}"])
def test_no_server_of_a_project_begins_a_line(
    said: Said, folder: Path, name: str, host: str
) -> None:
    (folder / "config").mkdir()
    deploy = {"service": "shop", "image": "acme/shop", "servers": [host.replace("{}", name)]}
    (folder / "config" / "deploy.yml").write_text(json.dumps(deploy))
    assert said("hosts")
    assert said("push", "--explain")


def test_messages_are_written_as_one_line() -> None:
    """Only a few places write a message of several lines, whose parts are escaped."""
    several = {("main.py", "_end"), ("main.py", "_ending"), ("terminal.py", "tell")}
    several |= {("output.py", each) for each in ("result", "outcomes", "hosts")}
    found = set()
    folder = Path(dockless.cli.__file__).parents[1]
    for path in folder.rglob("*.py"):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                found |= {
                    (path.name, function.name)
                    for call in ast.walk(function)
                    if isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Name)
                    and call.func.id == "say"
                    and any(each.arg == "err" for each in call.keywords)
                }
    assert found == several
