"""Uncompressed tar archives, read safely at random: nothing is staged until it is needed."""

import contextlib
import os
import tarfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO

from dockless.errors import LostCopyError, SourceError
from dockless.model.counts import number
from dockless.oci.digest import Digest
from dockless.oci.manifest import LONGEST_MANIFEST, Descriptor
from dockless.ports import Progress, Task
from dockless.sources.files import missing
from dockless.sources.headers import (
    Links,
    is_plain_file,
    members,
    tar_errors,
    too_large,
)
from dockless.sources.headers import opened as opened_tar
from dockless.storage.checks import check
from dockless.storage.staging import Layer, MispredictedError, Staging


class PlainTar:
    """An uncompressed tar: only its headers are read until a file of it is needed.

    Args:
        opened: Opens it, for reading at random.
        label: Its name in messages.
        staging: Where its layers are staged.
        progress: Where that is shown.
    """

    is_tar = True

    def __init__(
        self, opened: Callable[[], IO[bytes]], label: str, staging: Staging, progress: Progress
    ) -> None:
        self.label = label
        self._open = opened
        self._staging = staging
        self._progress = progress
        self._links = Links()
        self._places: dict[str, tuple[int, int]] = {}
        with opened() as file:
            head = file.read(tarfile.BLOCKSIZE)
            file.seek(0)
            with (
                tar_errors(label, head),
                opened_tar(file) as archive,
            ):
                for name, member in members(archive, label):
                    if is_plain_file(member):
                        self._places[name] = (member.offset_data, member.size)
                    else:
                        self._links.add(name, member, label)
            total = file.seek(0, os.SEEK_END)
        self._links.refuse_faulty(self)
        if any(start + size > total for start, size in self._places.values()):
            raise SourceError(f"{label} is truncated.", "Create or copy it again.")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._links.follow(name) in self._places

    @property
    def names(self) -> Collection[str]:
        """The paths of its files and links."""
        return (*self._places, *self._links.names)

    def document(self, name: str) -> bytes:
        """Return a small file."""
        start, size = self._place(name)
        if size > LONGEST_MANIFEST:
            raise too_large(self.label, name, size)
        with self._open() as file:
            file.seek(start)
            return file.read(size)

    def size(self, name: str) -> int:
        """Return a file's length in bytes."""
        return self._place(name)[1]

    def layer(self, name: str) -> Layer:
        """Stage a file as a layer, compressed if it is not."""
        try:
            return self._layer(name, may_guess=True)
        except (MispredictedError, LostCopyError):
            return self._layer(name, may_guess=False)

    def _layer(self, name: str, *, may_guess: bool) -> Layer:
        with self._opened(name) as (file, size, task):
            label = self._part(name)
            return self._staging.layer(file, size, task, label, may_guess=may_guess)

    def blob(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        """Stage a file as it is."""
        known = self._staging.path(blob.digest, blob.size)
        if known:
            return known
        try:
            self._copy(name, blob, diff_id)
        except LostCopyError:
            self._copy(name, blob, diff_id)
        return self._staging.require(blob.digest)

    def _copy(self, name: str, blob: Descriptor, diff_id: Digest | None) -> None:
        with self._opened(name) as (file, size, task):
            if size != blob.size:
                raise SourceError(
                    f"{self._part(name)} has {number(size, 'byte')}, but its manifest says "
                    f"{blob.size}.",
                    "Create or copy it again.",
                )
            self._staging.copy(file, blob, task, self._part(name), diff_id)

    def check(self, name: str, blob: Descriptor) -> None:
        """Read a file through; raise SourceError when it is not this blob."""
        with self._opened(name, "checking") as (file, size, task):
            if size != blob.size:
                raise SourceError(
                    f"{self._part(name)} has {number(size, 'byte')}, but its manifest says "
                    f"{blob.size}.",
                    "Create or copy it again.",
                )
            check(file, blob, task, self._part(name), None)

    @contextlib.contextmanager
    def _opened(self, name: str, what: str = "staging") -> Iterator[tuple[IO[bytes], int, Task]]:
        start, size = self._place(name)
        task = self._progress.start(f"{what} {_short(name)}", size)
        try:
            with self._open() as file:
                file.seek(start)
                yield file, size, task
        finally:
            task.finish()

    def _place(self, name: str) -> tuple[int, int]:
        place = self._places.get(self._links.follow(name))
        if place is None:
            raise missing(self.label, name)
        return place

    def _part(self, name: str) -> str:
        return f"{self.label}: {name}"


def _short(name: str) -> str:
    return name.removeprefix("blobs/sha256/")[:12]
