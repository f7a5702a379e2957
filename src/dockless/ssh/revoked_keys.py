"""RevokedHostKeys of ssh_config(5): a list of public keys, or a KRL, which ssh-keygen reads."""

import os
import tempfile
from pathlib import Path

from dockless.errors import AuthError, DocklessError
from dockless.processes.regular import read_regular
from dockless.processes.run import run
from dockless.ssh.wire import as_line, from_line

_KRL = b"SSHKRL\n\0"
_SECONDS = 30.0
_REMEDY = "Correct it, or remove RevokedHostKeys from ~/.ssh/config."


def is_listed(file: Path | None, blob: bytes) -> bool:
    """Whether a file revokes a key; no file revokes none.

    Args:
        file: The file.
        blob: The key, in SSH's wire format.

    Raises:
        AuthError: The file cannot be read, so that it is not known.
    """
    if file is None:
        return False
    try:
        data = read_regular(file)
    except OSError as error:
        raise AuthError(
            f"{file}, the RevokedHostKeys, cannot be read: {error.strerror}.", _REMEDY
        ) from None
    if data.startswith(_KRL):
        return _is_in_krl(file, blob)
    return any(from_line(line) == blob for line in data.splitlines())


def _is_in_krl(file: Path, blob: bytes) -> bool:
    with tempfile.NamedTemporaryFile(suffix=".pub") as key:
        key.write(as_line(blob) + b"\n")
        key.flush()
        try:
            done = run(
                ("ssh-keygen", "-Q", "-f", str(file), key.name), os.environ, timeout=_SECONDS
            )
        except DocklessError as error:
            raise AuthError(
                f"{file}, the RevokedHostKeys, cannot be read: {error.what}", _REMEDY
            ) from None
    return done.code != 0
