"""The steps of a login and of a logout, against what keeps logins on this machine."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.login import Login, LoginTarget
from dockless.model.secret import Credential


class LoginStore(Protocol):
    """A keyring. Its methods raise AuthError when it is locked or fails."""

    @property
    def name(self) -> str:
        """Its name in messages."""

    def logins(self) -> Sequence[Login]:
        """Return the logins that it holds."""

    def put(self, scope: str, credential: Credential, expires: float | None = None) -> None:
        """Store a login; it expires at this time, in seconds since 1970, or never."""

    def cache(self, scope: str, credential: Credential, identity: str) -> None:
        """Store a token until it expires."""

    def remove(self, scope: str, username: str = "") -> Sequence[str]:
        """Delete the login of this user, or all of a scope; return the users that had one."""


class ToolConfig(Protocol):
    """A file in which other tools read which credential helper has a registry's login.

    Its methods raise UsageError when it cannot be read or written.
    """

    @property
    def path(self) -> Path:
        """The file."""

    def check(self, host: str) -> None:
        """Raise UsageError where `add` could not be done."""

    def add(self, host: str) -> str:
        """Name our credential helper for a host; return a warning about the file, or empty."""

    def remove(self, host: str) -> bool:
        """Remove our credential helper for a host; return whether it was named."""


class LoginContext(Struct, frozen=True, kw_only=True):
    """What a login works with.

    Attributes:
        kept: The keyring for it.
        credential: Returns the credential, and the name of the source that issues it for each push;
            empty for one that has to be stored.
        check: Returns whether the registry requires a credential; raises AuthError where it
            rejects this one, and NetworkError where it does not respond.
        remember: Records a login of this username in the project's files; returns the outcome as a
            sentence.
        identity: The account or profile of issued tokens, as a distinguishing string.
        tools: The files of other tools that are to use the login.
        note: Shows one line.
        clock: Returns the seconds since 1970.
    """

    kept: LoginStore
    credential: Callable[[], tuple[Credential, str]]
    check: Callable[[Credential], bool]
    remember: Callable[[str], str]
    identity: str
    tools: Sequence[ToolConfig]
    note: Callable[[str], None]
    clock: Callable[[], float]


def check_tools(target: LoginTarget, tools: Sequence[ToolConfig]) -> None:
    """Check, before anything is asked or stored, that other tools can use the login.

    Raises:
        UsageError: They ask for hosts only, or the file of one cannot be changed.
    """
    if target.scope != target.host and tools:
        raise UsageError(
            "Other tools ask a credential helper for a host, not for a namespace such as "
            f"{target.scope}.",
            f"Log in to {target.host}, or leave --configure-docker and --configure-containers out.",
        )
    for tool in tools:
        tool.check(target.host)


def log_in(target: LoginTarget, ttl: float | None, context: LoginContext) -> None:
    """Check a credential at the registry, and store it.

    Args:
        target: The registry.
        ttl: Seconds after which the login expires; None for never.
        context: What to work with.

    Raises:
        DocklessError: With the exit code of what went wrong; nothing is stored before the check.
            Where the file of a tool cannot be written after all, the login is stored.
    """
    kept, note = context.kept, context.note
    credential, source = context.credential()
    required = context.check(credential)
    user = credential.username or "the owner of an identity token"
    if source:
        kept.cache(target.host, credential, f"{source} {context.identity}")
        note(
            f"Logged in to {target.scope} as {user} with a token from {source}, fetched again for "
            "each push."
        )
    else:
        kept.put(target.scope, credential, None if ttl is None else context.clock() + ttl)
        note(f"Logged in to {target.scope} as {user}. The password is stored in the {kept.name}.")
    note(context.remember(credential.username))
    if not required:
        note(f"{target.host} asks for no password, so the login could not be checked.")
    for file in context.tools:
        try:
            warning = file.add(target.host)
        except UsageError as error:
            raise error.with_context(f"{error.what} The login itself is stored.") from None
        note(f"{file.path} now uses docker-credential-dockless for {target.host}.")
        if warning:
            note(f"Warning: {warning}")


class LogoutContext(Struct, frozen=True, kw_only=True):
    """What a logout works with.

    Attributes:
        held: The keyrings that are searched.
        tools: The files of other tools.
        forget: Removes what the project's files record of the registry with this `host[:port]`;
            returns a warning, or empty.
        note: Shows one line.
    """

    held: Sequence[LoginStore]
    tools: Sequence[ToolConfig]
    forget: Callable[[str], str]
    note: Callable[[str], None]


def every_scope(held: Iterable[LoginStore]) -> list[str]:
    """Return what any keyring has a login for, sorted."""
    return sorted({login.scope for kept in held for login in kept.logins()})


def log_out(scope: str, username: str, context: LogoutContext) -> None:
    """Remove the logins for one registry, or for a namespace in one.

    Args:
        scope: What they are for: `host[:port]`, or `host[:port]/namespace`.
        username: Whose login is removed; empty for everybody's.
        context: What to work with.

    Raises:
        DocklessError: A keyring or a file cannot be changed.
    """
    gone = [user for kept in context.held for user in kept.remove(scope, username)]
    if scope not in every_scope(context.held):
        host = scope.partition("/")[0]
        for file in context.tools:
            if file.remove(host):
                context.note(f"{file.path} no longer uses docker-credential-dockless.")
        if warning := context.forget(host):
            context.note(f"Warning: {warning}")
    users = ", ".join(user or "a token" for user in dict.fromkeys(gone))
    context.note(f"Logged out of {scope}: {users}." if gone else f"There was no login for {scope}.")
