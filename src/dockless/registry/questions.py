"""What a mirror asks of the registries that it reads."""

from collections.abc import Callable, Sequence

from dockless.errors import DocklessError
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.registry.client import RegistryClient
from dockless.registry.listing import attached


class RegistryQuestions:
    """Asks registries, each of which is opened when it is first asked.

    Args:
        open_registry: Returns the client of a repository's registry, once that responds.
    """

    def __init__(self, open_registry: Callable[[Repository], RegistryClient]) -> None:
        self._open = open_registry

    def reach(self, repository: Repository) -> None:
        """See that a registry responds; raise NetworkError or AuthError where it does not."""
        self._open(repository)

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return every tag of a repository, `host/path`; none when there is no such repository."""
        place = Reference.parse(repository).repository
        return self._open(place).tags(place)

    def has(self, name: str) -> bool:
        """Whether a registry has an image; True where it does not say.

        A name without tag and digest means `latest`.
        """
        reference = Reference.parse(name)
        try:
            client = self._open(reference.repository)
            asked = reference.digest or reference.tag or "latest"
            return client.tag(reference.repository, str(asked)) is not None
        except DocklessError:
            return True

    def attached(
        self, repository: Repository, digest: Digest, note: Callable[[str], None]
    ) -> Sequence[Reference]:
        """Return the signatures, attestations and SBOMs that a registry has of a manifest."""
        return attached(self._open(repository), repository, digest, note)
