"""All output of dockless is written here.

A test over the syntax tree sees that nothing else in the package prints.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

from dockless.errors import PushError
from dockless.model.printable import bounded_lines, one_line, printable, printed_lines

HAS_RESULT = threading.Event()
"""Whether anything was written to standard output, or was to be, since a command began."""


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
    except OSError:
        _silence(stream)
    except BaseException:
        _give_up(stream)
        raise


def _put(stream: TextIO, text: str) -> None:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    # a terminal of another encoding than UTF-8 lacks most letters
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


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
