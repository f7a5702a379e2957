"""An ssh_config(5) as paramiko reads it, where there is no ssh program that could."""

import getpass
import os
from pathlib import Path
from types import SimpleNamespace

import paramiko
import paramiko.config

from dockless.errors import UsageError
from dockless.model.reasons import clean


def own_name() -> str:
    """Return the name of this user; the user id where it has none, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the latter from Python 3.13 on
        return str(os.getuid())


# paramiko asks for the name itself, and fails where the user has none
paramiko.config.getpass = SimpleNamespace(getuser=own_name)  # type: ignore[attr-defined] # which its stubs lack


def look_up(text: str, file: Path, address: str) -> dict[str, str | list[str]]:
    """Return what a configuration says of a host.

    Args:
        text: The configuration.
        file: Where it was read, for messages.
        address: The host.

    Raises:
        UsageError: It is wrong, or has what paramiko cannot do.
    """
    try:
        return dict(paramiko.SSHConfig.from_text(text).lookup(address))
    except (paramiko.SSHException, ImportError, LookupError, OSError, ValueError) as error:
        said = clean(str(error)) or type(error).__name__
        raise UsageError(
            f"{file} cannot be used without an ssh program: {said}.",
            f"Install OpenSSH's client, or correct {file}.",
        ) from None
