"""Run a program to its end, or read what it writes while it writes."""

import contextlib
import os
import selectors
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

from msgspec import Struct

from dockless.concurrency import seconds_left
from dockless.errors import EngineError, NetworkError, time_is_over
from dockless.processes.children import child, end, kill
from dockless.processes.program_log import log_end, log_start
from dockless.processes.search import program_of
from dockless.processes.unnamed_files import unnamed_file

NETWORK_VARIABLES = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
"""The variables by which programs know proxies and certificate authorities."""

_PATIENCE_SECONDS = 5.0
_PIECE = 64 * 1024


class Finished(Struct, frozen=True):
    """A program that ended by itself.

    Attributes:
        code: Its exit status; negative for the signal that ended it.
        stdout: What it wrote there.
        stderr: What it wrote there, decoded, without trailing blanks.
    """

    code: int
    stdout: bytes
    stderr: str


def run(  # noqa: PLR0913 - each is documented, and all but two go by keyword
    argv: Sequence[str],
    environment: Mapping[str, str],
    *,
    stdin: bytes = b"",
    timeout: float | None = 60,
    cwd: str | os.PathLike[str] | None = None,
    alone: bool = False,
    most: int | None = None,
) -> Finished:
    """Run a program to its end, and return its output, whatever its exit status.

    Args:
        argv: The program and its arguments; never a shell.
        environment: The caller's environment; see `child_environment`.
        stdin: What the child reads.
        timeout: Seconds after which it is killed; None for no limit.
        cwd: The folder it runs in.
        alone: Whether it needs no terminal, as a password that is asked for there: it is a process
            group of its own then, which is killed as a whole. Else what is known of what it
            started is; see `Descendants`.
        most: How many bytes it may write to stdout; its stderr is discarded then. None for no
            limit.

    Raises:
        EngineError: It cannot be started, did not end in time, or wrote too much.
        NetworkError: The command's time was over before.
    """
    log_start(argv)
    try:
        with child(
            argv,
            environment,
            executable=program_of(argv[0], environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if most is None else subprocess.DEVNULL,
            cwd=cwd,
            process_group=0 if alone else None,
        ) as started:
            try:
                if most is None:
                    stdout, stderr = started.communicate(stdin, timeout=within_time(timeout))
                else:
                    stdout, stderr = _bounded(started, stdin, within_time(timeout), most), b""
            except BaseException:
                kill(started)
                raise
    except (OSError, ValueError) as error:
        raise _unstarted(argv, error) from None
    except subprocess.TimeoutExpired:
        raise late(argv, f"{argv[0]} did not finish within {timeout:.0f} seconds.") from None
    log_end(argv, started.returncode)
    return Finished(started.returncode, stdout, stderr.decode(errors="replace").rstrip())


def _bounded(
    started: subprocess.Popen[bytes], stdin: bytes, timeout: float | None, most: int
) -> bytes:
    """Do what `communicate` does for a question that fits a pipe, and an answer with a bound.

    Raises:
        EngineError: It wrote more.
        TimeoutExpired: It did not end in time.
    """
    end = None if timeout is None else time.monotonic() + timeout
    question, answer = started.stdin, started.stdout
    if question is None or answer is None:
        raise ValueError("the child has no pipes")
    with contextlib.suppress(BrokenPipeError), question:
        question.write(stdin)
    written = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(answer, selectors.EVENT_READ)
        while True:
            left = None if end is None else end - time.monotonic()
            if (left is not None and left <= 0) or not selector.select(left):
                raise subprocess.TimeoutExpired(started.args, timeout or 0)
            piece = os.read(answer.fileno(), _PIECE)
            if not piece:
                break
            written += piece
            if len(written) > most:
                raise EngineError(f"It wrote more than the limit of {most} B.")
    started.wait(timeout=None if end is None else max(0.0, end - time.monotonic()))
    return bytes(written)


def within_time(seconds: float | None) -> float | None:
    """Return the seconds that a program may take: these, or less where `--timeout` ends before."""
    given = [each for each in (seconds, seconds_left()) if each is not None]
    return min(given, default=None)


def late(argv: Sequence[str], what: str) -> EngineError | NetworkError:
    """Return the error for a program that took longer than `within_time` allows.

    Args:
        argv: The program and its arguments.
        what: What to say where it is not `--timeout` that ended it.
    """
    return time_is_over(argv[0]) if seconds_left() == 0 else EngineError(what)


def run_visibly(
    argv: Sequence[str], environment: Mapping[str, str], cwd: str | os.PathLike[str]
) -> int:
    """Run a program with its output on our stderr; return its exit status.

    Raises:
        EngineError: It cannot be started.
        NetworkError: The command's time was over before its end.
    """
    log_start(argv)
    try:
        with child(
            argv,
            environment,
            executable=program_of(argv[0], environment),
            stdin=subprocess.DEVNULL,
            stdout=2,
            cwd=cwd,
        ) as started:
            try:
                code = started.wait(timeout=within_time(None))
            finally:
                end(started)
    except (OSError, ValueError) as error:
        raise _unstarted(argv, error) from None
    except subprocess.TimeoutExpired:
        raise time_is_over(argv[0]) from None
    log_end(argv, code)
    return code


def _unstarted(argv: Sequence[str], error: OSError | ValueError) -> EngineError:
    """Return the error for a program that cannot be started.

    A ValueError is of an argument that no program can have: with a NUL, or a lone surrogate. It is
    not shown, as it quotes the argument.
    """
    why = error.strerror if isinstance(error, OSError) else "an argument is not valid text"
    return EngineError(f"{argv[0]} cannot be started: {why}.")


@contextlib.contextmanager
def started_program(
    argv: Sequence[str],
    environment: Mapping[str, str],
    **how: Any,  # noqa: ANN401 - as Popen takes them
) -> Iterator[subprocess.Popen[bytes]]:
    """Start a program that reads nothing, with its stdout in a pipe, and wait for its end.

    Args:
        argv: The program and its arguments; never a shell.
        environment: The caller's environment; see `child_environment`.
        how: Further arguments of `subprocess.Popen`.

    Raises:
        EngineError: It cannot be started.
    """
    log_start(argv)
    with contextlib.ExitStack() as stack:
        try:
            started = stack.enter_context(
                child(
                    argv,
                    environment,
                    executable=program_of(argv[0], environment),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    **how,
                )
            )
        except (OSError, ValueError) as error:
            raise _unstarted(argv, error) from None
        yield started


class Stream:
    """A running program whose stdout is read while it writes.

    Attributes:
        stdout: The pipe's read end.
    """

    def __init__(self, argv: Sequence[str], child: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        if child.stdout is None:
            raise ValueError("the child's stdout is not a pipe")
        self.stdout: IO[bytes] = child.stdout
        self._argv = argv
        self._child = child
        self._log = log

    def finish(self) -> Finished:
        """Wait for the end after stdout ran dry, and return the status and stderr."""
        try:
            code = self._child.wait(timeout=within_time(_PATIENCE_SECONDS))
        except subprocess.TimeoutExpired:
            closed = f"{self._argv[0]} closed its output but does not end."
            raise late(self._argv, closed) from None
        log_end(self._argv, code)
        self._log.seek(0)
        return Finished(code, b"", self._log.read().decode(errors="replace").rstrip())


@contextlib.contextmanager
def stream(argv: Sequence[str], environment: Mapping[str, str]) -> Iterator[Stream]:
    """Start a program and read its stdout as it comes; the program ends with the block.

    Raises:
        EngineError: It cannot be started.
    """
    with (
        unnamed_file() as log,
        started_program(argv, environment, stderr=log, bufsize=0) as started,
    ):
        try:
            yield Stream(argv, started, log)
        finally:
            end(started)
