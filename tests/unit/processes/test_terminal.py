import ast
import contextlib
import errno
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

import dockless
from bed.syntax import trees
from dockless import concurrency
from dockless.errors import PushError
from dockless.processes import terminal
from dockless.processes.terminal import put, relay, say, write_line

SOURCE = Path(dockless.__file__).parent
OWNERS = {
    "processes/terminal.py": "the owner",
    "cli/prompts.py": "questions, which click asks with text that is made visible before",
    "cli/credential_helper.py": "the credential-helper protocol, in JSON and to a program",
}


class Broken(io.StringIO):
    """A stream behind which nobody is any more."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self._number = number

    def write(self, _: str, /) -> int:
        raise OSError(self._number, os.strerror(self._number))


def test_what_is_said_is_visible(capsys: pytest.CaptureFixture[str]) -> None:
    say("evil\x1b]0;title\x07")
    say("evil\u202e", err=True)
    relay("built\x9b\n")
    assert capsys.readouterr() == ("evil\\x1b]0;title\\x07\n", "evil\\u202e\nbuilt\\x9b\n")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "koi8-r", "cp1252"])
def test_a_terminal_of_any_encoding_takes_any_text(encoding: str) -> None:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding=encoding)
    write_line(stream, "日本 Zürich ж 🐳 \udcff")
    assert data.getvalue().decode(encoding).endswith("\\U0001f433 \\udcff\n")


@pytest.mark.parametrize("number", [errno.EIO, errno.EPIPE, errno.ENOSPC, errno.ENXIO])
def test_nobody_misses_talk_where_nobody_is(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(number))
    say("talk", err=True)
    relay("talk")
    write_line(sys.stderr, "talk")
    put(sys.stderr, "talk")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_result_that_cannot_be_written_is_an_error(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(number))
    with pytest.raises(PushError, match=os.strerror(number)):
        say("result")


def test_nobody_who_reads_the_result_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Broken(errno.EPIPE))
    with pytest.raises(BrokenPipeError):
        say("result")


@pytest.mark.parametrize("arguments", [("--help",), ("--version",), ("cache", "info")])
def test_a_full_disk_behind_standard_output_is_said(arguments: tuple[str, ...]) -> None:
    script = "import sys; from dockless.cli.main import main; sys.argv[0] = 'dockless'; main()"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            (sys.executable, "-c", script, *arguments),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr.count("No space left on device")) == (1, 1)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


@pytest.mark.parametrize("arguments", [("push", "nosuch.tar"), ("nosuch",), ("verify", "nosuch")])
def test_a_terminal_that_is_gone_changes_no_exit_code(arguments: tuple[str, ...]) -> None:
    script = "import sys; from dockless.cli.main import main; sys.argv[0] = 'dockless'; main()"
    codes = []
    for path in ("/dev/full", os.devnull):
        with Path(path).open("wb") as stream:
            argv = (sys.executable, "-c", script, *arguments)
            codes.append(subprocess.run(argv, stderr=stream, check=False).returncode)
    assert codes[0] == codes[1] in (2, 3)


def _prints(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in ("print", "click.echo", "click.secho", "click.prompt", "click.confirm"):
                yield called
            if called.startswith(("sys.stdout", "sys.stderr")) and called.endswith("write"):
                yield called


def test_nothing_else_prints() -> None:
    found = {path: sorted(set(_prints(tree))) for path, tree in trees(SOURCE)}
    assert {name: calls for name, calls in found.items() if calls and name not in OWNERS} == {}


def test_nothing_else_parses_json() -> None:
    # what is nested too deeply raises RecursionError, which no caller thinks of
    owners = {"oci/untrusted_json.py", "registry/referrers_list.py"}
    found = {
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.py"))
        if "json.loads(" in path.read_text() or "json.load(" in path.read_text()
    }
    assert found <= owners


LONG = 5_000_000


@pytest.mark.parametrize("word", ["x", "a b ", "\x1b[2J", "é", "🐳"])
def test_no_line_of_a_message_is_of_any_length(
    capsys: pytest.CaptureFixture[str], word: str
) -> None:
    text = f"web1: {word * LONG}\n{'one line of a table' * 50}\nThe end."
    say(text, err=True)
    told = capsys.readouterr().err
    assert len(told) < 50_000
    first, second, last = told.splitlines()
    assert first.startswith("web1: ")
    assert first.endswith("… (shortened)")
    assert (second, last) == ("one line of a table" * 50, "The end.")


def test_a_table_of_many_lines_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"host{number}  ok" for number in range(10_000))
    say(rows, err=True)
    assert capsys.readouterr().err == f"{rows}\n"


def test_an_archive_goes_to_standard_output_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = bytes(range(256)) * 3
    with (tmp_path / "out").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        assert terminal.StandardOutput().write(data) == len(data)
        assert terminal.HAS_RESULT.is_set()
        assert not terminal.is_shown()
        assert (tmp_path / "out").read_bytes() == data


def test_a_full_disk_under_an_archive_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with pytest.raises(PushError, match="Standard output cannot be written: No space"):
            terminal.StandardOutput().write(b"x" * 100_000)


def test_the_reader_of_an_archive_may_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as file:
        monkeypatch.setattr(sys, "stdout", file)
        with pytest.raises(BrokenPipeError):
            terminal.StandardOutput().write(b"x" * 100_000)


@pytest.fixture
def unread() -> Iterator[TextIO]:
    """A pipe that is full, and that nobody reads."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        yield stream
    os.close(reading)
    concurrency.end_by(None)


@pytest.mark.parametrize("text", ["x", "a line\n", "long " * 5000])
@pytest.mark.parametrize("writers", [1, 4])
@pytest.mark.timeout(60)
def test_a_message_that_nobody_reads_is_given_up_with_the_limit_of_time(
    unread: TextIO, text: str, writers: int
) -> None:
    threads = [threading.Thread(target=put, args=(unread, text)) for _ in range(writers)]
    for each in threads:
        each.start()
    concurrency.end_by(time.monotonic())
    for each in threads:
        each.join()
    put(unread, text)  # which goes nowhere now
    unread.flush()


@pytest.mark.parametrize("writers", [1, 4])
def test_a_reader_that_comes_back_gets_every_message_whole(writers: int) -> None:
    reading, writing = os.pipe()
    lines = [f"{number} {'words ' * 3000}\n" for number in range(writers)]
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        threads = [threading.Thread(target=put, args=(stream, line)) for line in lines]
        for each in threads:
            each.start()
        with os.fdopen(reading, encoding="utf-8") as reader:
            got = [reader.readline() for _ in lines]
        for each in threads:
            each.join()
    assert sorted(got) == lines
