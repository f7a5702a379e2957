"""Command lines that cannot work, each with its exit code and its whole message.

They stand in `wrong_command_lines.txt`, which is for people: read there what a change does to them.
`make messages` writes that file from what is said now.
"""

import importlib
import io
import json
import os
import re
import shlex
import socket
import sys
import tarfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import click
import pytest
from msgspec import Struct

from bed.serving import serving
from dockless.cli.main import _ending, dockless

importlib.import_module("dockless.transport.deadline")  # its sockets are to be the real ones

TABLE = Path(__file__).with_name("wrong_command_lines.txt")
_WRITE = "WRITE_MESSAGES"
_CASE = re.compile(r"((?:^(?:#.*)?\n)*)^\$ (.*)\n((?:^(?!\$ |#).*\n)*)", re.MULTILINE)
_TIMES = re.compile(r"in \d+\.\d s( \([\d.]+ .?B/s\))?")
_PLACES = ("CLOSED", "EMPTY", "LOCKED")

Ends = Callable[[str], str]


class Case(Struct, frozen=True):
    """A command line.

    Attributes:
        heading: What stands above it in the table.
        line: As in a shell: `cd FOLDER &&` and variables in front, `< FILE` at the end.
        ends: The exit code, and what is on standard error; after `stdout:` what is there.
    """

    heading: str
    line: str
    ends: str


def cases() -> tuple[Case, ...]:
    """Return the cases of the table."""
    found = _CASE.findall(TABLE.read_text(encoding="utf-8"))
    return tuple(Case(heading, line, ends.strip()) for heading, line, ends in found)


CASES = cases()


@pytest.fixture(scope="module")
def said() -> Iterator[dict[str, str]]:
    """What was said, by command line; it becomes the table where that is asked for."""
    ends: dict[str, str] = {}
    yield ends
    if os.environ.get(_WRITE):
        blocks = [f"$ {each.line}\n{ends.get(each.line, each.ends)}" for each in CASES]
        headings = [each.heading.strip() for each in CASES]
        texts = (
            f"{heading}\n\n{block}" if heading else block
            for heading, block in zip(headings, blocks, strict=True)
        )
        TABLE.write_text("\n\n".join(texts) + "\n", encoding="utf-8")


class Registry(BaseHTTPRequestHandler):
    """A registry that has nothing, and wants nobody's login."""

    def do_GET(self) -> None:
        """Say that the registry is there, and nothing else."""
        self._answer(200 if self.path.startswith("/v2/") and self.path[4:] == "" else 404)

    def do_HEAD(self) -> None:
        """Do the same."""
        self.do_GET()

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class Locked(Registry):
    """A registry that lets nobody in."""

    def do_GET(self) -> None:
        """Refuse."""
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="shop"')
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def places(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Addresses of loopback by their words in the table.

    No one listens at CLOSED; EMPTY is a registry without images, LOCKED one that lets nobody in.
    """
    request.getfixturevalue("socket_enabled")
    with (
        socket.socket() as taken,
        ThreadingHTTPServer(("127.0.0.1", 0), Registry) as empty,
        ThreadingHTTPServer(("127.0.0.1", 0), Locked) as locked,
        serving(empty),
        serving(locked),
    ):
        taken.bind(("127.0.0.1", 0))  # so that nobody else gets it
        ports = (taken.getsockname()[1], empty.server_port, locked.server_port)
        yield {word: f"127.0.0.1:{port}" for word, port in zip(_PLACES, ports, strict=True)}


def archive(path: Path, parts: dict[str, bytes]) -> Path:
    """Write a tar of files."""
    with tarfile.open(path, "w") as tar:
        for name, data in parts.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def saved(path: Path, *images: str) -> Path:
    """Write images without layers, as `docker save` does."""
    parts: dict[str, object] = {}
    for image in images:
        parts[f"{image.partition(':')[0]}.json"] = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": {"name": image}},
            "rootfs": {"type": "layers", "diff_ids": []},
        }
    listed = [
        {"Config": config, "RepoTags": [image], "Layers": []}
        for config, image in zip(list(parts), images, strict=True)
    ]
    parts["manifest.json"] = listed
    return archive(path, {name: json.dumps(data).encode() for name, data in parts.items()})


@pytest.fixture
def files(project: Path) -> Path:
    """The folder where the command lines are typed."""
    whole = saved(project / "shop.tar", "shop:v1").read_bytes()
    saved(project / "two.tar", "shop:v1", "docs:v1")
    archive(project / "rootfs.tar", {"bin/sh": b"x", "etc/passwd": b"x"})
    texts = {
        "notes.txt": "call Ann\n",
        "secret.txt": "s3cret\n",
        "empty.txt": "",
        "images.txt": "shop.tar\nlost.tar\n",
        "broken.json": "{",
        "other.json": "{}",
        "app/Dockerfile": "FROM scratch\n",
        "kamal/config/deploy.yml": "service: shop\nimage: acme/shop\n"
        "servers: [192.0.2.1, 192.0.2.2]\nregistry: {username: ann, password: [TOKEN]}\n",
        "docs/index.html": "<html>\n",
    }
    for name, text in texts.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    (project / "cut.tar").write_bytes(whole[:600])
    return project


@pytest.fixture
def ends(
    files: Path,
    empty_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> Ends:
    """Run a command line without programs, daemons and logins; return its code and its words."""
    settings = {
        "PATH": str(files / "no-programs"),
        "COLUMNS": "100",
        "DOCKER_HOST": f"unix://{files}/no.sock",
        "CONTAINER_HOST": f"unix://{files}/no.sock",
        "XDG_RUNTIME_DIR": str(files / "no-run"),
        "DOCKLESS_KEYRING": "bed.jsonring.JsonKeyring",
        "JSON_KEYRING": str(empty_home / "keyring.json"),
    }

    def run(line: str) -> str:
        uses = any(word in line for word in _PLACES)
        places: dict[str, str] = request.getfixturevalue("places") if uses else {}
        words = shlex.split(line)
        if words[0] == "cd":
            monkeypatch.chdir(words[1])
            words = words[3:]
        given = dict(settings)
        while "=" in words[0]:
            name, _, value = words.pop(0).partition("=")
            given[name] = value
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        source = os.devnull
        if words[-2:-1] == ["<"]:
            *words, _, source = words
        for word, place in places.items():
            words = [each.replace(word, place) for each in words]
        code: object = 0
        with Path(source).open(encoding="utf-8") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            try:
                code = dockless.main(words[1:], prog_name=words[0], standalone_mode=False) or 0
            except (Exception, click.exceptions.Exit) as error:  # noqa: BLE001 - as `main` does
                code = _ending(error)
        shown = capsys.readouterr()
        text = f"exit {code}\n{shown.err}" + (f"stdout:\n{shown.out}" if shown.out else "")
        seen = {str(files): "/home/ann/shop", str(empty_home): "/home/ann"}
        for place, word in (seen | {place: word for word, place in places.items()}).items():
            text = text.replace(place, word)
        return "\n".join(each.rstrip() for each in _TIMES.sub("in N s", text).splitlines())

    return run


@pytest.mark.parametrize("case", CASES, ids=[each.line for each in CASES])
def test_a_wrong_command_line_says_what_happened_and_what_to_do(
    case: Case, ends: Ends, said: dict[str, str]
) -> None:
    said[case.line] = ends(case.line)
    if not os.environ.get(_WRITE):
        assert said[case.line] == case.ends


def test_no_message_of_the_table_is_that_of_a_bug() -> None:
    assert len(CASES) >= 60
    assert not [each.line for each in CASES if re.match("exit (1|70)\\b", each.ends)]
