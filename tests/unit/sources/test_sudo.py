"""Container tools of a host that are run as root."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from dockless.errors import EngineError
from dockless.processes.run import Finished
from dockless.sources.known_tools import container_tools
from dockless.sources.sudo import SudoShell


class Shell:
    """A host that notes what it is asked to run, and answers all of it alike."""

    host = "build1"

    def __init__(self, answer: Finished) -> None:
        self.ran: list[tuple[str, ...]] = []
        self._answer = answer

    def has(self, name: str) -> bool:
        return name == "docker"

    def is_file(self, path: str) -> bool:
        return path == "/there"

    def script(self, script: str, stdin: bytes = b"", timeout: float | None = 60) -> Finished:
        raise AssertionError((script, stdin, timeout))

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> Finished:
        del timeout
        self.ran.append(tuple(argv))
        return self._answer

    def work(self, argv: Sequence[str], *, stdout: str = "") -> Finished:
        del stdout
        return self.run(argv)

    def run_visibly(self, argv: Sequence[str], folder: str) -> int:
        del folder
        return self.run(argv).code

    @contextmanager
    def stream(self, argv: Sequence[str]) -> Iterator[Any]:
        self.run(argv)
        yield SimpleNamespace()


def test_every_program_is_run_with_sudo_and_never_asks() -> None:
    shell = Shell(Finished(0, b"[]", ""))
    root = SudoShell(shell)
    docker, *_ = container_tools(root)
    assert docker.available()
    assert root.is_file("/there")
    assert docker.find(["shop:1"]) is None
    root.work(("docker", "save", "x"), stdout="/x")
    root.run_visibly(("docker", "build"), "/shop")
    with root.stream(("docker", "save", "x")):
        pass
    assert len(shell.ran) == 4
    assert all(argv[:3] == ("sudo", "-n", "--") for argv in shell.ran)
    assert all("docker" in argv for argv in shell.ran)


@pytest.mark.parametrize(
    ("stderr", "why"),
    [
        ("sudo: a password is required", "a password is required."),
        ("usual lecture\nsudo: a terminal is required to read the password", "a terminal is"),
        ("sudo: docker: command not found\n", "docker: command not found."),
        ("sudo: PAM account management error: \x1b[2J", "PAM account management error"),
    ],
)
@pytest.mark.parametrize("way", ["run", "work"])
def test_what_sudo_refuses_is_one_error(stderr: str, why: str, way: str) -> None:
    root = SudoShell(Shell(Finished(1, b"", stderr)))
    with pytest.raises(EngineError) as caught:
        getattr(root, way)(("docker", "version"))
    assert caught.value.what.startswith("sudo does not run docker on build1: ")
    assert why in caught.value.what
    assert "NOPASSWD" in caught.value.remedy


@pytest.mark.parametrize("stderr", ["Error: No such image: x", "", "docker: sudo: not known"])
def test_what_the_program_says_is_not_taken_for_sudo(stderr: str) -> None:
    done = Finished(1, b"", stderr)
    assert SudoShell(Shell(done)).run(("docker", "version")) == done
