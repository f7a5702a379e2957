"""The encrypted file of `keyrings.cryptfile`, checked before the library gets to read it.

The library opens whatever stands at its path, writes a new password into a file that has none, and
quotes lines of the file in its errors.
"""

import base64
import configparser
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from dockless.errors import AuthError
from dockless.oci.untrusted_json import parse_json
from dockless.processes.regular import open_regular

_SETTINGS = "keyring_2Dsetting"
_REFERENCE = "password_20reference"
_MEMBERS = {"salt", "data", "mac", "nonce"}
_ESCAPED = re.compile(rb"_([0-9A-Fa-f]{2})")
_LARGEST_BYTES = 16 << 20
_LOOKS, _BETWEEN_SECONDS = 5, 0.2
_REMEDY = "Restore it from a backup; or move it away, and log in again."


class _Library(Protocol):
    """The keyring of the library."""

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret."""

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret."""


class EncryptedFile:
    """An encrypted file that was unlocked. Every method raises AuthError where it is damaged.

    Args:
        keyring: The library's keyring.
        path: The file.
    """

    def __init__(self, keyring: _Library, path: Path) -> None:
        self._keyring = keyring
        self._path = path

    def get_password(self, service: str, username: str) -> str | None:
        """Return a secret, or None."""
        checked(self._path)
        return self._keyring.get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a secret."""
        checked(self._path)
        self._keyring.set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        """Delete a secret."""
        checked(self._path)
        self._keyring.delete_password(service, username)

    def entries(self) -> tuple[tuple[str, str], ...]:
        """Return the service and username of every secret, also where the list of logins is cut."""
        return checked(self._path) or ()


def checked(path: Path) -> tuple[tuple[str, str], ...] | None:
    """Return the service and username of every secret in a file; None where there is no file.

    A file that another process is writing looks damaged for a moment, so it is read again.

    Raises:
        AuthError: It cannot be read, or is damaged. Nothing of its text is in the error.
    """
    for _ in range(_LOOKS - 1):
        try:
            return _entries(path)
        except AuthError:
            time.sleep(_BETWEEN_SECONDS)
    return _entries(path)


def _entries(path: Path) -> tuple[tuple[str, str], ...] | None:
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        what = f"The encrypted file {path} cannot be read: {error.strerror}."
        raise AuthError(what, "Move it away, or set XDG_DATA_HOME to another folder.") from None
    if not data.strip():
        raise _damaged(path, "it is empty")
    if len(data) > _LARGEST_BYTES:
        raise _damaged(path, "it is larger than 16 MiB")
    parsed = configparser.RawConfigParser()
    try:
        parsed.read_string(data.decode())
    except (configparser.Error, ValueError):  # the text of which may be a secret
        raise _damaged(path, "it has text that is no entry") from None
    settings = parsed[_SETTINGS] if parsed.has_section(_SETTINGS) else {}
    if _REFERENCE not in settings or ("scheme" in settings) != ("version" in settings):
        raise _damaged(path, "its settings are incomplete")
    secrets = [
        (service, user, text)
        for service in parsed.sections()
        for user, text in parsed[service].items()
        if service != _SETTINGS or user == _REFERENCE
    ]
    if not all(_is_whole(text) for *_, text in secrets):
        raise _damaged(path, "an entry is incomplete")
    named = [(_unescaped(service), _unescaped(user)) for service, user, _ in secrets]
    return tuple(each for each in named if each[0] != _unescaped(_SETTINGS))


def _is_whole(text: str) -> bool:
    """Whether an entry's text has all that decrypts it: JSON in base64, each member in base64."""
    try:
        members = parse_json(base64.b64decode("".join(text.split()), validate=True))
        if not isinstance(members, dict) or members.keys() != _MEMBERS:
            return False
        for each in members.values():
            base64.b64decode("".join(each.split()), validate=True)
    except (ValueError, AttributeError):
        return False
    return True


def _unescaped(name: str) -> str:
    escaped = name.encode(errors="replace")
    found = _ESCAPED.sub(lambda code: bytes([int(code[1], 16)]), escaped)
    return found.decode(errors="replace")


def _damaged(path: Path, why: str) -> AuthError:
    return AuthError(f"The encrypted file {path} is damaged: {why}.", _REMEDY)


def path_of(file_path: Callable[[], object]) -> Path:
    """Return where the library has the file; raise AuthError where this user has no home."""
    try:
        return Path(str(file_path()))
    except RuntimeError:
        raise AuthError(
            "There is no folder for the encrypted file: this user has no home.",
            "Set HOME or XDG_DATA_HOME, or choose another keyring.",
        ) from None
