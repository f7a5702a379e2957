"""A script of dockless that runs on a host, and what it writes.

Whatever shell the account has, and whatever it prints on its own account, what runs is a POSIX
`sh` with our script. The script goes there written in letters, digits and octal escapes inside
single quotes, which sh, bash, zsh, csh and fish all leave alone; so no argument is ever
interpreted by a shell. An unguessable mark precedes the output of the script itself.
"""

import contextlib
import secrets
import time
from collections.abc import Iterator
from typing import Self

import paramiko

from dockless.errors import HostLostError
from dockless.processes.run import Finished
from dockless.ssh.narrow import runs_nothing

LOOK_SECONDS = 1.0
"""How long a channel waits for bytes before it looks around; its time limit."""

_CHUNK = 1024 * 1024
_END_SECONDS = 10.0
_LONGEST_TALK = 64 * 1024
_PREFACE = """\
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$HOME/.local/bin:$HOME/bin"
export PATH
"""


def for_any_shell(script: str) -> str:
    """Return a command line that runs a script with sh, whatever shell reads it."""
    written = "".join(
        character
        if character.isascii() and (character.isalnum() or character in "/.,:=_- ")
        else "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
        for character in script
    )
    # without `exec`, which a restricted bash does not run
    return f"""sh -c 'eval "$(printf "$0")"' '{written}'"""


class Output:
    """A script that runs on a host, with what it writes.

    Args:
        channel: Where it runs.
        host: The host's name, for errors.
        stall: Seconds without a byte after which the host counts as lost.
    """

    def __init__(self, channel: paramiko.Channel, host: str, stall: float) -> None:
        self._channel = channel
        self._host = host
        self._stall = stall
        self._mark = f"dockless-{secrets.token_hex(8)}\n".encode()
        self._ahead = b""
        self._said = b""
        self._line = ""

    def start(self, script: str) -> Self:
        """Run the script, and read up to where its own output begins."""
        mark = self._mark.decode().rstrip()
        marked = f"{_PREFACE}printf '%s\\n' {mark}; printf '%s\\n' {mark} >&2\n{script}"
        with self._lost():
            self._line = for_any_shell(marked)
            self._channel.exec_command(self._line)
        return self

    @property
    def stdout(self) -> "Output":
        """What it writes: `read`."""
        return self

    def skip(self) -> None:
        """Read up to where the script's own output begins."""
        seen = b""
        while self._mark not in seen:
            data = self._receive(_CHUNK)
            if not data:
                with self._lost():
                    while more := self._channel.recv_stderr(_CHUNK):
                        self._hear(more)
                raise runs_nothing(self._host, self._line, seen, self._said)
            seen += data
        self._ahead = seen.partition(self._mark)[2]

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes, all that is to come for none; nothing at the end."""
        if size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        data, self._ahead = self._ahead[:size], self._ahead[size:]
        return data or self._receive(size)

    def line(self) -> str:
        """Return the next line, without its end; empty at the end."""
        while b"\n" not in self._ahead:
            data = self._receive(_CHUNK)
            if not data:
                break
            self._ahead += data
        found, _, self._ahead = self._ahead.partition(b"\n")
        return found.decode(errors="replace")

    def finish(self, stdout: bytes = b"") -> Finished:
        """Wait for the end after stdout ran dry, and return the status and stderr."""
        with self._lost():
            while data := self._channel.recv_stderr(_CHUNK):
                self._hear(data)
            if not self._channel.status_event.wait(_END_SECONDS):
                raise self._gone("a program closed its output but does not end")
            code = self._channel.recv_exit_status()
        if code < 0:
            raise self._gone("the connection broke")
        own = self._said.rpartition(self._mark)[2]
        return Finished(code, stdout, own.decode(errors="replace").rstrip())

    def send(self, data: bytes) -> None:
        """Give the script its standard input, and end that."""
        with self._lost():
            self._channel.sendall(data)
            self._channel.shutdown_write()

    def offer(self, data: bytes, *, ends: bool) -> None:
        """Give what may be no script of ours something to read; it may have ended before."""
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            self._channel.sendall(data)
            if ends:
                self._channel.shutdown_write()

    def close(self) -> None:
        """Close the channel; a program that still writes ends for want of a reader."""
        self._channel.close()

    def _receive(self, size: int) -> bytes:
        data = self._awaited(size)
        if not data and not self._channel.eof_received:
            raise self._gone("the connection broke")
        return data

    def _awaited(self, size: int) -> bytes:
        until = time.monotonic() + self._stall
        with self._lost():
            while True:
                # both streams share one window: who talks too much there would block the other
                while self._channel.recv_stderr_ready():
                    self._hear(self._channel.recv_stderr(_CHUNK))
                    until = time.monotonic() + self._stall
                try:
                    return self._channel.recv(size)
                except TimeoutError:
                    if time.monotonic() > until:
                        raise

    def _hear(self, data: bytes) -> None:
        self._said += data
        if len(self._said) > _LONGEST_TALK and self._mark in self._said[:_LONGEST_TALK]:
            self._said = self._mark + self._said[-_LONGEST_TALK // 2 :]

    @contextlib.contextmanager
    def _lost(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            raise self._gone(f"no byte was received for {self._stall:.0f} seconds") from None
        except (OSError, EOFError, paramiko.SSHException):
            raise self._gone("the connection broke") from None

    def _gone(self, why: str) -> HostLostError:
        return HostLostError(f"The connection to {self._host} was lost: {why}.", "Push again.")
