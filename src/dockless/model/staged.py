"""An image that is ready to be written to a registry."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct

from dockless.model.content import Content
from dockless.model.digest import Digest


class StagedImage(Struct, frozen=True, kw_only=True):
    """An image, and the files of those of its blobs that a writer may have to send.

    Attributes:
        content: The image.
        blobs: A file for each blob that the registry may lack; it has the others.
        layout: Returns an OCI layout of the content and these blobs, for writers that read one. It
            is written when it is first asked for.
    """

    content: Content
    blobs: Mapping[Digest, Path]
    layout: Callable[[], Path]
