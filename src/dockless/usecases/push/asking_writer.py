"""A program as a writer, where the registry is asked what it did not tell the program."""

import contextlib
from collections.abc import Callable, Iterator

from dockless.errors import DocklessError, UnclearAnswerError, UnexplainedError
from dockless.oci.content import Content, StagedImage
from dockless.oci.reference import Repository
from dockless.ports import ImageWriter, Task, Written

_COMPARED = 100


class AskingWriter:
    """Writes with a program, as a `ports.ImageWriter`.

    Programs print a registry's answer without its status where they do not know its code, so that
    a refusal looks like trouble. Then the registry is asked whether it refuses uploads; what
    it says counts where it is the same, as a program may have failed at another request. For `auto`
    only: with an engine by name dockless begins no upload.

    Args:
        writer: The program.
        refusal: Asks the registry whether it refuses uploads to a repository; returns its refusal,
            or None.
    """

    def __init__(
        self, writer: ImageWriter, refusal: Callable[[Repository], DocklessError | None]
    ) -> None:
        self._writer = writer
        self._refusal = refusal

    @property
    def tagger(self) -> str:
        """The name of what puts tags."""
        return self._writer.tagger

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        """Write an image by digest; raise the registry's refusal where that is why it failed."""
        with self._explained(repository):
            return self._writer.write(image, repository, sending)

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image, which the repository has by its digest."""
        self._writer.tag(content, repository, tag)

    @contextlib.contextmanager
    def _explained(self, repository: Repository) -> Iterator[None]:
        try:
            yield
        except (UnclearAnswerError, UnexplainedError) as error:
            if isinstance(error, UnexplainedError) and not error.answered:
                raise
            refusal = self._refusal(repository)
            words = _last_words(error.what)
            if refusal and words and words in refusal.what:
                raise refusal from None
            raise


def _last_words(said: str) -> str:
    """Return a registry's message as a program prints it, at the end, perhaps with details."""
    return said.rpartition(": ")[2].partition(";")[0].rstrip(".")[:_COMPARED]
