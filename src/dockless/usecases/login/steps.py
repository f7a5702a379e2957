"""The steps of a login and of a logout, against what keeps logins on this machine."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from dockless.errors import AuthError, DocklessError, UsageError
from dockless.model.login import Login, LoginTarget
from dockless.model.secret import Credential

_TRIES = 3


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
            sentence, empty for nothing to record.
        identity: The account or profile of issued tokens, as a distinguishing string.
        tools: The files of other tools that are to use the login.
        note: Shows one line.
        clock: Returns the seconds since 1970.
        unseen: A warning where one of the tools does not see what the keyring has; empty for none.
    """

    kept: LoginStore
    credential: Callable[[], tuple[Credential, str]]
    check: Callable[[Credential], bool]
    remember: Callable[[str], str]
    identity: str
    tools: Sequence[ToolConfig]
    note: Callable[[str], None]
    clock: Callable[[], float]
    unseen: str = ""


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
            Where the file of a tool cannot be written after all, the login is stored, and the
            others are written.
    """
    kept, note = context.kept, context.note
    credential, source, required = _accepted(context)
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
    if remembered := context.remember(credential.username):
        note(remembered)
    if not required:
        note(f"{target.host} asks for no password, so the login could not be checked.")
    failed: list[UsageError] = []
    for file in context.tools:
        try:
            warning = file.add(target.host)
        except UsageError as error:
            failed.append(error)
            continue
        note(f"{file.path} now uses docker-credential-dockless for {target.host}.")
        if warning:
            note(f"Warning: {warning}")
    if context.unseen and not source:
        note(f"Warning: {context.unseen}")
    if failed:
        whats = " ".join(each.what for each in failed)
        raise failed[0].with_context(f"{whats} The login itself is stored.")


def _accepted(context: LoginContext) -> tuple[Credential, str, bool]:
    """Return a credential that the registry accepts, its source, and whether it requires one.

    One that was typed at a prompt is asked for again, at most three times in all.
    """
    for left in reversed(range(_TRIES)):
        credential, source = context.credential()
        try:
            return credential, source, context.check(credential)
        except AuthError as error:
            if credential.origin != "prompt" or not left:
                raise
            context.note(error.what)
    raise AssertionError("the last try returns or raises")


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


def log_out(scopes: Sequence[str] | None, username: str, context: LogoutContext) -> None:
    """Remove the logins for registries, or for namespaces in them, and what refers to them.

    One that cannot be removed does not keep the others.

    Args:
        scopes: What they are for, each `host[:port]` or `host[:port]/namespace`; None for all.
        username: Whose logins are removed; empty for everybody's.
        context: What to work with.

    Raises:
        DocklessError: A keyring or a file cannot be changed; it says what was removed nevertheless.
    """
    work = _Logout(context)
    wanted = work.scopes() if scopes is None else scopes
    for scope in wanted:
        work.remove(scope, username)
    if work.errors:
        raise work.error()
    if not wanted:
        context.note("There was no login.")
    work.tell_rest(wanted)


class _Logout:
    """What a logout has removed, and why the rest is left.

    Attributes:
        removed: What is gone, as parts of a sentence.
        errors: Why something is left.
    """

    def __init__(self, context: LogoutContext) -> None:
        self.removed: list[str] = []
        self.errors: list[DocklessError] = []
        self._context = context

    def scopes(self) -> list[str]:
        """Return what any keyring that can be read has a login for, sorted."""
        found: set[str] = set()
        for kept in self._context.held:
            with self._going_on():
                found |= {login.scope for login in kept.logins()}
        return sorted(found)

    def remove(self, scope: str, username: str) -> None:
        """Remove the logins for a scope from every keyring, and then what the files say of it."""
        note, gone = self._context.note, dict[str, None]()
        for kept in self._context.held:
            with self._going_on():
                gone |= dict.fromkeys(kept.remove(scope, username))
        users = ", ".join(user or "a token" for user in gone)
        failed = len(self.errors)
        left = self.scopes()
        # the helper serves what a keyring that cannot be read may still have
        if scope not in left and len(self.errors) == failed:
            self._forget(scope.partition("/")[0])
        if gone:
            self.removed.append(f"the login for {scope} ({users})")
            note(f"Logged out of {scope}: {users}.")
        elif not self.errors:
            note(f"There was no login for {scope}.")

    def tell_rest(self, scopes: Sequence[str]) -> None:
        """Say which logins are left for namespaces below the scopes: each is one of its own."""
        for left in self.scopes():
            if any(left.startswith(f"{scope}/") for scope in scopes):
                self._context.note(
                    f"{left} is still logged in; log out with `dockless logout {left}`."
                )

    def error(self) -> DocklessError:
        """Return the error of what is left; of a keyring's and a file's, the keyring's."""
        first = next((each for each in self.errors if isinstance(each, AuthError)), self.errors[0])
        whats = dict.fromkeys(each.what for each in self.errors)
        remedies = dict.fromkeys(each.remedy for each in self.errors if each.remedy)
        removed = ", ".join(self.removed) or "nothing"
        return first.with_context(
            " ".join((*whats, f"Removed all the same: {removed}.")),
            " ".join((*remedies, "Then log out again.")),
        )

    def _forget(self, host: str) -> None:
        context = self._context
        for file in context.tools:
            with self._going_on():
                if file.remove(host):
                    self.removed.append(f"docker-credential-dockless in {file.path}")
                    context.note(f"{file.path} no longer uses docker-credential-dockless.")
        if warning := context.forget(host):
            context.note(f"Warning: {warning}")

    @contextlib.contextmanager
    def _going_on(self) -> Iterator[None]:
        try:
            yield
        except DocklessError as error:
            self.errors.append(error)
