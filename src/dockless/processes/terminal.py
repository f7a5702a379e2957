"""All output of dockless is written here.

A test over the syntax tree sees that nothing else in the package prints.
"""

import contextlib
import math
import os
import select
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

from dockless.errors import NetworkError, PushError
from dockless.model.printable import bounded_lines, one_line, printable, printed_lines
from dockless.processes.regular import write_all

HAS_RESULT = threading.Event()
"""Whether anything was written to standard output, or was to be, since a command began."""


_turn = threading.RLock()
"""Has whoever writes, so that two threads do not both find room for the same bytes."""


def open_standard_streams() -> None:
    """Open those that were closed when we were started, to what is empty.

    Else the next file that is opened would get the number of one of them. Standard error
    discards everything; standard output fails, so that a result is not lost silently.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # the lowest number that is free, as those before it are open
            opened = os.open(os.devnull, os.O_RDONLY if name == "stdout" else os.O_RDWR)
            os.set_inheritable(opened, True)  # noqa: FBT003 # the signature is Python's
            setattr(sys, name, os.fdopen(opened, "w" if number else "r"))


def say(text: object, *, err: bool = False) -> None:
    """Write text with an end of line to standard output, or to standard error.

    Args:
        text: What to write; names in it may come from anywhere.
        err: Whether it is a message and not the result.

    Raises:
        BrokenPipeError: The reader of standard output has exited.
        PushError: Standard output cannot be written.
    """
    if err:
        write_line(sys.stderr, str(text))
        return
    with _to_standard_output():
        _put(sys.stdout, f"{printable(str(text))}\n")


def tell(message: object) -> None:
    """Write a message to standard error as one line, whatever names and words stand in it.

    A line end in them would begin a line that we seem to say.
    """
    say(one_line(str(message)), err=True)


def is_shown() -> bool:
    """Whether standard output is a terminal, which is no place for an archive."""
    return sys.stdout.isatty()


class StandardOutput:
    """Standard output as a file that takes the bytes of an archive."""

    def write(self, data: bytes) -> int:
        """Write bytes; the errors are those of `say`."""
        with _to_standard_output():
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        return len(data)


@contextlib.contextmanager
def _to_standard_output() -> Iterator[None]:
    HAS_RESULT.set()
    try:
        yield
    except BrokenPipeError:
        _silence(sys.stdout)
        raise
    except OSError as error:
        raise unwritten(error) from None
    except BaseException:
        _give_up(sys.stdout)
        raise


def unwritten(error: OSError) -> PushError:
    """Return the error for a result that standard output does not take."""
    _silence(sys.stdout)
    return PushError(
        f"Standard output cannot be written: {error.strerror}.",
        "Completed work is kept; check where standard output is redirected.",
    )


def write_line(stream: TextIO, text: str) -> None:
    """Write a message; errors of a closed terminal or pipe are ignored.

    Words of a registry, a host or a file in it may be of any length, so no line of it is.

    Args:
        stream: Where to: standard error, as a rule.
        text: What to write.
    """
    put(stream, f"{printable(bounded_lines(text))}\n")


def relay(text: str) -> None:
    """Write what a program printed on another machine to standard error, as it comes."""
    put(sys.stderr, printed_lines(text))


def put(stream: TextIO, text: str) -> None:
    """Write text that is fit for a terminal already, such as a bar, as `write_line` does."""
    try:
        _put(stream, text)
    except (OSError, NetworkError):  # or its reader took nothing until the command's time was over
        _silence(stream)
    except BaseException:
        _give_up(stream)
        raise


def _put(stream: TextIO, text: str) -> None:
    """Write text to a stream; of a reader that takes nothing, a signal or the limit ends the wait.

    Raises:
        OSError: It cannot be written.
        NetworkError: The command's time was over before its reader took it.
    """
    encoding = getattr(stream, "encoding", None) or "utf-8"
    # a terminal of another encoding than UTF-8 lacks most letters
    data = text.encode(encoding, "backslashreplace")
    try:
        descriptor = stream.fileno()
    except (OSError, ValueError, AttributeError):  # in memory
        stream.write(data.decode(encoding))
        stream.flush()
        return
    stream.flush()
    # another thread may wait for that reader, for as long as the command may
    if len(data) <= select.PIPE_BUF and _turn.acquire(blocking=False):
        try:
            if _has_room(descriptor):
                write_all(descriptor, data)
                return
        finally:
            _turn.release()
    from dockless.concurrency import waited_for  # noqa: PLC0415 - rare
    from dockless.errors import time_is_over  # noqa: PLC0415 - rare
    from dockless.processes import pipes  # noqa: PLC0415 - rare

    if not waited_for(lambda seconds: _turn.acquire(timeout=seconds)):
        raise time_is_over("Writing a message")
    try:
        pipes.write(descriptor, data, stream.name, patience=math.inf)
    finally:
        _turn.release()


def _has_room(descriptor: int) -> bool:
    """Whether a short write does not wait for a reader; a file has none."""
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return bool(poll.poll(0))


def _give_up(stream: TextIO) -> None:
    """Discard what a stream still holds where its reader takes nothing, as a signal ended the wait.

    Else the interpreter would wait for the reader again when it ends.
    """
    from dockless.processes.pipes import is_full  # noqa: PLC0415 - rare

    with contextlib.suppress(OSError, ValueError):
        if is_full(stream.fileno()):
            _silence(stream)


def _silence(stream: TextIO) -> None:
    """Redirect a failed stream to nothing: its buffer would fail again at exit."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
