"""Which keyring holds the logins: the desktop's, the kernel's, or an encrypted file.

Nothing here ever falls back to plain text.
"""

import importlib
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar, cast, runtime_checkable

from dockless.concurrency import alone, seconds_left
from dockless.errors import AuthError, DocklessError, UsageError, time_is_over
from dockless.model.secret import Secret

SECRET_SERVICE, MACOS, KERNEL, KERNEL_USER, FILE = (
    "secret-service",
    "macos",
    "kernel",
    "kernel-user",
    "file",
)
PATIENCE_SECONDS, FILE_SECONDS = 10.0, 60.0
CHOICES = (SECRET_SERVICE, MACOS, KERNEL, KERNEL_USER, FILE)
_TITLES = {
    SECRET_SERVICE: "Secret Service",
    MACOS: "macOS Keychain",
    KERNEL: "kernel keyring",
    KERNEL_USER: "kernel keyring of the user",
    FILE: "encrypted file",
}
_CLASSES = {
    SECRET_SERVICE: "keyring.backends.SecretService.Keyring",
    MACOS: "keyring.backends.macOS.Keyring",
    FILE: "keyrings.cryptfile.cryptfile.CryptFileKeyring",
}
# what keyring offers for tests, and what keeps passwords where others can read them
_REFUSED = ("keyring.backends.fail.", "keyring.backends.null.", "keyrings.alt.")
_LEGACY = "PYTHON_KEYRING_BACKEND"
_REMEDY = (
    "Start a Secret Service such as gnome-keyring; or allow the kernel keyring (the container's "
    "seccomp profile may forbid it); or choose an encrypted file with --keyring file, for which "
    "dockless is installed with its extra `file`."
)


_NO_MODULE = (
    ImportError,
    AttributeError,
    ValueError,
    TypeError,
    SyntaxError,
    OSError,
    RuntimeError,
)

Result = TypeVar("Result")


class Backend(Protocol):
    """What a keyring does, in the words of the `keyring` library."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret."""


@runtime_checkable
class Listing(Protocol):
    """A keyring that can say what it holds."""

    def entries(self) -> tuple[tuple[str, str], ...]:
        """Return the service and username of every secret."""


def title(choice: str) -> str:
    """Return the display name of a keyring."""
    return _TITLES.get(choice, choice)


def available(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the keyrings that are available without a prompt, the preferred one first.

    An encrypted file is never among them, since it asks for a password; it has to be chosen.
    """
    named = environment.get(_LEGACY, "")
    if named:
        return () if named.startswith(_REFUSED) else (named,)
    return tuple(choice for choice in CHOICES[:-1] if _is_here(choice, environment))


def _is_here(choice: str, environment: Mapping[str, str]) -> bool:
    match choice:
        case "secret-service":
            return sys.platform == "linux" and _has_bus(environment)
        case "macos":
            return sys.platform == "darwin"
        case _:
            from dockless.credentials import keyctl  # noqa: PLC0415 - many pushes open no keyring

            return keyctl.usable("persistent" if choice == KERNEL else "user")


def _has_bus(environment: Mapping[str, str]) -> bool:
    if environment.get("DBUS_SESSION_BUS_ADDRESS"):
        return True
    runtime = environment.get("XDG_RUNTIME_DIR")
    return bool(runtime) and (Path(runtime or "") / "bus").exists()


def preferred(environment: Mapping[str, str]) -> str:
    """Return the keyring for new logins when none is configured.

    Raises:
        AuthError: None is available; the error lists what would help.
    """
    for choice in available(environment):
        if answers(choice):
            return choice
    raise AuthError("This machine has no keyring that dockless can use.", _REMEDY)


def answers(choice: str) -> bool:
    """Whether a keyring says of itself that it can be used; this may start its service."""
    if choice in (KERNEL, KERNEL_USER):
        return True
    load = partial(_load, choice, _CLASSES.get(choice, choice))
    try:
        return within(PATIENCE_SECONDS, lambda: getattr(load(), "priority", None)) is not None
    except (RuntimeError, UsageError, TimeoutError):
        return False


def check_choice(choice: str) -> None:
    """Check that a keyring of this name can be loaded, as named for `backend`; none is opened.

    Raises:
        UsageError: There is no such keyring, it is not installed, or it would not be safe.
    """
    if choice not in CHOICES or choice == FILE:
        _safe_class(choice)


def within(seconds: float, step: Callable[[], Result]) -> Result:
    """Return the step's result; raise TimeoutError when it takes too long, and leave it alone.

    Raises:
        NetworkError: The command's time was over before.
    """
    left = seconds_left()
    try:
        return alone(step).result(seconds if left is None else min(seconds, left))
    except TimeoutError:
        if seconds_left() == 0:
            raise time_is_over("The keyring") from None
        raise


def backend(
    choice: str,
    environment: Mapping[str, str],
    ttl: int | None = None,
    ask: Callable[[str], Secret] | None = None,
    lasting: str = "",
) -> Backend:
    """Return a keyring by its name, or by the dotted name of a backend's class.

    Args:
        choice: One of `CHOICES`, or `module.Class`.
        environment: For `DOCKLESS_KEYRING_PASSWORD`, which opens the encrypted file.
        ttl: Seconds after which what is stored ends; kernel keyrings only.
        ask: Prompts for the password of the encrypted file; None without a terminal.
        lasting: A service whose entries do not expire with `ttl`.

    Raises:
        UsageError: There is no such keyring, it is not installed, or it would not be safe.
        AuthError: The encrypted file needs a password, and no prompt is possible.
    """
    if choice in (KERNEL, KERNEL_USER):
        from dockless.credentials import keyctl  # noqa: PLC0415 - as above

        ring: keyctl.SpecialKeyring = "persistent" if choice == KERNEL else "user"
        if not keyctl.usable(ring):
            raise UsageError("The kernel keyring cannot be used here.", _REMEDY)
        return keyctl.Keyctl(ring, ttl, lasting)
    if ttl is not None:
        raise UsageError(
            f"The keyring {title(choice)} cannot expire entries.",
            "--ttl goes with --keyring kernel or kernel-user.",
        )
    made: Backend = _made(choice, _safe_class(choice))
    return _unlocked(made, environment, ask) if choice == FILE else made


def _safe_class(choice: str) -> Callable[[], Backend]:
    dotted = _CLASSES.get(choice, choice)
    if dotted.startswith(_REFUSED):
        raise UsageError(
            f"{dotted} does not keep secrets safe.", f"Choose one of {', '.join(CHOICES)}."
        )
    if dotted == _CLASSES["macos"] and sys.platform != "darwin":
        here = ", ".join(each for each in CHOICES if each != "macos")
        raise UsageError(f"The keyring {choice} is on macOS only.", f"Choose one of {here}.")
    return _load(choice, dotted)


def _load(choice: str, dotted: str) -> Callable[[], Backend]:
    """Return a backend's class; what is none is not called, and the standard library has none."""
    module, dot, name = dotted.rpartition(".")
    parts = dotted.split(".")
    named = dot and all(part.isidentifier() for part in parts)
    if named and parts[0] not in sys.stdlib_module_names:
        from keyring.backend import KeyringBackend  # noqa: PLC0415 - for such keyrings only

        try:
            found: object = getattr(importlib.import_module(module), name)
        except _NO_MODULE:
            found = None
        ours = isinstance(found, type) and issubclass(found, KeyringBackend)
        if ours and not getattr(found, "__abstractmethods__", None):
            return cast("type[Backend]", found)
    if choice == FILE:
        raise UsageError(
            "The encrypted file needs the package keyrings.cryptfile.",
            "Install dockless with its extra `file`, or that package into the same environment.",
        )
    what = f"There is no keyring {choice!r}" if dot else f"{choice!r} is not a keyring"
    raise UsageError(f"{what}.", f"Choose one of {', '.join(CHOICES)}, or MODULE.CLASS.")


def _unlocked(
    file: Backend, environment: Mapping[str, str], ask: Callable[[str], Secret] | None
) -> Backend:
    from dockless.credentials import encrypted_file  # noqa: PLC0415 - for this keyring only

    path = encrypted_file.path_of(lambda: getattr(file, "file_path", ""))
    new = encrypted_file.checked(path) is None
    secret = Secret(environment.get("DOCKLESS_KEYRING_PASSWORD", ""))
    if secret or not ask:
        if not secret:
            raise AuthError(
                "The encrypted file needs its password, and there is no terminal to ask for it.",
                "Set DOCKLESS_KEYRING_PASSWORD, or choose another keyring.",
            )
        right = _opens(file, secret)
    else:
        text = f"{'New password for' if new else 'Password of'} the encrypted file"
        again = f"That is not its password. {text}"
        right = any(_opens(file, ask(each)) for each in (text, again, again))
    if not right:
        raise AuthError(
            "That is not the password of the encrypted file.",
            "Set DOCKLESS_KEYRING_PASSWORD to the right one, or choose another keyring.",
        )
    return encrypted_file.EncryptedFile(file, path)


def _opens(file: Backend, secret: Secret) -> bool:
    def unlock() -> None:
        file.keyring_key = secret.reveal()  # type: ignore[attr-defined] # cryptfile's own

    def is_right() -> bool:
        try:
            within(FILE_SECONDS, unlock)
        except ValueError:
            return False
        return True

    return _made(FILE, is_right)


def _made(choice: str, step: Callable[[], Result]) -> Result:
    """Return the step's result; raise AuthError, without its words, where a library fails."""
    try:
        return step()
    except DocklessError:
        raise
    except Exception as error:  # noqa: BLE001 - any backend may be behind this
        from dockless.model.reasons import kind  # noqa: PLC0415 - rare

        what = f"The keyring {title(choice)} cannot be opened: {kind(error)}."
        remedy = "Repair it, or choose another one with --keyring or DOCKLESS_KEYRING."
        raise AuthError(what, remedy) from None
