"""The images of one source, and what a registry has of them, as a session reads them."""

from collections.abc import Callable, Sequence
from pathlib import Path

from dockless.client.session import Session
from dockless.errors import DocklessError
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.ports import SourceImage
from dockless.registry.listing import attached
from dockless.sources.archive import with_tag
from dockless.sources.source_images import source_images
from dockless.sources.spec import parse_source


class SessionReader:
    """Reads sources by a session, as a `SourceReader`."""

    def __init__(self, work: Session) -> None:
        self._work = work

    def reach(self, repository: Repository) -> None:
        """See that a registry responds; raise NetworkError or AuthError where it does not."""
        self._work.reading(repository)

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return every tag of a repository, `host/path`; none when there is no such repository."""
        place = Reference.parse(repository).repository
        return self._work.reading(place).tags(place)

    def has(self, name: str) -> bool:
        """Whether a registry has an image; each pulling program has its own message for none."""
        reference = with_tag(Reference.parse(name))
        try:
            client = self._work.reading(reference.repository)
            asked = reference.digest or reference.tag
            return client.tag(reference.repository, str(asked)) is not None
        except DocklessError:
            return True

    def attached(
        self, repository: Repository, digest: Digest, note: Callable[[str], None]
    ) -> Sequence[Reference]:
        """Return the signatures, attestations and SBOMs that a registry has of a manifest."""
        return attached(self._work.reading(repository), repository, digest, note)

    def images(self, text: str, folder: Path, named: str, origin: str) -> tuple[SourceImage, ...]:
        """Return the images of a source; see the port.

        Raises:
            DocklessError: The source is missing, damaged, or has no image.
        """
        spec = parse_source(text, folder)
        with self._work.adapters.deleting():
            return tuple(source_images(self._work.opener, spec, self._work.platform, named, origin))
