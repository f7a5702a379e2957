from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import paramiko
import pytest

from dockless.errors import DocklessError, EngineError, HostLostError
from dockless.ssh import files

if TYPE_CHECKING:
    from dockless.ssh.executor import RemoteShell


class Broken:
    """An SFTP session in which everything fails in one way."""

    def __init__(self, error: Exception, *, closed: bool) -> None:
        self._error = error
        self._channel = SimpleNamespace(closed=closed)

    def get_channel(self) -> SimpleNamespace:
        """Return the channel it goes through."""
        return self._channel

    def open(self, *_: object) -> None:
        raise self._error

    def remove(self, *_: object) -> None:
        raise self._error

    def close(self) -> None:
        """Close nothing."""


@pytest.mark.parametrize(
    ("error", "closed", "kind"),
    [
        (paramiko.SSHException("Server connection dropped: "), False, HostLostError),
        (EOFError(), False, HostLostError),
        (OSError("Socket is closed"), True, HostLostError),
        (OSError("Failure"), False, EngineError),
        (OSError(28, "No space left on device"), False, EngineError),
    ],
)
def test_a_connection_that_breaks_is_told_from_a_file_that_cannot_be_written(
    error: Exception, *, closed: bool, kind: type[DocklessError]
) -> None:
    sessions = SimpleNamespace(sftp=lambda _: Broken(error, closed=closed))
    shell = cast("RemoteShell", SimpleNamespace(host="build1", sessions=sessions))
    with pytest.raises(DocklessError) as raised:
        files.put(shell, b"data", "/tmp/x", 0o600)  # noqa: S108 - on no host
    assert type(raised.value) is kind
