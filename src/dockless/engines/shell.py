"""A small shell, itself started through `sh`, that starts the engines of one session.

To start a program, `sh` copies the process that asks for it: 10 to 20 ms of processor time for one
as large as dockless, and less than 1 ms for a shell. So the shell is started once. It reads its
commands from a pipe, so no argument of `ps` has them, and ends when the pipe does.

The shell and all that an engine starts are one process group. While an engine runs the shell
keeps reading the pipe: at its end, which comes also when dockless is killed, the group gets
SIGTERM, with SIGCONT for what is stopped, and SIGKILL two seconds later. (A parent-death signal
would not do: it is sent when the *thread* that forked ends.)
"""

import contextlib
import os
import selectors
import shlex
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from msgspec import Struct

from dockless.concurrency import alone, seconds_left
from dockless.errors import EngineError, time_is_over
from dockless.processes.program_log import log_end, log_start
from dockless.threads import NO_THREAD

_LOOK_SECONDS = 0.1
_END_SECONDS = 2
_MARGIN_SECONDS = 0.5
_START_SECONDS = 120.0
_CHUNK = 64 * 1024
_NOT_STARTED = (126, 127)
# elsewhere a child sees only the files that it inherits, so each engine gets a shell of its own
_LASTS = sys.platform == "linux"
# A signal that the shell handles is at its default again in what it starts. B is set while an
# engine runs. Its own stdout and stderr are closed first: then they end when the last of the others
# has ended. The group has to exist: `kill 0` would reach us where it could not be made.
_BEGIN = f"""trap : HUP INT QUIT TERM
B=
end() {{
    exec >&- 2>&-
    kill -s TERM -- -$$
    kill -s CONT -- -$$
    [ -z "$B" ] || {{ sleep {_END_SECONDS}; kill -s KILL -- -$$; }}
}}
trap end EXIT
"""
_DONE = "wait; B=\n"


class Ended(Struct, frozen=True):
    """How an engine ended.

    Attributes:
        status: Its exit status, as a shell tells it.
        stdout: What it wrote there.
        stderr: And there.
    """

    status: int
    stdout: bytes
    stderr: bytes


def path_of(descriptor: int) -> str:
    """Return the path by which an engine opens a file that is open here."""
    return f"/proc/{os.getpid()}/fd/{descriptor}" if _LASTS else f"/dev/fd/{descriptor}"


def load() -> None:
    """Load what the first engine would load, which takes a tenth of a second."""
    import sh  # noqa: F401, PLC0415 - that is the purpose


class Shell:
    """Runs engines, one at a time; each of them is ended when its run is left."""

    def __init__(self) -> None:
        self._pipes: _Pipes | None = None

    def run(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        descriptors: Collection[int],
        look: Callable[[int], None],
    ) -> Ended:
        """Run a program to its end.

        Args:
            argv: The program and its arguments.
            environment: All of its environment.
            descriptors: Open files that it reads by `path_of`.
            look: Called with its process id again and again; what it raises ends the program.

        Raises:
            EngineError: It cannot be started.
        """
        log_start(argv, with_arguments=True)
        pipes = self._pipes = self._pipes or _Pipes.open(descriptors)
        try:
            ended = pipes.run(argv, environment, look)
        except BaseException:
            self.close()
            raise
        log_end(argv, ended.status)
        if not _LASTS:
            self.close()
        if ended.status in _NOT_STARTED:
            raise EngineError(
                f"{argv[0]} cannot be started.",
                "Run 'dockless tools list' to see what is installed.",
            )
        return ended

    def close(self) -> None:
        """End the shell."""
        if self._pipes:
            self._pipes.close()
            self._pipes = None


class _Pipes:
    """A running shell, and the pipes to it: commands, stdout, stderr, and what became of them."""

    def __init__(self, commands: int, reads: tuple[int, int, int], told: str) -> None:
        stdout, stderr, news = reads
        self._commands: int | None = commands
        self._said = {stdout: b"", stderr: b"", news: b""}
        self._stdout, self._stderr, self._news = stdout, stderr, news
        self._told = told
        self._group: int | None = None
        self._selector = selectors.DefaultSelector()
        for each in self._said:
            self._selector.register(each, selectors.EVENT_READ)

    @classmethod
    def open(cls, descriptors: Collection[int]) -> "_Pipes":
        """Start a shell that inherits these files."""
        import sh  # noqa: PLC0415 - a warm push starts no engine, and sh brings asyncio along

        reads, writes = zip(*(os.pipe() for _ in range(4)), strict=True)
        os.set_inheritable(writes[3], True)  # noqa: FBT003  # the signature is Python's
        files = "/dev/fd" if os.path.exists("/dev/fd") else "/proc/self/fd"  # noqa: PTH110
        pipes = cls(writes[0], (reads[1], reads[2], reads[3]), f"{files}/{writes[3]}")
        try:
            start = partial(
                sh.Command("/bin/sh"),
                "-s",
                _in=reads[0],
                _out=writes[1],
                _err=writes[2],
                _env={},
                _pass_fds={writes[3], *descriptors},
                # Ctrl-C at a terminal reaches us alone; which engine ends is decided here
                _new_session=True,
                _bg=True,
                _bg_exc=False,
                _return_cmd=True,
            )
            # sh starts threads, for which it waits for ever where there is no memory for them
            running = alone(start).result(_START_SECONDS)
        except (sh.CommandNotFound, sh.ForkException, OSError, *NO_THREAD):
            pipes.close()
            raise EngineError("/bin/sh cannot be started, but engines need it.") from None
        finally:
            for each in (reads[0], *writes[1:]):
                os.close(each)
        pipes._group = running.pid
        pipes._write(_BEGIN)
        return pipes

    def run(
        self, argv: Sequence[str], environment: Mapping[str, str], look: Callable[[int], None]
    ) -> Ended:
        """Have the shell run a program, and wait for it."""
        for each in self._said:
            self._said[each] = b""
        given = (f"{key}={shlex.quote(text)}" for key, text in environment.items())
        command = " ".join((*given, *map(shlex.quote, argv)))
        told = self._told
        # the last `wait` is for an engine that a signal to the whole group has not ended yet
        waited = f"{{ trap : TERM; {command} </dev/null & echo $! >{told}; wait $!; "
        line = f"B=1; {waited}echo $? >{told}; wait; }} &\n"
        try:
            self._write(line)
            engine = int(self._await_news(1, _until(_START_SECONDS)))
            status = int(self._await_news(2, lambda: look(engine)))
            self._write(_DONE)
        except BaseException:
            self._end()
            raise
        while self._read_ready(0):
            pass
        return Ended(status, self._said[self._stdout], self._said[self._stderr])

    def close(self) -> None:
        """Close the pipes, which ends the shell."""
        self._selector.close()
        self._close_commands()
        for each in self._said:
            os.close(each)

    def _close_commands(self) -> None:
        if self._commands is not None:
            os.close(self._commands)
            self._commands = None

    def _await_news(self, count: int, look: Callable[[], None]) -> bytes:
        while self._said[self._news].count(b"\n") < count:
            self._read_ready(_LOOK_SECONDS)
            look()
        return self._said[self._news].splitlines()[count - 1]

    def _read_ready(self, seconds: float) -> bool:
        """Read from each pipe, waiting this long for data; return whether there was any."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            data = os.read(key.fd, _CHUNK)
            if not data:
                raise EngineError("The shell that runs the engines was terminated.", "Try again.")
            self._said[key.fd] += data
        return bool(ready)

    def _end(self) -> None:
        """Terminate the program and its children, gracefully if possible, and wait for that.

        The shell does it once its commands end; here it is only made sure of.
        """
        self._close_commands()
        self._signal(os.kill, signal.SIGCONT)  # it may be stopped itself
        end = time.monotonic() + _END_SECONDS + _MARGIN_SECONDS
        written = {self._stdout, self._stderr}
        while written and (left := end - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                if not os.read(key.fd, _CHUNK):
                    self._selector.unregister(key.fd)
                    written.discard(key.fd)
        self._signal(os.killpg, signal.SIGKILL)

    def _signal(self, send: Callable[[int, int], None], number: signal.Signals) -> None:
        if self._group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: of what ended
                send(self._group, number)

    def _write(self, text: str) -> None:
        data = os.fsencode(text)
        try:
            while data and self._commands is not None:
                data = data[os.write(self._commands, data) :]
        except BrokenPipeError:
            raise EngineError(
                "The shell that runs the engines was terminated.", "Try again."
            ) from None


def _until(seconds: float) -> Callable[[], None]:
    """Return a function that raises EngineError when called after this number of seconds.

    Once the command's time is over it raises NetworkError.
    """
    end = time.monotonic() + seconds

    def look() -> None:
        if seconds_left() == 0:
            raise time_is_over("Starting a program")
        if time.monotonic() > end:
            raise EngineError("The shell that runs the engines does not respond.", "Try again.")

    return look
