"""Who we are to a registry: the first place that knows says so.

The places, in order: the command line or a prompt; `DOCKLESS_PASSWORD`; Docker's file; containers'
files, each with the credential helpers that it names. A place is only looked at when every place
before it had nothing. When none has anything, we are anonymous.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dockless.credentials import helpers, stores
from dockless.credentials.helpers import Helper
from dockless.model.errors import UsageError
from dockless.model.reference import Repository
from dockless.model.secret import Credential, Secret


@dataclass(frozen=True, slots=True)
class Given:
    """What was given for this push.

    Attributes:
        username: The username on the command line; when there is one, no other may be used.
        password: The password on the command line, on stdin or at a prompt.
        account: The username by the settings, wherever it was set; it goes with a password that
            came without one.
    """

    username: str = ""
    password: Secret | None = None
    account: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What the search for a credential came to.

    Attributes:
        credential: Who we are, or None for anonymous.
        asked: Every place that was looked at, in order, each with what it had.
    """

    credential: Credential | None
    asked: tuple[str, ...]


_Answer = tuple[Credential | None, str]


def find(repository: Repository, given: Given, environment: Mapping[str, str], home: Path) -> Found:
    """Return the first credential that there is for a repository, running helpers as needed.

    A helper for every registry (`credsStore`) is passed over when it is not installed: Docker
    Desktop leaves that setting behind, and it must not stop a push that can do without.

    Args:
        repository: Where the push goes.
        given: What was given for this push.
        environment: For `DOCKLESS_USERNAME`, `DOCKLESS_PASSWORD`, the paths of the files, and the
            helpers that run in it.
        home: The user's home folder.

    Raises:
        UsageError: A password is empty or has no username, or a file cannot be read.
        AuthError: A helper is missing, fails or hangs.
    """

    def ask(helper: Helper) -> _Answer:
        if helper.optional and not helpers.installed(helper, environment):
            return None, f"{helper.program} is not installed"
        credential = helpers.ask(helper, environment)
        return credential, f"{helper.program} has {_title(credential)}"

    return _search(_places(repository, given, environment, home), given.username, ask)


def explain(
    repository: Repository, given: Given, environment: Mapping[str, str], home: Path
) -> Found:
    """Return what `find` would, as if every helper had nothing; reads files, runs no program.

    Raises:
        UsageError: A password is empty or has no username, or a file cannot be read.
    """

    def ask(helper: Helper) -> _Answer:
        is_there = helpers.installed(helper, environment)
        return None, f"{helper.program} {'would be asked' if is_there else 'is not installed'}"

    return _search(_places(repository, given, environment, home), given.username, ask)


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    look: Callable[[], tuple[Credential | Helper, ...]]


def _places(
    repository: Repository, given: Given, environment: Mapping[str, str], home: Path
) -> tuple[_Place, ...]:
    files = (stores.docker_file(environment, home), *stores.containers_files(environment, home))
    return (
        _Place("command line", partial(_from_command_line, given)),
        _Place("environment", partial(_from_environment, given, environment)),
        *(_Place(str(file), partial(stores.read, file, repository)) for file in files),
    )


def _search(places: tuple[_Place, ...], username: str, ask: Callable[[Helper], _Answer]) -> Found:
    asked: list[str] = []
    for place in places:
        for candidate in place.look() or (None,):
            if isinstance(candidate, Helper):
                credential, what = ask(candidate)
            else:
                credential, what = candidate, _title(candidate)
            if credential and username and credential.username != username:
                credential, what = None, f"{what}, not {username}"
            asked.append(f"{place.name}: {what}")
            if credential:
                return Found(credential, tuple(asked))
    return Found(None, tuple(asked))


def _title(credential: Credential | None) -> str:
    if credential is None:
        return "nothing"
    return credential.username or "an identity token"


def _from_command_line(given: Given) -> tuple[Credential, ...]:
    if given.password is None:
        return ()
    return (_login(given.username or given.account, given.password, "command line"),)


def _from_environment(given: Given, environment: Mapping[str, str]) -> tuple[Credential, ...]:
    password = Secret(environment.get("DOCKLESS_PASSWORD", ""))
    if not password:
        return ()
    username = environment.get("DOCKLESS_USERNAME") or given.username or given.account
    return (_login(username, password, "environment"),)


def _login(username: str, password: Secret, origin: str) -> Credential:
    if not password:
        raise UsageError(
            f"The password from the {origin} is empty.",
            "Check what was meant to hold it, such as a variable that is not set.",
        )
    if not username:
        raise UsageError(
            f"There is a password from the {origin}, but no username.",
            "Add --username, or set DOCKLESS_USERNAME.",
        )
    if ":" in username:
        # Not shown: what follows the colon may be a password.
        raise UsageError(
            f"The username that goes with the password from the {origin} has a colon in it.",
            "Give the username alone; the password has its own option.",
        )
    return Credential(username, password, origin=origin)
