"""Who we are to a registry: the first place that knows says so.

The places, in order: the command line or a prompt; `DOCKLESS_PASSWORD`; the keyring;
`config/deploy.yml`; the kind's own source of tokens; Docker's file; containers' files, each with
the credential helpers that it names. A place is only looked at when every place before it had
nothing. When none has anything, we are anonymous.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from dockless.credentials import helpers, stores
from dockless.credentials.helpers import Helper
from dockless.credentials.scopes import scopes
from dockless.credentials.ways import Way
from dockless.model.errors import AuthError, DocklessError, UsageError
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
class Configured:
    """The login that the project's own configuration has for one registry.

    Attributes:
        host: The registry's host.
        origin: Where it stands, in words for people.
        username: Gives the account, empty when there is none.
        password: Gives the password; both may read files and run programs, and raise what these
            raise.
    """

    host: str
    origin: str
    username: Callable[[], str]
    password: Callable[[], Secret]


class Keyring(Protocol):
    """A keyring that holds logins. Its methods raise AuthError when it cannot answer."""

    @property
    def name(self) -> str:
        """What it is called."""

    def get(self, scope: str, username: str = "") -> Credential | None:
        """Return the login of this user, or of the scope's default one, or None."""

    def cached(self, scope: str, identity: str) -> Credential | None:
        """Return the token that this identity got for a scope and that has not ended, or None."""

    def cache(self, scope: str, credential: Credential, identity: str) -> None:
        """Keep a token until it ends."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a credential may come from.

    Attributes:
        environment: For `DOCKLESS_USERNAME`, `DOCKLESS_PASSWORD`, the paths of the files, and the
            helpers that run in it.
        home: The user's home folder.
        keyrings: Gives the keyrings of this machine, the preferred one first.
        configured: The login of the project's configuration.
        ways: The registry kind's own sources of tokens.
        identity: Who these give tokens as, in a form that tells one from another.
    """

    environment: Mapping[str, str]
    home: Path
    keyrings: Callable[[], Sequence[Keyring]] = tuple
    configured: Configured | None = None
    ways: Sequence[Way] = ()
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What the search for a credential came to.

    Attributes:
        credential: Who we are, or None for anonymous.
        asked: Every place that was looked at, in order, each with what it had.
        troubles: What people should hear of places that could not answer, one sentence each.
    """

    credential: Credential | None
    asked: tuple[str, ...]
    troubles: tuple[str, ...] = ()


def find(repository: Repository, given: Given, sources: Sources) -> Found:
    """Return the first credential that there is for a repository, running helpers as needed.

    A helper for every registry (`credsStore`) is passed over when it is not installed: Docker
    Desktop leaves that setting behind, and it must not stop a push that can do without. A keyring
    that is locked or hangs is passed over too, and told of in `troubles`.

    Args:
        repository: Where the push goes.
        given: What was given for this push.
        sources: Where else to look.

    Raises:
        UsageError: A password is empty or has no username, or a file cannot be read.
        AuthError: A helper is missing, fails or hangs.
    """
    return _search(_places(repository, given, sources), given.username, run=True)


def explain(repository: Repository, given: Given, sources: Sources) -> Found:
    """Return what `find` would, as if every program had nothing; reads files and the keyring.

    Raises:
        UsageError: A password is empty or has no username, or a file cannot be read.
    """
    return _search(_places(repository, given, sources), given.username, run=False)


@dataclass(frozen=True, slots=True)
class _Place:
    """One place to look at.

    Attributes:
        name: What it is called.
        look: Gives the credential, or why there is none.
        program: The program or service that `look` asks, empty when it only reads.
        missing: Why that cannot be asked here, empty when it can.
        required: Whether it has to be asked even when it is missing, for the error of that.
        essential: Whether a failure there ends the search.
    """

    name: str
    look: Callable[[], Credential | str]
    program: str = ""
    missing: str = ""
    required: bool = False
    essential: bool = True


_NOTHING = "nothing"


def _places(repository: Repository, given: Given, sources: Sources) -> Iterator[_Place]:
    yield _Place("command line", partial(_from_command_line, given))
    yield _Place("environment", partial(_from_environment, given, sources.environment))
    for keyring in sources.keyrings():
        look = partial(_from_keyring, keyring, repository, given)
        yield _Place(keyring.name, look, essential=False)
    if sources.configured and sources.configured.host == repository.host:
        configured = sources.configured
        read = partial(_from_configuration, configured, given)
        yield _Place(configured.origin, read, program="its secret")
    for way in sources.ways:
        kept = partial(kept_token, repository.host, way, sources.keyrings(), sources.identity)
        yield _Place(way.name, kept, way.name, way.missing)
    files = (
        stores.docker_file(sources.environment, sources.home),
        *stores.containers_files(sources.environment, sources.home),
    )
    for file in files:
        for entry in stores.read(file, repository) or (None,):
            yield _of_file(file, entry, sources.environment)


def _of_file(
    file: Path, entry: Credential | Helper | None, environment: Mapping[str, str]
) -> _Place:
    if not isinstance(entry, Helper):
        return _Place(str(file), lambda: entry or _NOTHING)
    there = helpers.installed(entry, environment)
    return _Place(
        str(file),
        lambda: helpers.ask(entry, environment) or f"{entry.program} has {_NOTHING}",
        entry.program,
        "" if there else f"{entry.program} is not installed",
        required=not entry.optional,
    )


def _search(places: Iterator[_Place], username: str, *, run: bool) -> Found:
    asked: list[str] = []
    troubles: list[str] = []
    for place in places:
        credential, what = _look(place, troubles, run=run)
        if credential and username and credential.username != username:
            credential, what = None, f"{what}, not {username}"
        asked.append(f"{place.name}: {what}")
        if credential:
            return Found(credential, tuple(asked), tuple(troubles))
    return Found(None, tuple(asked), tuple(troubles))


def _look(place: _Place, troubles: list[str], *, run: bool) -> tuple[Credential | None, str]:
    if place.missing and not (run and place.required):
        return None, place.missing
    if place.program and not run:
        return None, f"{place.program} would be asked"
    try:
        found = place.look()
    except DocklessError as error:
        if place.essential:
            raise
        troubles.append(str(error))
        return None, error.what
    if isinstance(found, str):
        return None, found
    title = found.username or "an identity token"
    return found, f"{place.program} has {title}" if place.program else title


def _from_command_line(given: Given) -> Credential | str:
    if given.password is None:
        return _NOTHING
    return login(given.username or given.account, given.password, "command line")


def _from_environment(given: Given, environment: Mapping[str, str]) -> Credential | str:
    password = Secret(environment.get("DOCKLESS_PASSWORD", ""))
    if not password:
        return _NOTHING
    username = environment.get("DOCKLESS_USERNAME") or given.username or given.account
    return login(username, password, "environment")


def _from_keyring(keyring: Keyring, repository: Repository, given: Given) -> Credential | str:
    """Return what the keyring has for the narrowest scope, and the settings' account first."""
    accounts = dict.fromkeys((given.username or given.account, given.username))
    for scope in scopes(repository):
        for account in accounts:
            if credential := keyring.get(scope, account):
                return credential
    return _NOTHING


def kept_token(host: str, way: Way, keyrings: Sequence[Keyring], identity: str) -> Credential | str:
    """Return a way's token, from the keyring as long as it lives there.

    A keyring that cannot answer costs no more than asking the way each time.
    """
    for keyring in keyrings:
        with contextlib.suppress(AuthError, UsageError):
            if token := keyring.cached(host, f"{way.name} {identity}"):
                return token
    found = way.ask()
    if isinstance(found, Credential) and found.expires is not None:
        for keyring in keyrings:
            with contextlib.suppress(AuthError, UsageError):
                keyring.cache(host, found, f"{way.name} {identity}")
                break
    return found


def _from_configuration(configured: Configured, given: Given) -> Credential | str:
    username = given.username or configured.username() or given.account
    return login(username, configured.password(), configured.origin)


def login(username: str, password: Secret, origin: str) -> Credential:
    """Return a credential that somebody gave.

    Raises:
        UsageError: The password is empty, or the username is empty or has a colon in it.
    """
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
