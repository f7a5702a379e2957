"""A writer that is chosen when there is something to write, which most pushes never have."""

import functools
from collections.abc import Callable

from dockless.oci.content import Content, StagedImage
from dockless.oci.reference import Repository
from dockless.ports import ImageWriter, Task, Written


class LateWriter:
    """Writes with what `choose` returns at the first use, as a `ports.ImageWriter`.

    Args:
        choose: Returns the writer, or raises why there is none; called again after an error.
    """

    def __init__(self, choose: Callable[[], ImageWriter]) -> None:
        self._chosen = functools.cache(choose)

    @property
    def tagger(self) -> str:
        """The name of what puts tags."""
        return self._chosen().tagger

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        """Write an image by digest."""
        return self._chosen().write(image, repository, sending)

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image, which the repository has by its digest."""
        self._chosen().tag(content, repository, tag)
