"""The files of an archive or a layout directory, as the image formats inside need them."""

import contextlib
import io
import math
import os
import posixpath
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from dockless.errors import AbsentError, SourceError, time_is_over
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.storage.staging import Layer

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 1024 * 1024
PipeRead = TypeVar("PipeRead", bytes, int)


class Documents(Protocol):
    """The names of a source's files, and the content of the small ones."""

    def __contains__(self, name: object) -> bool:
        """Whether there is a file of this name."""

    def document(self, name: str) -> bytes:
        """Return a small file, JSON as a rule; raise SourceError when missing or too large."""


class Files(Documents, Protocol):
    """The named files of one source.

    Attributes:
        label: The source's name in messages.
    """

    label: str

    @property
    def is_archive(self) -> bool:
        """Whether `layer` may be used, since it is not a directory."""

    @property
    def names(self) -> Collection[str]:
        """The paths of its files and links; of a directory those at its top."""

    def size(self, name: str) -> int:
        """Return a file's length in bytes; raise SourceError when it is missing."""

    def layer(self, name: str) -> Layer:
        """Stage a file as a layer, compressed if it is not."""

    def blob(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        """Return a file with this blob, checked against its descriptor and its diffID."""

    def check(self, name: str, blob: Descriptor) -> None:
        """Read a file through; raise SourceError when it is not this blob."""


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


def safe_name(name: str, label: str) -> str:
    """Return the name without `./`; raise SourceError when it is not UTF-8 or leads outside."""
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise SourceError(
            f"{label} has a file name that is not UTF-8: {shown}.",
            "Save the image again: the names of 'docker save', 'podman save' and skopeo are.",
        ) from None
    clean = posixpath.normpath(name)
    if name.startswith("/") or clean == ".." or clean.startswith("../") or "\0" in name:
        raise SourceError(
            f"{label} has a path outside of itself: {name!r}.",
            "Nothing was read from it: such an archive is damaged or an attack.",
        )
    return clean


def link_target(name: str, target: str, label: str, *, hard: bool) -> str:
    """Return the name that a link leads to; raise SourceError when that is outside."""
    if hard:
        return safe_name(target, label)
    if target.startswith("/"):
        raise SourceError(
            f"{label} has a link to a path outside of itself: {name!r} to {target!r}.",
            "Nothing was read through it: such an archive is damaged or an attack.",
        )
    return safe_name(posixpath.join(posixpath.dirname(name), target), label)


def missing(label: str, name: str) -> AbsentError:
    """Return the error for a file that an image needs and its source lacks."""
    remedy = "Save the image again, completely."
    if name.startswith("blobs/"):  # 'docker save' ends well all the same (moby issue 49784)
        remedy += (
            " If Docker itself lacks it, pull the image again first, or save and push one "
            "platform that is there with --platform."
        )
    return AbsentError(f"{label} lacks {name}, which its image needs.", remedy)
