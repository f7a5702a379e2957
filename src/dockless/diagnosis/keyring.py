"""The keyring: which one would be used, and, with --write, whether it stores an entry."""

import secrets
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from dockless.concurrency import alone
from dockless.credentials import keyrings, secret_service
from dockless.credentials.keyrings import Backend, title
from dockless.errors import DocklessError
from dockless.model.finding import Finding, State
from dockless.model.reasons import kind

AREA = "keyrings"
SECONDS = 5.0
_SERVICE = "dockless:doctor"
_CHOOSE = "Unlock it, or choose another one with DOCKLESS_KEYRING."
_HIDDEN = {
    "unknown": "its session bus does not respond",
    "no service": "no Secret Service runs on the session bus",
    "not running": "the Secret Service does not run yet; the first login starts it",
    "no collection": "it has no default collection; the first login makes one, with a dialog",
    "locked": "it is locked; the first use opens a dialog",
}


class KeyringState(Struct, frozen=True, kw_only=True):
    """The keyring for new logins.

    Attributes:
        choice: The keyring, as `keyrings.backend` takes it; empty for none.
        chosen: What chose it, such as `DOCKLESS_KEYRING`; empty where it is the preferred one.
        hidden: Why it cannot be read without a dialog or starting something; empty when it can.
    """

    choice: str
    chosen: str = ""
    hidden: str = ""


def look(environment: Mapping[str, str], chosen: str, *, terminal: bool) -> KeyringState:
    """Find out which keyring would be used; nothing is started, unlocked or asked for.

    Args:
        environment: The caller's.
        chosen: What `DOCKLESS_KEYRING` says; empty when it is not set.
        terminal: Whether a prompt is possible.

    Raises:
        UsageError: The chosen keyring cannot be used for a login.
    """
    if chosen:
        keyrings.check_choice(chosen)
    choices = (chosen,) if chosen else keyrings.available(environment)
    seen = [
        KeyringState(
            choice=choice,
            chosen="DOCKLESS_KEYRING" if chosen else "",
            hidden=why_hidden(choice, environment, terminal=terminal),
        )
        for choice in choices
    ]
    # a service that does not exist is not a keyring; one that is locked or not started is
    absent = (_HIDDEN["no service"], _HIDDEN["unknown"])
    usable = (each for each in seen if chosen or each.hidden not in absent)
    return next(usable, KeyringState(choice=""))


def why_hidden(choice: str, environment: Mapping[str, str], *, terminal: bool) -> str:
    """Return why a keyring cannot be read without a dialog or starting it; empty when it can."""
    if choice in (keyrings.KERNEL, keyrings.KERNEL_USER):
        return ""
    if choice == keyrings.SECRET_SERVICE:
        return _HIDDEN.get(secret_service.state(environment), "")
    if choice == keyrings.FILE:
        if environment.get("DOCKLESS_KEYRING_PASSWORD") or terminal:
            return ""
        return "its password is not in DOCKLESS_KEYRING_PASSWORD, and there is no terminal"
    return "" if terminal else "it may open a dialog, and there is no terminal"


def check(
    keyring: Callable[[], KeyringState],
    backend: Callable[[str], Backend],
    *,
    write: bool,
    terminal: bool,
) -> Iterator[Finding]:
    """Look at the keyring.

    Args:
        keyring: Finds out which one.
        backend: Opens one by its name.
        write: Whether an entry is written, read and deleted.
        terminal: Whether a dialog can be answered.
    """
    found = keyring()
    if not found.choice:
        yield _line(
            found,
            "note",
            "there is none, so logins cannot be kept; helpers, files and DOCKLESS_PASSWORD work",
            "Start a Secret Service such as gnome-keyring, or allow the kernel keyring.",
        )
    elif not write:
        what = f"would be used{_by(found)}; --write tries it"
        hidden = f"; {found.hidden}" if found.hidden else ""
        yield _line(found, "note" if hidden else "ok", f"{what}{hidden}")
    elif found.hidden and not terminal:
        yield _line(found, "problem", f"not tried: {found.hidden}.", _CHOOSE)
    else:
        yield judge(found, tried(found.choice, backend))


def tried(choice: str, backend: Callable[[str], Backend], seconds: float = SECONDS) -> str:
    """Write, read and delete an entry; return what went wrong, as a clause, or nothing.

    Args:
        choice: The keyring.
        backend: Opens one by its name.
        seconds: For all of it.
    """
    user, secret = f"probe-{secrets.token_hex(4)}", secrets.token_urlsafe(12)

    def step() -> str:
        ring = backend(choice)
        try:
            ring.set_password(_SERVICE, user, secret)
            kept = ring.get_password(_SERVICE, user)
        finally:
            if ring.get_password(_SERVICE, user) is not None:
                ring.delete_password(_SERVICE, user)
        if kept != secret:
            return "it does not return what was stored"
        left = ring.get_password(_SERVICE, user)
        return "" if left is None else "it still returns what was deleted"

    trying = alone(step)
    try:
        error = trying.exception(seconds)
    except TimeoutError:
        return f"it did not respond within {seconds:g} seconds"
    if error is None:
        return trying.result()
    if isinstance(error, DocklessError):
        return error.what.rstrip(".")
    # only its kind: the text of a foreign error may hold what it was given
    return f"it failed: {kind(error)}"


def judge(keyring: KeyringState, wrong: str) -> Finding:
    """Report the result of testing a keyring."""
    if wrong:
        return _line(keyring, "problem", f"cannot be used{_by(keyring)}: {wrong}.", _CHOOSE)
    return _line(keyring, "ok", f"writes, reads and deletes{_by(keyring)}")


def _by(keyring: KeyringState) -> str:
    return f" ({keyring.chosen})" if keyring.chosen else ""


def _line(keyring: KeyringState, state: State, what: str, remedy: str = "") -> Finding:
    return Finding(
        area=AREA,
        subject=title(keyring.choice) if keyring.choice else "keyring",
        state=state,
        what=what,
        remedy=remedy,
        facts={"keyring": keyring.choice or None, "chosenBy": keyring.chosen or None},
    )
