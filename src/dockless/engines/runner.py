"""The one place where an engine is started: through `sh`, watched, and always ended.

The child gets an empty home, its credential as a file in memory, and of our environment only what
a network program needs.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockless.engines.failures import failure
from dockless.model.errors import EngineError, NetworkError, out_of_time
from dockless.ports import Task

if TYPE_CHECKING:
    import sh

_KEPT = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "PATH",
    "TZ",
)
_ANY_STATUS = tuple(range(-64, 256))
_WATCH_SECONDS = 0.1
_END_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an engine may take.

    Attributes:
        deadline: The moment, on the clock of `time.monotonic`, when it is ended; None for never.
        stall: Seconds without a byte moved after which it is ended.
    """

    deadline: float | None = None
    stall: float = 120.0


class Runner:
    """Runs the engines of one push.

    Args:
        environment: Ours; the engines get the proxies and certificates in it.
        home: A private folder for them, made here.
        host: The registry, for messages.
        limits: How long they may take.
    """

    def __init__(
        self, environment: Mapping[str, str], home: Path, host: str, limits: Limits
    ) -> None:
        home.mkdir(mode=0o700, exist_ok=True)
        self.home = home
        self._host = host
        self._limits = limits
        self._environment = {key: environment[key] for key in _KEPT if key in environment} | {
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(home),
            "TMPDIR": str(home),
            "LC_ALL": "C",
        }

    def run(
        self,
        program: Path,
        arguments: tuple[str, ...],
        extra: Mapping[str, str],
        descriptors: set[int],
        sending: Task | None = None,
    ) -> str:
        """Run an engine to its end, and return its stdout.

        Args:
            program: The engine.
            arguments: Its arguments.
            extra: Environment that only this engine needs.
            descriptors: Open files that it inherits.
            sending: Told of every byte that it writes.

        Raises:
            NetworkError: The network, the registry, a stall or the deadline stopped it.
            AuthError: The registry does not allow it.
            PushError: It failed in another way.
            EngineError: It cannot be started.
        """
        import sh  # noqa: PLC0415 - a warm push starts no engine, and sh brings asyncio along

        try:
            command = sh.Command(str(program))(
                *arguments,
                _env=self._environment | dict(extra),
                _pass_fds=descriptors,
                _tty_out=False,
                _return_cmd=True,
                _bg=True,
                _bg_exc=False,
                _ok_code=_ANY_STATUS,
                _decode_errors="replace",
                _internal_bufsize=256,
            )
        except (sh.CommandNotFound, sh.ForkException, OSError):
            raise EngineError(
                f"{program} cannot be started.", "Run 'dockless tools list' to see what is there."
            ) from None
        child = command.process
        with _ended(child), _watched(child, self._limits, sending) as verdict:
            command.wait()
        if verdict:
            raise verdict[0](self._host)
        if command.exit_code:
            raise failure(program.name, self._host, command.exit_code, command.stderr.decode())
        return str(command)


def load() -> None:
    """Load what the first engine would load, which takes a tenth of a second."""
    import sh  # noqa: F401, PLC0415 - that is the purpose


Verdict = Callable[[str], NetworkError]


@contextlib.contextmanager
def _watched(child: "sh.OProc", limits: Limits, sending: Task | None) -> Iterator[list[Verdict]]:
    """Watch a child's byte counters from a thread; yield where its verdict will stand."""
    verdict: list[Verdict] = []
    done = threading.Event()

    def watch() -> None:
        moved, changed = _moved(child.pid), time.monotonic()
        while not done.wait(_WATCH_SECONDS):
            before, moved, now = moved, _moved(child.pid) or moved, time.monotonic()
            if sending:
                sending.advance(max(0, moved[1] - before[1]) if moved and before else 0)
            if moved != before:
                changed = now
            if limits.deadline is not None and now > limits.deadline:
                verdict.append(out_of_time)
            elif moved and now - changed > limits.stall:
                verdict.append(_stalled(limits.stall))
            if verdict:
                child.kill()
                return

    watcher = threading.Thread(target=watch, name="engine-watch")
    watcher.start()
    try:
        yield verdict
    finally:
        done.set()
        watcher.join()


def _moved(pid: int) -> tuple[int, int] | None:
    """Return the bytes a process has read and written so far; None where nobody counts them."""
    try:
        fields = Path(f"/proc/{pid}/io").read_text().split()
        return int(fields[1]), int(fields[3])
    except (OSError, IndexError, ValueError):
        return None


def _stalled(seconds: float) -> Verdict:
    return lambda host: NetworkError(
        f"The push to {host} moved no byte for {seconds:.0f} seconds.", "Check the network."
    )


@contextlib.contextmanager
def _ended(child: "sh.OProc") -> Iterator[None]:
    """End the child when the block is left by an exception, such as Ctrl-C."""
    try:
        yield
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
            end = time.monotonic() + _END_SECONDS
            while child.is_alive()[0] and time.monotonic() < end:
                time.sleep(_WATCH_SECONDS / 2)
            if child.is_alive()[0]:
                child.kill()
        raise
