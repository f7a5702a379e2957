from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import paramiko
import pytest

from dockless.model.errors import DocklessError, EngineError, HostLostError
from dockless.remote import files

if TYPE_CHECKING:
    from dockless.remote.shell import Shell


class Broken:
    """An SFTP session in which everything fails in one way."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def open(self, *_: object) -> None:
        raise self._error

    def remove(self, *_: object) -> None:
        raise self._error

    def close(self) -> None:
        """Close nothing."""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (paramiko.SSHException("Server connection dropped: "), HostLostError),
        (EOFError(), HostLostError),
        (OSError(28, "No space left on device"), EngineError),
    ],
)
def test_a_connection_that_breaks_is_told_from_a_file_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[DocklessError]
) -> None:
    def from_transport(_: object) -> Broken:
        return Broken(error)

    monkeypatch.setattr(paramiko.SFTPClient, "from_transport", from_transport)
    shell = cast("Shell", SimpleNamespace(host="build1", transport=None))
    with pytest.raises(DocklessError) as raised:
        files.put(shell, b"data", "/tmp/x", 0o600)  # noqa: S108 - on no host
    assert type(raised.value) is kind
