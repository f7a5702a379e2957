"""Blobs that one source of a run leaves out, taken from another source of the same run."""

import contextlib
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from dockless.errors import AbsentError, DocklessError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.ports import Image
from dockless.sources.oci_layout import PackedImage

T = TypeVar("T")


class Lenders:
    """The images of a run's layouts and archives, each with the blobs that its own source has.

    A bundle that was made with `--since` leaves out what an older one has. Where both are sources
    of one run, the older one gives it, in whatever order they are named.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._images: list[PackedImage] = []
        self._holders: Mapping[Digest, list[PackedImage]] | None = None

    def add(self, image: object) -> None:
        """Add an image; one that is built from a docker-archive leaves out nothing."""
        if isinstance(image, PackedImage):
            with self._guard:
                self._images.append(image)
                self._holders = None

    def completed(self, image: Image) -> Image:
        """Return an image with what its own source leaves out and another one has."""
        return CompletedImage(image, self) if isinstance(image, PackedImage) else image

    def fault(self, image: Image, digest: Digest) -> DocklessError | None:
        """Return why a blob of a completed image cannot be had; None where it can.

        It is read through where it is, and nothing is staged. One that is built from a
        docker-archive has been read by then.
        """
        try:
            if isinstance(image, CompletedImage):
                image.check(digest)
        except DocklessError as error:
            return error
        return None

    def path(self, digest: Digest, error: AbsentError) -> Path:
        """Return a checked file of a blob that its own source leaves out.

        Args:
            digest: The blob.
            error: What is wrong where no source has it.

        Raises:
            AbsentError: No source has it as it should be.
        """
        return self._lent(digest, error, lambda image: image.paths((digest,))[digest])

    def check(self, digest: Digest, error: AbsentError) -> None:
        """Read a blob through that its own source leaves out; as `path`."""
        self._lent(digest, error, lambda image: image.check(digest))

    def _lent(self, digest: Digest, error: AbsentError, read: Callable[[PackedImage], T]) -> T:
        """Return what the first source gives; what is wrong with a source is its own error."""
        for image in self._found().get(digest, ()):
            with contextlib.suppress(DocklessError):
                return read(image)
        raise error

    def _found(self) -> Mapping[Digest, list[PackedImage]]:
        with self._guard:  # looked for only when something is left out, which is rare
            if self._holders is None:
                self._holders = defaultdict(list)
                for image in self._images:
                    for digest in _held(image):
                        self._holders[digest].append(image)
                self._holders.default_factory = None
            return self._holders


class CompletedImage:
    """An image of a layout or archive; other sources of the run supply missing blobs."""

    digest_is_new = False
    known_digest = None

    def __init__(self, image: PackedImage, lenders: Lenders) -> None:
        self._image = image
        self._lenders = lenders

    def content(self) -> Content:
        """Return the image with all its content."""
        return self._image.content()

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return a checked file for each of these blobs.

        Raises:
            AbsentError: No source of the run has one.
            SourceError: One is damaged.
        """
        lent = {
            digest: self._lenders.path(digest, error)
            for digest, error in self._image.absent().items()
            if digest in digests
        }
        own = [digest for digest in digests if digest not in lent]
        return {**self._image.paths(own), **lent}

    def check(self, digest: Digest) -> None:
        """Read one of its blobs through; as `paths`, and nothing is staged."""
        if error := self._image.absent().get(digest):
            self._lenders.check(digest, error)
        else:
            self._image.check(digest)


def _held(image: PackedImage) -> Iterator[Digest]:
    """Yield the blobs that the source of an image has; none of one that cannot be read."""
    with contextlib.suppress(DocklessError):
        blobs = image.content().blobs
        yield from (blob.digest for blob in blobs if image.has(blob.digest))
