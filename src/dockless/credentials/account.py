"""The credential for one registry during a push, which may take longer than a token lives."""

import math
import threading
import time
from collections.abc import Callable
from functools import partial

from dockless.credentials.resolve import FindCredential, FoundCredential
from dockless.errors import AuthError
from dockless.model.secret import Credential
from dockless.oci.reference import Repository

_MARGIN_SECONDS = 120.0


class Account:
    """A credential that is found when it is first needed, and again shortly before it ends.

    Args:
        find: Finds it, or None for anonymous; may run programs, and raise what these raise.
        clock: Gives the seconds since 1970.
    """

    def __init__(
        self,
        find: Callable[[], Credential | None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._find = find
        self._clock = clock
        self._lock = threading.Lock()
        self._credential: Credential | None = None
        self._renew = -math.inf

    def __call__(self) -> Credential | None:
        """Return the credential; the old one if no newer one exists."""
        with self._lock:
            if self._clock() >= self._renew:
                self._credential = self._find() or self._credential
                self._renew = self._margin(self._credential)
            return self._credential

    def __repr__(self) -> str:
        return f"Account({self._credential!r})"

    def _margin(self, found: Credential | None) -> float:
        """Return when a credential that was just found has to be renewed."""
        if found is None or found.expires is None:
            return math.inf
        moment = found.expires - _MARGIN_SECONDS
        # one that would have ended already is a fresh one, and a clock is off
        return moment if moment > self._clock() else math.inf


class Accounts:
    """The accounts of one session.

    Each is looked for when it is first needed: helpers are not started, nor keyrings opened, for a
    registry that wants no login.

    Args:
        find: Finds the credential for a registry.
        note: Shows one line.
    """

    def __init__(self, find: FindCredential, note: Callable[[str], None]) -> None:
        self._find = find
        self._note = note
        self._asked: dict[Repository, FoundCredential] = {}

    def of(self, repository: Repository) -> Account:
        """Return the account for a repository."""
        return Account(partial(self._credential, repository))

    def tell_asked(self, repository: Repository) -> None:
        """Show why each place that was searched gave no credential, where it says so."""
        found = self._found(repository)
        for place in found.asked:
            warned_of = place.startswith(tuple(f"{name}: " for name in found.failed))
            if not (warned_of or place.endswith(": nothing")):
                self._note(f"No credential from {place}")

    def username(self, repository: Repository) -> str:
        """Return whose password is asked for; empty to ask for the username, too."""
        return self._found(repository).account

    def refusal(self, repository: Repository, refused: AuthError) -> AuthError:
        """Return the error for a credential that is missing, with the reason that the search met.

        Args:
            repository: The repository, whose credential was looked for.
            refused: The error without a reason.
        """
        found, host = self._found(repository), repository.host
        if found.others:
            return refused.with_context(
                f"No password for {found.wanted}: the stored login for {host} is of "
                f"{', '.join(found.others)}.",
                f"Log in with `dockless login {host} --username {found.wanted}`, or leave out "
                "--username.",
            )
        if found.failed:
            return refused.with_context(
                f"{host} requires a credential, and the {found.failed[0]}, which may have it, "
                "could not be read.",
                found.remedy or refused.remedy,
            )
        return refused

    def _found(self, repository: Repository) -> FoundCredential:
        """Return what the last search for a repository found; empty before the first one."""
        return self._asked.get(repository, FoundCredential(credential=None, asked=()))

    def _credential(self, repository: Repository) -> Credential | None:
        found = self._find(repository)
        self._asked[repository] = found
        for trouble in found.troubles:
            self._note(f"Warning: {trouble}")
        return found.credential
