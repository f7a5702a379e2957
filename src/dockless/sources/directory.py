"""OCI layout directories: their blobs are pushed from where they are."""

import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

from dockless.errors import AbsentError, LostCopyError, SourceError
from dockless.model.counts import number
from dockless.oci.digest import Digest
from dockless.oci.manifest import LONGEST_MANIFEST, Descriptor
from dockless.ports import Progress
from dockless.sources.files import missing
from dockless.sources.safe_names import safe_name
from dockless.storage.checks import check
from dockless.storage.staging import Layer

T = TypeVar("T")
_AGAIN = 2


class Folder:
    """The files of a directory.

    Args:
        path: The directory.
        label: Its name in errors.
        progress: Where the work is shown.
        offer: Called with every blob that is about to be checked, and its file.
    """

    is_tar = False

    def __init__(
        self,
        path: Path,
        label: str,
        progress: Progress,
        offer: Callable[[Descriptor, Path], None] = lambda blob, path: None,  # noqa: ARG005
    ) -> None:
        self.label = label
        self._path = Path(os.path.realpath(path))  # Path.resolve raises at a link to itself
        self._progress = progress
        self._offer = offer

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and os.path.isfile(self._inside(name))  # noqa: PTH113 - as below

    @property
    def names(self) -> Collection[str]:
        """The names at its top."""
        with self._reading("this folder"):
            return os.listdir(self._path)  # noqa: PTH208 - names, not paths

    def document(self, name: str) -> bytes:
        """Return a small file."""
        path = self._file(name)
        size = self._size(name)
        if size > LONGEST_MANIFEST:
            raise SourceError(
                f"{self.label}: {name} has {size} bytes, more than any manifest or config."
            )
        with self._reading(name):
            return path.read_bytes()

    def size(self, name: str) -> int:
        """Return a file's length in bytes."""
        return self._size(name)

    def _size(self, name: str) -> int:
        """Return it for the methods here, which `Pulled` repeats as a whole if it is deleted."""
        with self._reading(name):
            return self._file(name).stat().st_size

    def layer(self, name: str) -> Layer:
        """Refuse: a directory holds layouts, whose layers are blobs."""
        raise SourceError(f"{self.label}: {name} is not a blob of an OCI layout.")

    def blob(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        """Return the file itself, after it was read and compared."""
        self._offer(blob, self._file(name))
        return self._checked(name, blob, diff_id)

    def check(self, name: str, blob: Descriptor) -> None:
        """Read a file through; raise SourceError when it is not this blob."""
        self._checked(name, blob, None)

    def _checked(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        path = self._file(name)
        label = f"{self.label}: {name}"
        size = self._size(name)
        if size != blob.size:
            raise SourceError(
                f"{label} has {number(size, 'byte')}, but its manifest says {blob.size}.",
                "Create or copy it again.",
            )
        task = self._progress.start(f"checking {blob.digest.hex[:12]}", size)
        try:
            with self._reading(name), path.open("rb", buffering=0) as file:
                check(file, blob, task, label, diff_id)
        finally:
            task.finish()
        return path

    def _file(self, name: str) -> Path:
        path = self._inside(name)
        # Path.is_file raises where a folder above may not be entered
        if not os.path.isfile(path):  # noqa: PTH113
            raise missing(self.label, name)
        return self._inside(name)

    @contextlib.contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise SourceError(
                f"{self.label}: {name} cannot be read: {error.strerror}.",
                "Check the disk, and the permissions of the file.",
            ) from None

    def _inside(self, name: str) -> Path:
        path = Path(os.path.realpath(self._path / safe_name(name, self.label)))
        if not path.is_relative_to(self._path):
            raise SourceError(f"{self.label}: {name} is a link to a path outside of the layout.")
        return path


class Pulled(Folder):
    """An image that was pulled to this machine, and is pulled again if it is deleted.

    What its registry lacks, a pull reports. So a blob that is not there was deleted.

    Args:
        pull: Pulls it, and returns where it is.
        label: Its name in errors.
        progress: Where the work is shown.
        offer: Called with every blob that is about to be checked, and its file.
    """

    def __init__(
        self,
        pull: Callable[[], Path],
        label: str,
        progress: Progress,
        offer: Callable[[Descriptor, Path], None],
    ) -> None:
        super().__init__(pull(), label, progress, offer)
        self._pull = pull
        self._turn = threading.Lock()

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _is_pulled(name))

    @property
    def names(self) -> Collection[str]:
        """The names at its top."""
        return self._kept("", lambda: super(Pulled, self).names)

    def document(self, name: str) -> bytes:
        """Return a small file."""
        return self._kept(name, lambda: super(Pulled, self).document(name))

    def size(self, name: str) -> int:
        """Return a file's length in bytes."""
        return self._kept(name, lambda: super(Pulled, self).size(name))

    def blob(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        """Return the file itself, after it was read and compared."""
        return self._kept(name, lambda: super(Pulled, self).blob(name, blob, diff_id))

    def check(self, name: str, blob: Descriptor) -> None:
        """Read a file through; raise SourceError when it is not this blob."""
        self._kept(name, lambda: super(Pulled, self).check(name, blob))

    def _kept(self, name: str, read: Callable[[], T]) -> T:
        """Return what is read of a file, which is pulled again, at most twice, if it is deleted.

        Raises:
            LostCopyError: It was deleted each time.
        """
        for _ in range(_AGAIN):
            there = self._path
            try:
                return read()
            except (AbsentError, LostCopyError):
                self._pull_again(there)
        try:
            return read()
        except AbsentError:
            if not _is_pulled(name):
                raise
            raise self._lost(name) from None

    def _pull_again(self, there: Path) -> None:
        """Pull it again, unless another thread has."""
        with self._turn:
            if self._path == there:
                self._path = Path(os.path.realpath(self._pull()))

    def _lost(self, name: str) -> LostCopyError:
        return LostCopyError(
            f"{name} of the pulled {self.label} was deleted during the run.", "Run it again."
        )

    @contextlib.contextmanager
    def _reading(self, name: str) -> Iterator[None]:
        try:
            with super()._reading(name):
                yield
        except SourceError as error:
            if isinstance(error.__context__, FileNotFoundError):
                raise self._lost(name) from error
            raise


def _is_pulled(name: str) -> bool:
    """Whether every pull brings a file."""
    return name == "index.json" or name.startswith("blobs/")
