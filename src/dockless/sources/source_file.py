"""A file that a source is read from, which may be a pipe."""

import contextlib
import io
import math
import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from dockless.errors import SourceError, time_is_over

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 1024 * 1024
PipeRead = TypeVar("PipeRead", bytes, int)


class SourceFile(io.FileIO):
    """A file that is read; an OSError becomes a SourceError.

    It may be a pipe: a wait for what its writer sends lasts until the command's time is over, and
    then gets a NetworkError.

    Args:
        path: The file.
        patience: How many seconds a pipe may have no writer at first.
    """

    def __init__(self, path: Path, patience: float = 30.0) -> None:
        self._label = str(path)
        self._patience = patience
        with reading(self._label):
            self._is_pipe = path.is_fifo()
            super().__init__(path, opener=_open_pipe if self._is_pipe else None)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes; none at the end."""
        if size is None or size < 0:
            return self.readall()
        with reading(self._label):
            data: bytes = self._pulled(partial(super().read, size))
            return data

    def readall(self) -> bytes:
        """Return all of it."""
        if self._is_pipe:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        with reading(self._label):
            return super().readall()

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Read into a buffer; return how many bytes."""
        with reading(self._label):
            length: int = self._pulled(partial(super().readinto, buffer))
            return length

    def _pulled(self, pull: Callable[[], PipeRead | None]) -> PipeRead:
        """Return what is read, of a pipe once its writer, which may have stopped, has sent it."""
        while True:
            self._wait()
            found = pull()
            if found in (b"", 0) and self._is_pipe and not self._had_writer():
                raise SourceError(
                    f"{self._label} cannot be read: no process writes to that pipe.",
                    "Start its writer, or leave it out.",
                )
            self._patience = math.inf  # there are bytes, or there is a writer that sent none yet
            if found is not None:
                return found

    def _had_writer(self) -> bool:
        from dockless.processes.pipes import is_readable  # noqa: PLC0415 - for pipes only

        return is_readable(self.fileno())

    def _wait(self) -> None:
        """Wait for the writer of a pipe, which may have stopped."""
        if self._is_pipe:
            from dockless.processes.pipes import readable  # noqa: PLC0415 - for pipes only

            if not readable(self.fileno(), self._patience):
                raise time_is_over(f"Reading {self._label}")


def _open_pipe(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


@contextlib.contextmanager
def reading(label: str) -> Iterator[None]:
    """Turn the OSError of reading a file or folder into a SourceError."""
    try:
        yield
    except PermissionError:
        raise SourceError(
            f"{label} cannot be read: this user has no permission.",
            "Change its permissions or owner, or run as another user.",
        ) from None
    except OSError as error:
        raise SourceError(
            f"{label} cannot be read: {error.strerror}.", "Check the file and its disk."
        ) from None
