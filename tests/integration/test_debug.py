"""`--debug`: the requests and programs of a command on stderr, and no secret among them."""

from pathlib import Path

import pytest

from bed import secrecy
from bed.dockless import Dockless
from bed.registry import Login, Registry

ENGINES = {"crane": "crane push", "skopeo": "skopeo --", "direct": ""}


@pytest.mark.sampled(5)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("option", ["-v", "--debug"])
def test_requests_and_programs_are_shown_without_a_secret(
    program: Dockless,
    token_registry: Registry,
    login: Login,
    old_archive: Path,
    engine: str,
    option: str,
) -> None:
    image = ("--image", f"{token_registry.host}/log/{engine}:1", "--engine", engine)
    who = ("--username", login.username, "--password-stdin", "--ca-file", token_registry.ca_file)
    argv = ("push", option, old_archive, *image, *who)
    done = program.run(*argv, stdin=login.password.encode())
    assert done.code == 0, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("debug: ")]
    text = "\n".join(said)
    assert "debug: <- 401 after" in text
    assert "Authorization: Basic ***" in text
    assert "Authorization: Bearer ***" in text
    assert ENGINES[engine] in text
    if engine == "direct":
        assert "/blobs/uploads/***?" in text
        assert "_state=***" in text
    assert not any(form in done.stderr.encode() for form in secrecy.forms(login))
    assert "debug" not in done.stdout


def test_without_it_nothing_is_shown(
    program: Dockless, registry: Registry, old_archive: Path
) -> None:
    done = program.run("push", old_archive, "--image", f"{registry.host}/log/none:1")
    assert done.code == 0, done.stderr
    assert "debug" not in done.stderr


@pytest.mark.parametrize("command", [("bundle", "list"), ("cache", "info"), ("mirror",)])
def test_every_command_takes_it(program: Dockless, command: tuple[str, ...]) -> None:
    said = program.run(*command, "--help").stdout
    assert "-v, --debug" in said
