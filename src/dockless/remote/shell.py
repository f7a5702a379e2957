"""Programs on a host, as `processes.programs.Programs`.

Whatever shell the account has, and whatever it prints on its own account, what runs is a POSIX
`sh` with our script. The script goes there written in letters, digits and octal escapes inside
single quotes, which sh, bash, zsh, csh and fish all leave alone; so no argument is ever read by a
shell. A mark that nobody can guess stands before the output of the script itself.
"""

import contextlib
import secrets
import shlex
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Self

import paramiko

from dockless.model.errors import EngineError, HostLostError
from dockless.processes.run import Finished

_CHUNK = 1024 * 1024
_LONGEST_ANSWER = 64 * 1024 * 1024
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
_END_SECONDS = 10.0
_LOOK_SECONDS = 1.0
_LONGEST_TALK = 64 * 1024
_PREFACE = """\
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$HOME/.local/bin:$HOME/bin"
export PATH
"""
# The child's own process id stands in the workplace while it runs: who ends the workplace ends it.
_WATCHED = """\
DOCKLESS_WORKPLACE={folder}; export DOCKLESS_WORKPLACE
set -- {argv}
exec 3<&0
"$@" <&3 3<&-{into} & p=$!
(echo "$p" >{folder}/pid."$p") 2>/dev/null || kill "$p"
{heartbeat}wait "$p"; s=$?
[ -n "$h" ] && kill "$h" 2>/dev/null && wait "$h"
rm -f {folder}/pid."$p"
exit "$s"
"""
# A blank line on stderr for as long as the child moves bytes, so that long work is no silence.
_HEARTBEAT = """\
(trap 'kill "$n" 2>/dev/null; exit' TERM
while kill -0 "$p" 2>/dev/null; do
  sleep 5 >/dev/null 2>&1 & n=$!
  wait "$n"
  io=$(cat /proc/"$p"/io 2>/dev/null) || io=$(date)
  [ "$io" = "$last" ] || echo >&2
  last=$io
done) & h=$!
"""


def for_any_shell(script: str) -> str:
    """Return a command line that runs a script with sh, whatever shell reads it."""
    written = "".join(
        character
        if character.isascii() and (character.isalnum() or character in "/.,:=_- ")
        else "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape"))
        for character in script
    )
    return f"""exec sh -c 'eval "$(printf "$0")"' '{written}'"""


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

    def start(self, script: str) -> Self:
        """Run the script, and read up to where its own output begins."""
        mark = self._mark.decode().rstrip()
        marked = f"{_PREFACE}printf '%s\\n' {mark}; printf '%s\\n' {mark} >&2\n{script}"
        with self._lost():
            self._channel.exec_command(for_any_shell(marked))
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
                raise self._gone("its login shell runs no commands")
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
            raise self._gone(f"no byte came for {self._stall:.0f} seconds") from None
        except (OSError, EOFError, paramiko.SSHException):
            raise self._gone("the connection broke") from None

    def _gone(self, why: str) -> HostLostError:
        return HostLostError(f"{self._host} was lost: {why}.", "Push again.")


class Shell:
    """Runs programs on a host.

    Args:
        transport: The connection.
        host: The host's name, for errors.
        stall: Seconds without a byte after which the host counts as lost.

    Attributes:
        folder: Our folder there, in which running programs are noted; empty for none yet.
        programs: The names of the programs that were found there.
    """

    def __init__(self, transport: paramiko.Transport, host: str, stall: float) -> None:
        self.transport = transport
        self.host = host
        self.folder = ""
        self.programs: frozenset[str] = frozenset()
        self._stall = stall

    def end(self) -> None:
        """Close the connection, from whatever thread; all that is running there ends."""
        self.transport.close()

    def has(self, name: str) -> bool:
        """Whether a program of this name was found."""
        return name in self.programs

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        return self.script(f"test -f {shlex.quote(path)}").code == 0

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> Finished:
        """Run a program to its end, which must come in so many seconds."""
        return self._found(argv, self.script(self._watched(argv), timeout=timeout))

    def work(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stdout: str = "",
    ) -> Finished:
        """Run a program that may take long; it counts as lost only when it moves no byte.

        Args:
            argv: The program and its arguments.
            stdin: What it reads.
            environment: Variables of its own; it has none that tell of a docker login.
            stdout: The file there that takes its output; empty to return it.
        """
        into = f" >{shlex.quote(stdout)}" if stdout else ""
        script = _settings(environment or {}) + self._watched(argv, into, _HEARTBEAT)
        return self._found(argv, self.script(script, stdin, None))

    def _found(self, argv: Sequence[str], done: Finished) -> Finished:
        if done.code in (_NOT_FOUND, _NOT_EXECUTABLE):
            raise EngineError(f"{argv[0]} cannot be started on {self.host}.")
        return done

    def script(self, script: str, stdin: bytes = b"", timeout: float | None = 60) -> Finished:
        """Run a script of ours to its end."""
        until = None if timeout is None else time.monotonic() + timeout
        with self.output(script) as output:
            output.send(stdin)
            parts, length = [], 0
            while data := output.read(_CHUNK):
                parts.append(data)
                length += len(data)
                if length > _LONGEST_ANSWER:
                    raise EngineError(f"{self.host} does not stop answering.")
                if until is not None and time.monotonic() > until:
                    raise EngineError(f"{self.host} gave no answer in {timeout:.0f} seconds.")
            return output.finish(b"".join(parts))

    def run_visibly(self, argv: Sequence[str], folder: str) -> int:
        """Run a program in a folder, with its whole output on our stderr; return its status."""
        script = f"cd {shlex.quote(folder)} || exit 1\nexec 2>&1\n{self._watched(argv)}"
        with self.output(script) as output:
            output.send(b"")
            while data := output.read(_CHUNK):
                sys.stderr.write(data.decode(errors="replace"))
            return output.finish().code

    @contextlib.contextmanager
    def stream(self, argv: Sequence[str]) -> Iterator[Output]:
        """Start a program and read its stdout as it comes; the program ends with the block."""
        with self.output(self._watched(argv)) as output:
            output.send(b"")
            yield output

    @contextlib.contextmanager
    def output(self, script: str) -> Iterator[Output]:
        """Start a script of ours; its channel is closed with the block."""
        try:
            channel = self.transport.open_session(timeout=self._stall)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise HostLostError(
                f"{self.host} opens no more sessions: {str(error) or 'the connection broke'}.",
                "Push again.",
            ) from None
        channel.settimeout(min(self._stall, _LOOK_SECONDS))
        output = Output(channel, self.host, self._stall)
        with contextlib.closing(output):
            output.start(script)
            output.skip()
            yield output

    def _watched(self, argv: Sequence[str], into: str = "", heartbeat: str = "") -> str:
        if not self.folder:
            return f"exec {shlex.join(argv)}{into}"
        folder = shlex.quote(self.folder)
        return _WATCHED.format(argv=shlex.join(argv), folder=folder, into=into, heartbeat=heartbeat)


def _settings(environment: Mapping[str, str]) -> str:
    return "unset DOCKER_CONFIG DOCKER_AUTH_CONFIG REGISTRY_AUTH_FILE\n" + "".join(
        f"{name}={shlex.quote(value)}; export {name}\n" for name, value in environment.items()
    )
