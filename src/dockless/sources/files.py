"""The files of an archive or a layout directory, as the image formats inside need them."""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from dockless.errors import AbsentError
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.storage.staging import Layer


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
    def is_tar(self) -> bool:
        """Whether it is a tar archive and not a directory, so that `layer` may be used."""

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


def missing(label: str, name: str) -> AbsentError:
    """Return the error for a file that an image needs and its source lacks."""
    remedy = "Save the image again, completely."
    if name.startswith("blobs/"):  # 'docker save' ends well all the same (moby issue 49784)
        remedy += (
            " If Docker itself lacks it, pull the image again first, or save and push one "
            "platform that is there with --platform."
        )
    return AbsentError(f"{label} lacks {name}, which its image needs.", remedy)
