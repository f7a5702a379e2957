"""Blobs that one source of a run leaves out, taken from another source of the same run."""

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping
from pathlib import Path

from dockless.errors import AbsentError, SourceError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.ports import Image
from dockless.sources.oci_layout import PackedImage


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

    def absent(self, image: Image) -> Mapping[Digest, AbsentError]:
        """Return what no source has of an image that was completed, and what to do about each."""
        return image.absent() if isinstance(image, CompletedImage) else {}

    def have(self, digest: Digest) -> bool:
        """Whether a source has a blob."""
        return digest in self._found()

    def path(self, digest: Digest, error: AbsentError) -> Path:
        """Return a checked file of a blob that its own source leaves out.

        Args:
            digest: The blob.
            error: What is wrong where no source has it.

        Raises:
            SourceError: No source has it, or each that does is damaged.
        """
        wrong: SourceError = error
        for image in self._found().get(digest, ()):
            try:
                return image.paths((digest,))[digest]
            except SourceError as damaged:
                wrong = damaged
        raise wrong

    def _found(self) -> Mapping[Digest, list[PackedImage]]:
        with self._guard:  # looked for only when something is left out, which is rare
            if self._holders is None:
                self._holders = defaultdict(list)
                for image in self._images:
                    absent = image.absent()
                    for blob in image.content().blobs:
                        if blob.digest not in absent:
                            self._holders[blob.digest].append(image)
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

    def absent(self) -> Mapping[Digest, AbsentError]:
        """Return the blobs that no source of the run has, and what to do about each."""
        return {
            digest: error
            for digest, error in self._image.absent().items()
            if not self._lenders.have(digest)
        }
