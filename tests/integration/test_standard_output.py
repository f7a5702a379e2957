"""A result that standard output does not take is never lost without a word, nor undone."""

import json
import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bed.dockless import Dockless
from bed.failures import leftovers
from bed.pushes import Pusher
from bed.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bed.dockless import Result

pytestmark = pytest.mark.sampled(11)

_FAILED = 1


@contextmanager
def full() -> "Iterator[int]":
    """Yield a file on a disk that is full."""
    with Path("/dev/full").open("wb") as file:
        yield file.fileno()


@contextmanager
def unread() -> "Iterator[int]":
    """Yield a pipe whose reader has left."""
    reads, writes = os.pipe()
    os.close(reads)
    try:
        yield writes
    finally:
        os.close(writes)


@dataclass(frozen=True, slots=True)
class Scene:
    """What the commands are about."""

    program: Dockless
    registry: Registry
    source: Path
    folder: Path

    @property
    def target(self) -> str:
        return f"{self.registry.host}/output/app:1"

    def run(self, *argv: "str | Path", into: str) -> tuple[int, str]:
        """Run a command whose standard output leads there; return the exit code and stderr."""
        program = self.program
        if into == "closed":
            closing = replace(program, before=("sh", "-c", 'exec "$0" "$@" >&-'))
            done = closing.run(*argv)
            assert done.stdout == ""
            return done.code, done.stderr
        with full() if into == "full" else unread() as descriptor:
            ended = subprocess.run(
                (program.path, *argv),
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=subprocess.PIPE,
                env=program.environment(),
                cwd=program.project,
                timeout=120,
                check=False,
            )
        return ended.returncode, ended.stderr.decode()

    def ok(self, *argv: "str | Path") -> "Result":
        done = self.program.run(*argv)
        assert done.code == 0, done.stderr
        return done


@pytest.fixture
def scene(program: Dockless, registry: Registry, oci_layout: Path, tmp_path: Path) -> Scene:
    return Scene(program, registry, oci_layout, tmp_path)


INTO = pytest.mark.parametrize("into", ["closed", "full", "unread"])


def judge(code: int, said: str, into: str) -> None:
    """See that a lost result is a failure of one line, and a reader that left one without words."""
    assert code == _FAILED, said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    errors = [line for line in said.splitlines() if line.startswith("Error:")]
    assert len(errors) == (0 if into == "unread" else 1), said
    if errors:
        assert errors[0].startswith("Error: Standard output cannot be written: ")
        assert "is kept" in said


@INTO
@pytest.mark.parametrize("output", ["text", "json"])
@pytest.mark.parametrize("engine", ["auto", "direct"])
def test_a_push_stays_done_and_says_so(scene: Scene, into: str, output: str, engine: str) -> None:
    argv = ("push", scene.source, "--image", scene.target, "--engine", engine, "--format", output)
    digest_file = scene.folder / "digest"
    code, said = scene.run(*argv, "--digest-file", digest_file, into=into)
    judge(code, said, into)
    assert "Pushed " in said or "already there" in said
    pusher = Pusher(scene.program, scene.registry, scene.folder)
    assert digest_file.read_text().strip() == pusher.digest("output/app:1")
    assert leftovers(scene.program) == []


@INTO
@pytest.mark.parametrize("output", ["text", "json"])
def test_so_does_a_mirror_and_its_receipt_is_whole(scene: Scene, into: str, output: str) -> None:
    receipt = scene.folder / "receipt.json"
    argv = ("mirror", scene.source, "--to", f"{scene.registry.host}/output", "--as", "mirrored/app")
    code, said = scene.run(*argv, "--format", output, "--receipt", receipt, into=into)
    judge(code, said, into)
    assert json.loads(receipt.read_text())["finished"]
    assert scene.ok("verify", receipt).stdout
    code, said = scene.run("verify", receipt, into=into)
    judge(code, said, into)


def _bundle(scene: Scene) -> None:
    scene.ok("bundle", "create", "-o", scene.folder / "b", scene.source, "--as", "a/b")


def _nothing(scene: Scene) -> None:
    del scene


COMMANDS: "dict[str, tuple[Callable[[Scene], None], tuple[str, ...]]]" = {
    "bundle list": (_bundle, ("bundle", "list", "FOLDER/b")),
    "bundle list, json": (_bundle, ("bundle", "list", "FOLDER/b", "--format", "json")),
    "bundle verify": (_bundle, ("bundle", "verify", "FOLDER/b")),
    "bundle create": (
        _nothing,
        ("bundle", "create", "-o", "FOLDER/c.tar", "SOURCE", "--as", "a/b"),
    ),
    "push --dry-run": (_nothing, ("push", "SOURCE", "--image", "TARGET", "--dry-run")),
    "push --dry-run, json": (
        _nothing,
        ("push", "SOURCE", "--image", "TARGET", "--dry-run", "--format", "json"),
    ),
    "push --explain": (_nothing, ("push", "SOURCE", "--image", "TARGET", "--explain")),
    "mirror --dry-run": (
        _nothing,
        ("mirror", "SOURCE", "--to", "HOST/x", "--as", "a/b", "--dry-run"),
    ),
    "whoami, json": (_nothing, ("whoami", "--format", "json")),
    "doctor": (_nothing, ("doctor",)),
    "doctor, json": (_nothing, ("doctor", "--format", "json")),
    "cache info": (_nothing, ("cache", "info")),
    "cache prune": (_nothing, ("cache", "prune")),
    "tools list": (_nothing, ("tools", "list")),
    "tools list, json": (_nothing, ("tools", "list", "--format", "json")),
    "tools path": (_nothing, ("tools", "path", "crane")),
    "--version": (_nothing, ("--version",)),
    "push --help": (_nothing, ("push", "--help")),
}


@INTO
@pytest.mark.parametrize(("before", "argv"), COMMANDS.values(), ids=COMMANDS)
def test_every_command_says_that_its_result_is_lost(
    scene: Scene, into: str, before: "Callable[[Scene], None]", argv: tuple[str, ...]
) -> None:
    before(scene)
    told = {"SOURCE": str(scene.source), "TARGET": scene.target}
    given = [
        told.get(
            each, each.replace("FOLDER", str(scene.folder)).replace("HOST", scene.registry.host)
        )
        for each in argv
    ]
    judge(*scene.run(*given, into=into), into)


@pytest.mark.parametrize("into", ["closed", "full", "unread"])
def test_docker_is_told_that_a_login_could_not_be_given(scene: Scene, into: str) -> None:
    helper = replace(scene, program=scene.program.script("docker-credential-dockless"))
    code, said = helper.run("version", into=into)
    assert code == _FAILED
    assert "Traceback" not in said
    assert "Exception ignored" not in said


@INTO
@pytest.mark.parametrize("argv", [("push", "nosuch.tar", "--image", "a/b"), ("nosuch",)])
def test_an_error_keeps_its_code(scene: Scene, into: str, argv: tuple[str, ...]) -> None:
    code, said = scene.run(*argv, into=into)
    assert code == (3 if argv[0] == "push" else 2)
    assert said
