"""Sessions on a host: on one connection, and on further ones where it allows few (MaxSessions)."""

import contextlib
import threading
from collections.abc import Callable

import paramiko

Again = Callable[[], contextlib.AbstractContextManager[paramiko.Transport]]
"""Makes a further connection to the same host, logged in."""


class Sessions:
    """The sessions of one host.

    Args:
        transport: The connection.
        again: Makes a further one; None where there is to be one only.
    """

    def __init__(self, transport: paramiko.Transport, again: Again | None = None) -> None:
        self._transports = [transport]
        self._again = again
        self._lock = threading.Lock()
        self._opened = False
        self._further = contextlib.ExitStack()

    def open(self, seconds: float) -> paramiko.Channel:
        """Open a session, on a further connection where those that there are allow no more.

        Args:
            seconds: How long to wait for it.

        Raises:
            paramiko.ChannelException: The host opens none.
            paramiko.SSHException, EOFError, OSError: The connection broke.
        """
        with self._lock:
            for number, transport in enumerate(self._transports, 1):
                try:
                    channel = transport.open_session(timeout=seconds)
                except paramiko.ChannelException:
                    if number == len(self._transports) and not (self._again and self._opened):
                        raise
                else:
                    self._opened = True
                    return channel
            assert self._again is not None  # noqa: S101 - the loop has raised otherwise
            further = self._further.enter_context(self._again())
            self._transports.append(further)
            return further.open_session(timeout=seconds)

    def sftp(self, seconds: float) -> paramiko.SFTPClient:
        """Open a session for files; raise as `open`."""
        channel = self.open(seconds)
        try:
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)
        except BaseException:
            channel.close()
            raise

    def end(self) -> None:
        """Close every connection, from whatever thread."""
        for transport in list(self._transports):
            transport.close()

    def close(self) -> None:
        """Close the further connections."""
        self._further.close()
