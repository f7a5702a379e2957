"""A ProxyCommand as the socket that SSH is spoken over."""

import contextlib
import os
import socket
import subprocess

from dockless.errors import EngineError
from dockless.processes.children import child, end
from dockless.processes.unnamed_files import unnamed_file

_END_SECONDS = 2.0


class ProxySocket:
    """A program whose stdin and stdout are the wire, as ssh_config(5) has it.

    paramiko has such a class, too, which neither ends its children's children nor waits with a
    timeout.

    Args:
        command: For the user's shell, as OpenSSH hands it to it.

    Raises:
        EngineError: It cannot be started.
    """

    def __init__(self, command: str) -> None:
        with contextlib.ExitStack() as stack:
            try:
                ours, theirs = socket.socketpair()
                self._socket = stack.enter_context(ours)
                with theirs:
                    self._log = stack.enter_context(unnamed_file())
                    self._child = stack.enter_context(
                        child(
                            ("/bin/sh", "-c", f"exec {command}"),
                            os.environ,
                            stdin=theirs.fileno(),
                            stdout=theirs.fileno(),
                            stderr=self._log,
                            start_new_session=True,
                        )
                    )
            except (OSError, ValueError) as error:  # of this machine, so another try is of no use
                why = error.strerror if isinstance(error, OSError) else "it is not valid text"
                raise EngineError(f"The ProxyCommand cannot be started: {why}.") from None
            self._opened = stack.pop_all()

    def send(self, data: bytes) -> int:
        """Send bytes; return how many went."""
        try:
            return self._socket.send(data)
        except ConnectionError:  # it has ended: its message is raised at the next read
            return len(data)

    def recv(self, size: int) -> bytes:
        """Return up to `size` bytes; the command's last words are the error when it ended."""
        try:
            data = self._socket.recv(size)
        except ConnectionError:  # it ended without reading what was sent
            data = b""
        if not data and (said := self._last_words()):
            raise OSError(0, f"the ProxyCommand ended: {said}")
        return data

    def settimeout(self, seconds: float | None) -> None:
        """Wait no longer than this for bytes."""
        self._socket.settimeout(seconds)

    @property
    def _closed(self) -> bool:  # paramiko asks for it by this name
        return self._socket.fileno() < 0

    def close(self) -> None:
        """End the command, and what it started."""
        self._socket.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=0.1)
        end(self._child)
        self._opened.close()

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=_END_SECONDS)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
