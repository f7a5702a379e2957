"""Programs on a host, as `processes.programs.Programs`."""

import codecs
import contextlib
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence

import paramiko

from dockless.errors import EngineError, HostLostError
from dockless.model.reasons import clean, reason
from dockless.processes.run import Finished
from dockless.processes.terminal import relay
from dockless.ssh.output import LOOK_SECONDS, Output
from dockless.ssh.sessions import Again, Sessions

BROKEN = (paramiko.SSHException, EOFError)
"""What paramiko raises when the connection breaks."""

_CHUNK = 1024 * 1024
_LONGEST_ANSWER = 64 * 1024 * 1024
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126
# The child's own process ID is noted in our folder while it runs, so that the guardian can end it.
_WATCHED = """\
DOCKLESS_WORKPLACE={folder}; export DOCKLESS_WORKPLACE
set -- {argv}
h=
exec 3<&0
"$@" <&3 3<&-{into} & p=$!
(echo "$p" >{folder}/pid."$p") 2>/dev/null || kill "$p"
{heartbeat}wait "$p"; s=$?
[ -n "$h" ] && kill "$h" 2>/dev/null && wait "$h" 2>/dev/null
rm -f {folder}/pid."$p"
exit "$s"
"""
# A blank line on stderr for as long as the child moves bytes, so that it is not silent.
# Its sleep must end with it, whenever the TERM comes: before `n` is known, or while it waits.
_HEARTBEAT = """\
(exec 4>&2 2>/dev/null
n= ended= last=
trap 'ended=yes; [ -z "$n" ] || kill -KILL "$n"' TERM
while [ -z "$ended" ] && kill -0 "$p"; do
  sleep 5 >&2 4>&- & n=$!
  [ -z "$ended" ] || kill -KILL "$n"
  wait "$n"
  [ -z "$ended" ] || { wait "$n"; break; }
  io=$(cat /proc/"$p"/io) || io=$(date)
  [ "$io" = "$last" ] || echo >&4
  last=$io
done) & h=$!
"""


class RemoteShell:
    """Runs programs on a host.

    Args:
        transport: The connection.
        host: The host's name, for errors.
        stall: Seconds without a byte after which the host counts as lost.
        again: Makes a further connection, for a host that allows few sessions on one.

    Attributes:
        sessions: Where its programs run.
        folder: Our folder there, in which running programs are noted; empty for none yet.
        programs: The names of the programs that were found there.
    """

    def __init__(
        self, transport: paramiko.Transport, host: str, stall: float, again: Again | None = None
    ) -> None:
        self.transport = transport
        self.sessions = Sessions(transport, again)
        self.host = host
        self.folder = ""
        self.programs: frozenset[str] = frozenset()
        self._stall = stall

    def end(self) -> None:
        """Close the connection, from whatever thread; all that is running there ends."""
        self.sessions.end()

    def close(self) -> None:
        """Close what was opened beside the first connection."""
        self.sessions.close()

    def has(self, name: str) -> bool:
        """Whether a program of this name was found."""
        return name in self.programs

    def is_file(self, path: str) -> bool:
        """Whether there is such a file."""
        return self.script(f"test -f {shlex.quote(path)}").code == 0

    def run(self, argv: Sequence[str], *, timeout: float = 60) -> Finished:
        """Run a program to its end, within this number of seconds."""
        return self._found(argv, self.script(self._watched(argv), timeout=timeout))

    def work(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        environment: Mapping[str, str] | None = None,
        stdout: str = "",
    ) -> Finished:
        """Run a program that may take long; it counts as lost only when it transfers no byte.

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
        """Run a script of dockless to its end."""
        until = None if timeout is None else time.monotonic() + timeout
        # what runs no commands may wait for the end of its input
        with self.output(script, None if stdin else b"", ends=True) as output:
            if stdin:
                output.send(stdin)
            parts, length = [], 0
            while data := output.read(_CHUNK):
                parts.append(data)
                length += len(data)
                if length > _LONGEST_ANSWER:
                    raise EngineError(f"{self.host} does not stop sending output.")
                if until is not None and time.monotonic() > until:
                    raise EngineError(f"{self.host} did not respond within {timeout:.0f} seconds.")
            return output.finish(b"".join(parts))

    def run_visibly(self, argv: Sequence[str], folder: str) -> int:
        """Run a program in a folder, with its output on our stderr; return its status."""
        script = f"cd {shlex.quote(folder)} || exit 1\nexec 2>&1\n{self._watched(argv)}"
        with self.output(script) as output:
            output.send(b"")
            decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
            while data := output.read(_CHUNK):
                relay(decoder.decode(data))
            return output.finish().code

    @contextlib.contextmanager
    def stream(self, argv: Sequence[str]) -> Iterator[Output]:
        """Start a program and read its stdout as it comes; the program ends with the block."""
        with self.output(self._watched(argv)) as output:
            output.send(b"")
            yield output

    @contextlib.contextmanager
    def output(
        self, script: str, opening: bytes | None = None, *, ends: bool = False
    ) -> Iterator[Output]:
        """Start a script of dockless; its channel is closed with the block.

        Args:
            script: The script.
            opening: What it reads at once, before it is known to run: no secret; None for nothing.
            ends: Whether its input ends with that.
        """
        try:
            channel = self.sessions.open(self._stall)
        except paramiko.ChannelException as error:
            raise EngineError(
                f"{self.host} opens no session for this account"
                f"{f': {clean(error.text)}' if error.text else ''}.",
                "Use an account there that may run commands; see MaxSessions of its sshd.",
            ) from None
        except (*BROKEN, OSError) as error:
            raise HostLostError(
                f"{self.host} opens no further sessions: {reason(error)}.",
                "Push again.",
            ) from None
        channel.settimeout(min(self._stall, LOOK_SECONDS))
        output = Output(channel, self.host, self._stall)
        with contextlib.closing(output):
            output.start(script)
            if opening is not None:
                output.offer(opening, ends=ends)
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
