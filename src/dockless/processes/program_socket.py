"""A ProxyCommand as the socket that SSH is spoken over."""

import contextlib
import socket
import subprocess
import tempfile

from dockless.processes.children import end_group

_END_SECONDS = 2.0


class ProxySocket:
    """A program whose stdin and stdout are the wire, as ssh_config(5) has it.

    paramiko has such a class, too, which neither ends its children's children nor waits with a
    timeout.

    Args:
        command: For the user's shell, as OpenSSH hands it to it.
    """

    def __init__(self, command: str) -> None:
        ours, theirs = socket.socketpair()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the socket
        with theirs:
            self._child = subprocess.Popen(
                ("/bin/sh", "-c", f"exec {command}"),
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=self._log,
                start_new_session=True,
            )
        self._socket = ours

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
        if self._child.poll() is None:
            end_group(self._child)
            self._child.wait()
        self._log.close()

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(timeout=_END_SECONDS)
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
