"""The logins that a keyring holds.

Each is an entry of its own: service `dockless:SCOPE`, username the account. Most keyrings cannot
be listed, so one more entry, without secrets, lists them: service `dockless`, username `index`. It
does not expire, even where logins do. A short-lived token of a token source is stored next to the
logins, until it expires.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from dockless.credentials import keyrings
from dockless.credentials.keyrings import PATIENCE_SECONDS, Backend, Listing, within
from dockless.credentials.login_index import ScopeLogins, index_text, live, parse_index, with_ended
from dockless.errors import AuthError, DocklessError, UsageError
from dockless.model.login import Login
from dockless.model.secret import Credential, Secret
from dockless.storage.folders import own_folder

IDENTITY_TOKEN = "<token>"  # noqa: S105 - the name that docker gives to such a login, no secret
SERVICE = "dockless"
"""The service of the index; those of logins begin with it."""
_INDEX = "index"
_REMEDY = "Unlock it, or choose another one with --keyring or DOCKLESS_KEYRING."
_MARGIN_SECONDS = 120.0
_TURN_SECONDS = 120.0
_LOOK_SECONDS = 0.05

Result = TypeVar("Result")


class KeyringLogins:
    """The logins in one keyring.

    Every method raises AuthError when the keyring is locked, fails, or does not respond in time.

    Args:
        choice: The keyring, as `keyrings.backend` takes it.
        backend: Opens the keyring; called once, when it is needed.
        lock: What two logins at once lock, so that none is lost: a folder that is there, or a file.
        patience: Seconds to wait for an answer.
    """

    def __init__(
        self,
        choice: str,
        backend: Callable[[], Backend],
        lock: Path,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self.choice = choice
        self._open = backend
        self._backend: Backend | None = None
        self._known: Mapping[str, ScopeLogins] | None = None
        self._lock = lock
        self._patience = patience

    @property
    def name(self) -> str:
        """The keyring's display name."""
        return f"keyring ({keyrings.title(self.choice)})"

    def get(self, scope: str, username: str = "") -> Credential | None:
        """Return the login of this user, or of the scope's default one, or None."""
        user = username or self._index().get(scope, ScopeLogins(users={})).default
        secret = self._read(f"{SERVICE}:{scope}", user) if user else None
        if secret is None:
            return None
        if user == IDENTITY_TOKEN:
            return Credential(
                username="", password=Secret(""), identity_token=secret, origin=self.name
            )
        return Credential(username=user, password=secret, origin=self.name)

    def put(self, scope: str, credential: Credential, expires: float | None = None) -> None:
        """Store a login, and make it the scope's default one.

        Args:
            scope: Its scope.
            credential: The login.
            expires: When the keyring expires it, in seconds since 1970; None for never.
        """
        token = credential.identity_token
        user = IDENTITY_TOKEN if token else credential.username
        with self._changing() as index:
            self._write(f"{SERVICE}:{scope}", user, token or credential.password)
            known = index.get(scope, ScopeLogins(users={}))
            index[scope] = replace(known, users={**known.users, user: expires}, default=user)

    def remove(self, scope: str, username: str = "") -> tuple[str, ...]:
        """Delete the login of this user, or everything stored for the scope.

        Returns:
            The users whose login existed.
        """
        with self._changing() as index:
            known = index.get(scope, ScopeLogins(users={}))
            gone = tuple(user for user in known.users if username in ("", user))
            if username and not gone and self._read(f"{SERVICE}:{scope}", username):
                gone = (username,)  # the index may have been lost
            for user in gone:
                self._delete(f"{SERVICE}:{scope}", user)
            if known.token_user and not username:
                self._delete(f"{SERVICE}-token:{scope}", known.token_user)
                known = replace(known, token_user="")
                gone = gone or (index[scope].token_user,)
            users = {user: ends for user, ends in known.users.items() if user not in gone}
            default = known.default if known.default in users else next(iter(users), "")
            index[scope] = replace(known, users=users, default=default)
        return gone

    def logins(self) -> tuple[Login, ...]:
        """Return every stored login, without the secrets."""
        return tuple(
            login
            for scope, known in sorted(self._index().items())
            for login in self._listed(scope, known)
        )

    def _listed(self, scope: str, known: ScopeLogins) -> Iterator[Login]:
        for user, ends in sorted(known.users.items()):
            if ends is None or ends > time.time():
                yield Login(
                    scope=scope,
                    username=user,
                    place=self.name,
                    default=user == known.default,
                    expires=ends,
                )
        if known.token_user and known.token_ends > time.time():
            yield Login(
                scope=scope,
                username=known.token_user,
                place=self.name,
                default=not known.default,
                expires=known.token_ends,
            )

    def cached(self, scope: str, identity: str) -> Credential | None:
        """Return the stored token of a scope that will not expire soon, or None.

        Args:
            scope: Its scope.
            identity: Its account or profile; a token of another one is not returned.
        """
        known = self._index().get(scope, ScopeLogins(users={}))
        ends_soon = known.token_ends - time.time() < _MARGIN_SECONDS
        if not known.token_user or ends_soon or known.token_of != identity:
            return None
        secret = self._read(f"{SERVICE}-token:{scope}", known.token_user)
        if secret is None:
            return None
        return Credential(
            username=known.token_user, password=secret, origin=self.name, expires=known.token_ends
        )

    def cache(self, scope: str, credential: Credential, identity: str) -> None:
        """Store a token until it expires; one with an early or unknown expiry is not stored."""
        ends = credential.expires
        if ends is None or ends - time.time() < _MARGIN_SECONDS:
            return
        user = credential.username
        with self._changing() as index:
            self._write(f"{SERVICE}-token:{scope}", user, credential.password)
            known = index.get(scope, ScopeLogins(users={}))
            index[scope] = replace(known, token_user=user, token_ends=ends, token_of=identity)

    def _index(self) -> dict[str, ScopeLogins]:
        """Return the logins that have not ended, and those that the index does not have.

        The index is read once: an encrypted file takes a second for each entry.
        """
        if self._known is None:
            self._known = self._written()
        return self._current(self._known)

    def _current(self, written: Mapping[str, ScopeLogins]) -> dict[str, ScopeLogins]:
        index = {scope: live(known) for scope, known in written.items()}
        for service, user in self._ask(_entries):
            prefix, _, scope = service.partition(":")
            known = index.get(scope, ScopeLogins(users={}))
            said = written.get(scope, known).users
            if prefix == SERVICE and scope and user not in said:
                users = {**known.users, user: None}
                index[scope] = replace(known, users=users, default=known.default or user)
        return index

    def _written(self) -> dict[str, ScopeLogins]:
        secret = self._read(SERVICE, _INDEX)
        if secret is None:
            return {}
        index = parse_index(secret.reveal())
        if index is None:
            raise AuthError(
                f"What {self.name} has under {SERVICE}/{_INDEX} is not dockless's list of logins.",
                "Remove that entry, and log in again.",
            )
        return index

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, ScopeLogins]]:
        """Yield the index, and write it back if the block ends well."""
        with _locked(self._lock):
            written = self._written()
            index = self._current(written)
            yield index
            now = {scope: with_ended(one, written.get(scope)) for scope, one in index.items()}
            kept = {scope: one for scope, one in now.items() if one.users or one.token_user}
            if kept:
                self._write(SERVICE, _INDEX, Secret(index_text(kept)))
            else:
                self._delete(SERVICE, _INDEX)
            self._known = None

    def _read(self, service: str, username: str) -> Secret | None:
        text = self._ask(lambda keyring: keyring.get_password(service, username))
        return None if text is None else Secret(text)

    def _write(self, service: str, username: str, secret: Secret) -> None:
        self._ask(lambda keyring: keyring.set_password(service, username, secret.reveal()))

    def _delete(self, service: str, username: str) -> None:
        def forget(keyring: Backend) -> None:
            if keyring.get_password(service, username) is not None:
                keyring.delete_password(service, username)

        self._ask(forget)

    def _ask(self, step: Callable[[Backend], Result]) -> Result:
        """Return the step's result, or raise an error without the keyring's own message."""
        if self._backend is None:  # it may ask for a password, so without a limit
            self._backend = self._open()
        keyring = self._backend
        try:
            return within(self._patience, lambda: step(keyring))
        except TimeoutError:
            what = f"The {self.name} did not respond within {self._patience:.0f} seconds."
        except DocklessError:
            raise
        except Exception as error:  # noqa: BLE001 - any backend may be behind this
            from dockless.model.reasons import kind  # noqa: PLC0415 - rare

            # only its kind: the text of a foreign error may hold what it was given
            what = f"The {self.name} failed: {kind(error)}."
        raise AuthError(what, _REMEDY)


@contextlib.contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Hold a lock while the block lasts.

    Args:
        place: A folder that is there, or a file, which is made; neither is reached by a link.

    Raises:
        AuthError: It is held for too long, or cannot be acquired.
    """
    end = time.monotonic() + _TURN_SECONDS
    try:
        while (descriptor := _taken(place)) is None:
            if time.monotonic() > end:
                raise AuthError(
                    f"Another dockless process has been changing the logins for {_TURN_SECONDS:g} "
                    "seconds.",
                    "Find out why it does not end, and try again.",
                )
            time.sleep(_LOOK_SECONDS)
    except (OSError, UsageError) as error:
        from dockless.model.reasons import reason  # noqa: PLC0415 - rare

        said = error.what if isinstance(error, UsageError) else f"{place}: {reason(error)}."
        raise AuthError(
            f"The lock of the logins cannot be acquired. {said}",
            "Delete what is there, or set DOCKLESS_CACHE_DIR to another folder.",
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _taken(place: Path) -> int | None:
    """Return the descriptor of an acquired lock; None while another process holds it.

    Raises:
        UsageError: It is a file, and others may write to its folder.
        OSError: It is a link, or cannot be made.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # or a FIFO would be waited for
    if not place.is_dir() or place.is_symlink():
        own_folder(place.parent)
        flags |= os.O_CREAT
    descriptor = os.open(place, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor


def _entries(keyring: Backend) -> tuple[tuple[str, str], ...]:
    return keyring.entries() if isinstance(keyring, Listing) else ()
