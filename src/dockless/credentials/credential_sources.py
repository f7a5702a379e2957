"""The places where a credential may be, one after another."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from dockless.credentials import auth_files, helpers
from dockless.credentials.helpers import Helper
from dockless.credentials.login_keys import scopes
from dockless.credentials.token_source import TokenSource
from dockless.errors import AuthError, UsageError
from dockless.model.login import ConfiguredLogin
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository


class Given(Struct, frozen=True, kw_only=True):
    """The credential options of this push.

    Attributes:
        username: The username on the command line; if given, no other may be used.
        password: The password on the command line, on stdin or at a prompt.
        account: The username of the settings; it is used with a password that was given without
            one.
        origin: Where the password came from, as in `Credential`.
        asks: Whether the password is asked for, and looked for nowhere, where the registry requires
            one.
    """

    username: str = ""
    password: Secret | None = None
    account: str = ""
    origin: str = "command line"
    asks: bool = False


class Keyring(Protocol):
    """A keyring that holds logins. Its methods raise AuthError when it fails."""

    @property
    def name(self) -> str:
        """Its name."""

    def get(self, scope: str, username: str = "") -> Credential | None:
        """Return the login of this user, or of the scope's default one, or None."""

    def cached(self, scope: str, identity: str) -> Credential | None:
        """Return the unexpired token of this identity for a scope, or None."""

    def cache(self, scope: str, credential: Credential, identity: str) -> None:
        """Store a token until it expires."""


class Sources(Struct, frozen=True, kw_only=True):
    """Where a credential may come from.

    Attributes:
        environment: For `DOCKLESS_USERNAME`, `DOCKLESS_PASSWORD`, `DOCKER_AUTH_CONFIG`, the paths
            of the files, and the helpers that run in it.
        home: The user's home folder.
        keyrings: Gives the keyrings of this machine, the preferred one first.
        configured: The login of the project's configuration.
        token_sources: The registry kind's own sources of tokens.
        identity: The account or profile of these tokens, as a distinguishing string.
    """

    environment: Mapping[str, str]
    home: Path
    keyrings: Callable[[], Sequence[Keyring]] = tuple
    configured: ConfiguredLogin | None = None
    token_sources: Sequence[TokenSource] = ()
    identity: str = ""


class CredentialSource(Struct, frozen=True, kw_only=True):
    """One place to search.

    Attributes:
        name: Its name.
        look: Gives the credential, or why it has none.
        program: The program or service that `look` queries, empty when it only reads.
        missing: Why that cannot be queried here, empty when it can.
        required: Whether it is queried even when it is missing, for the resulting error.
        essential: Whether a failure there ends the search.
    """

    name: str
    look: Callable[[], Credential | str]
    program: str = ""
    missing: str = ""
    required: bool = False
    essential: bool = True


_NOTHING = "nothing"


def places(repository: Repository, given: Given, sources: Sources) -> Iterator[CredentialSource]:
    """Yield every place, in the order of precedence.

    Args:
        repository: Where the push goes.
        given: The credential options of this push.
        sources: Where else to look.
    """
    if given.asks:
        return
    yield CredentialSource(name=given.origin, look=partial(_from_command_line, given))
    yield CredentialSource(
        name="environment", look=partial(_from_environment, given, sources.environment)
    )
    for keyring in sources.keyrings():
        look = partial(_from_keyring, keyring, repository, given)
        yield CredentialSource(name=keyring.name, look=look, essential=False)
    if sources.configured and sources.configured.host == repository.host:
        configured = sources.configured
        read = partial(_from_configuration, configured, given, sources.environment)
        yield CredentialSource(
            name=configured.origin,
            look=read,
            program="its secret",
            essential=configured.essential,
        )
    for token_source in sources.token_sources:
        kept = partial(
            kept_token, repository.host, token_source, sources.keyrings(), sources.identity
        )
        yield CredentialSource(
            name=token_source.name,
            look=kept,
            program=token_source.name,
            missing=token_source.missing,
        )
    if sources.environment.get(auth_files.VARIABLE):
        look = partial(_from_variable, repository.host, sources.environment)
        # docker skips one that it does not take, with a warning
        yield CredentialSource(name=auth_files.VARIABLE, look=look, essential=False)
    files = (
        auth_files.docker_file(sources.environment, sources.home),
        *auth_files.containers_files(sources.environment, sources.home),
    )
    for file in files:
        for entry in auth_files.read(file, repository) or (None,):
            if isinstance(entry, Helper):
                yield from _of_helper(file, entry, sources.environment)
            else:
                yield CredentialSource(name=str(file), look=partial(_entry, entry))


def _from_variable(host: str, environment: Mapping[str, str]) -> Credential | str:
    return auth_files.read_variable(environment, host) or _NOTHING


def _entry(credential: Credential | None) -> Credential | str:
    return credential or _NOTHING


def _of_helper(
    file: Path, helper: Helper, environment: Mapping[str, str]
) -> Iterator[CredentialSource]:
    """Yield a helper, and what the file has for the same registry where it fails."""
    failed = False

    def look() -> Credential | str:
        nonlocal failed
        try:
            return helpers.ask(helper, environment) or f"{helper.program} has {_NOTHING}"
        except AuthError:
            failed = True
            raise

    there = helpers.installed(helper, environment)
    yield CredentialSource(
        name=str(file),
        look=look,
        program=helper.program,
        missing="" if there else f"{helper.program} is not installed",
        required=not helper.optional,
        essential=not helper.spare,
    )
    if failed and not helper.optional:  # else it follows anyway
        for each in helper.spare:
            yield CredentialSource(name=str(file), look=partial(_entry, each))


def _from_command_line(given: Given) -> Credential | str:
    if given.password is None:
        return _NOTHING
    return login(given.username or given.account, given.password, given.origin)


def _from_environment(given: Given, environment: Mapping[str, str]) -> Credential | str:
    password = Secret(environment.get("DOCKLESS_PASSWORD", ""))
    if not password:
        return _NOTHING
    username = environment.get("DOCKLESS_USERNAME") or given.username or given.account
    return login(username, password, "environment")


def _from_keyring(keyring: Keyring, repository: Repository, given: Given) -> Credential | str:
    """Return the keyring's login for the narrowest scope, the settings' account first.

    Where only another user than the wanted one has a login, it is that, which the search refuses.
    """
    accounts = dict.fromkeys((given.username or given.account, given.username))
    for scope in scopes(repository):
        for account in accounts:
            if credential := keyring.get(scope, account):
                return credential
    others = map(keyring.get, scopes(repository)) if given.username else ()
    return next(filter(None, others), _NOTHING)


def kept_token(
    host: str, token_source: TokenSource, keyrings: Sequence[Keyring], identity: str
) -> Credential | str:
    """Return the token of a source, cached in the keyring until it expires.

    If the keyring fails, the source is queried each time.
    """
    for keyring in keyrings:
        with contextlib.suppress(AuthError, UsageError):
            if token := keyring.cached(host, f"{token_source.name} {identity}"):
                return token
    found = token_source.ask()
    if isinstance(found, Credential) and found.expires is not None:
        for keyring in keyrings:
            with contextlib.suppress(AuthError, UsageError):
                keyring.cache(host, found, f"{token_source.name} {identity}")
                break
    return found


def _from_configuration(
    configured: ConfiguredLogin, given: Given, environment: Mapping[str, str]
) -> Credential | str:
    """Return the configured login; a reason where its password is another user's than wanted."""
    wanted = given.username or environment.get("DOCKLESS_USERNAME", "")
    try:
        own = configured.username()
    except UsageError as error:
        if not wanted:
            raise
        return f"whose password it is is not known: {error.what}"
    if wanted and own and own != wanted:
        return f"{own}, not {wanted}"
    username = own or wanted or given.account
    return login(username, configured.password(), configured.origin)


def _shown(origin: str) -> str:
    """Return where a password is from, as part of a sentence."""
    return origin if origin == "standard input" else f"the {origin}"


def login(username: str, password: Secret, origin: str) -> Credential:
    """Return an explicit credential.

    Raises:
        UsageError: The password is empty, or the username is empty or contains a colon.
    """
    if not password:
        raise UsageError(
            f"The password from {_shown(origin)} is empty.",
            "Check what was meant to hold it, such as a variable that is not set.",
        )
    if not username:
        raise UsageError(
            f"There is a password from {_shown(origin)}, but no username.",
            "Add --username, or set DOCKLESS_USERNAME.",
        )
    if ":" in username:
        # Not shown: what follows the colon may be a password.
        raise UsageError(
            f"The username that goes with the password from {_shown(origin)} contains a colon.",
            "Give the username alone; the password has its own option.",
        )
    return Credential(username=username, password=password, origin=origin)
