"""Tokens of least power: what the engine gets, and what happens when they end or do not suffice."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bed import logins, secrecy
from bed.dockless import Dockless, Result
from bed.failures import complaint
from bed.registry import Login, Registry
from bed.tokens import IDENTITY_TOKEN, Asked, TokenService
from bed.tools import crane

# An engine that tells what it was given, and takes its time the first time that it pushes.
_SLOWLY = """#!/bin/sh
if [ "$1" = push ] && [ "$2" != --help ]; then
    cat "$REGISTRY_AUTH_FILE" >> '{folder}/given'
    if [ ! -e '{folder}/pushed' ]; then
        touch '{folder}/pushed'
        sleep {seconds}
    fi
fi
exec '{program}' "$@"
"""


@dataclass(frozen=True, slots=True)
class Bed:
    """dockless before a registry with a token service, and an engine that can be looked at."""

    program: Dockless
    registry: Registry
    tokens: TokenService
    login: Login
    archive: Path

    def slow_crane(self, seconds: float) -> "Bed":
        """Put crane behind a script that takes its time."""
        folder = self.program.folder / "slow"
        folder.mkdir()
        script = folder / "crane"
        text = _SLOWLY.format(folder=folder, seconds=seconds, program=crane())
        script.write_text(text)
        script.chmod(0o755)
        extra = {"DOCKLESS_TOOLS_DIR": str(folder), "PATH": "/usr/bin:/bin"}
        return replace(self, program=replace(self.program, extra=extra))

    @property
    def given(self) -> bytes:
        """What the slow engine was given."""
        return (self.program.folder / "slow" / "given").read_bytes()

    def push(self, *options: str | Path, password: str = "") -> Result:
        image = ("--image", f"{self.registry.host}/tokens/app:1")
        given = (password or self.login.password).encode()
        as_user = ("--username", self.login.username, "--password-stdin")
        argv = ("push", self.archive, *image, "--ca-file", self.registry.ca_file, *options)
        return self.program.run(*argv, *as_user, stdin=given)


@pytest.fixture
def bed(
    program: Dockless,
    token_registry: Registry,
    tokens: TokenService,
    login: Login,
    old_archive: Path,
) -> Bed:
    return Bed(program, token_registry, tokens, login, old_archive)


def test_crane_gets_a_token_for_this_repository_and_never_the_password(bed: Bed) -> None:
    slow = bed.slow_crane(0)
    done = slow.push()
    assert done.code == 0, done.stderr
    assert b'"registrytoken"' in slow.given
    assert not any(form in slow.given for form in secrecy.forms(bed.login))
    assert {asked.scope for asked in bed.tokens.asked} == {"repository:tokens/app:pull,push"}


def test_without_a_token_service_crane_gets_the_password(
    bed: Bed, locked_registry: Registry
) -> None:
    slow = replace(bed.slow_crane(0), registry=locked_registry)
    assert slow.push().code == 0
    assert b'"registrytoken"' not in slow.given
    assert any(form in slow.given for form in secrecy.forms(bed.login))


def test_a_push_that_outlives_its_token_gets_a_new_one(bed: Bed) -> None:
    bed.tokens.seconds = bed.tokens.says_seconds = 2
    done = bed.slow_crane(2.5).push()
    assert done.code == 0, done.stderr
    assert "The token for" in done.stderr
    assert "expired during the push. Retrying" in done.stderr


def test_a_token_that_says_nothing_of_its_end_is_taken_for_a_minute(bed: Bed) -> None:
    bed.tokens.says_seconds = None
    assert bed.push().code == 0


def test_a_token_that_has_ended_when_it_comes_is_one_clear_error(bed: Bed) -> None:
    bed.tokens.seconds = -120
    done = bed.push()
    assert "does not allow" in complaint(done, 4)
    # one for the first question, one more in case that a clock is off
    assert len(bed.tokens.asked) == 2


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_a_token_for_less_than_a_push_is_one_clear_error(bed: Bed, engine: str) -> None:
    bed.tokens.may = frozenset({"pull"})
    done = bed.push("--engine", engine)
    assert bed.registry.host in complaint(done, 4)
    assert "Retrying" not in done.stderr


def test_a_wrong_password_is_refused_by_the_token_service(bed: Bed) -> None:
    done = bed.push(password="wrong")
    assert "rejects the credential of user pusher" in complaint(done, 4)
    assert bed.tokens.asked == [Asked("GET", "pusher", "repository:tokens/app:pull,push")]


def test_an_identity_token_is_exchanged(bed: Bed) -> None:
    auths = logins.auths(bed.registry.host, Login("<token>", ""))
    entry = auths["auths"]
    assert isinstance(entry, dict)
    entry[bed.registry.host]["identitytoken"] = IDENTITY_TOKEN
    logins.docker_file(bed.program.home, auths)
    image = ("--image", f"{bed.registry.host}/tokens/app:1")
    trust = ("--ca-file", bed.registry.ca_file)
    done = bed.program.run("push", bed.archive, *image, *trust)
    assert done.code == 0, done.stderr
    assert {(asked.method, asked.user) for asked in bed.tokens.asked} == {("POST", "<token>")}


@pytest.mark.parametrize("path", ["/usr/bin:/bin", "/nonexistent"], ids=["engine", "no engine"])
def test_guests_read_where_the_token_service_lets_them(
    bed: Bed, registry: Registry, tmp_path: Path, path: str
) -> None:
    assert bed.push().code == 0
    program = replace(bed.program, extra={**bed.program.extra, "PATH": path})
    source = f"docker://{bed.registry.host}/tokens/app:1"
    target = f"{registry.host}/guests/{tmp_path.name}"
    argv = ("mirror", source, "--to", target)
    trust = {"SSL_CERT_FILE": str(bed.registry.ca_file)}
    guest = replace(program, extra={**program.extra, **trust})
    bed.tokens.asked.clear()
    denied = guest.run(*argv)
    assert denied.code == 4, denied.stderr
    bed.tokens.guests = frozenset({"pull"})
    done = guest.run(*argv)
    assert done.code == 0, done.stderr
    assert {(each.user, each.scope) for each in bed.tokens.asked} <= {
        ("", "repository:tokens/app:pull"),
        ("", ""),
    }
