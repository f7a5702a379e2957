"""The sessions that read sources: one for the command line, and one for each registry of a list."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Self

from msgspec.structs import replace

from dockless.client.session import Session
from dockless.client.workspace import Workspace
from dockless.credentials.resolve import FindCredential, shared_account
from dockless.model.listed import SyncRegistry
from dockless.model.options import PushOptions
from dockless.oci.platform import Platform
from dockless.ports import SourceImage
from dockless.registry.questions import RegistryQuestions
from dockless.sources.search import FolderContents, search
from dockless.sources.source_images import source_images
from dockless.sources.spec import parse_source

if TYPE_CHECKING:
    from dockless.usecases.overview import Overview


class SessionReader(RegistryQuestions):
    """Reads sources by a session, as a `SourceReader`; of indexes only some platforms, if any."""

    def __init__(self, work: Session, platforms: tuple[Platform, ...]) -> None:
        super().__init__(work.reading)
        self._work = work
        self._platforms = platforms

    def images(self, text: str, folder: Path, named: str, origin: str) -> tuple[SourceImage, ...]:
        """Return the images of a source; see the port.

        Raises:
            DocklessError: The source is missing, damaged, or has no image.
        """
        work, spec = self._work, parse_source(text, folder)
        with work.adapters.deleting():
            return tuple(source_images(work.opener, spec, self._platforms, named, origin))


class Readers:
    """Opens sessions that read, when they are first needed.

    Args:
        stack: Ends them.
        options: How patient they are, and how a source's registry is reached.
        find: Finds the credential for a source's registry.
        space: Where they work.
    """

    def __init__(
        self, stack: ExitStack, options: PushOptions, find: FindCredential, space: Workspace
    ) -> None:
        self._stack = stack
        self._options = options
        self._find = find
        self._space = space
        self._platforms: tuple[Platform, ...] = ()
        self._sessions: dict[SyncRegistry | None, Session] = {}

    def only(self, platforms: tuple[Platform, ...]) -> Self:
        """Take only these platforms of indexes, if any; return the same."""
        self._platforms = platforms
        return self

    @property
    def overview(self) -> "Overview":
        """Where their work is shown."""
        return self._space.overview

    def note(self, text: str) -> None:
        """Say a line where their work is shown."""
        self._space.progress.note(text)

    def reader(self, registry: SyncRegistry | None = None) -> SessionReader:
        """Return what reads a registry of a list, or everything else."""
        return SessionReader(self.of(registry), self._platforms)

    def search(self, folder: Path) -> FolderContents:
        """Return every archive and layout in a folder."""
        return search(folder)

    def of(self, registry: SyncRegistry | None = None) -> Session:
        """Return the session for a registry of a list, or for everything else."""
        if registry not in self._sessions:
            options, find, space = self._options, self._find, self._space
            if registry:
                space = replace(space, source=True)
                options = replace(
                    options, insecure=registry.insecure, cert_dir=registry.cert_dir, ca_file=None
                )
                if credential := registry.credential:
                    find = shared_account(lambda: credential)
            session = Session(options, find, space)
            self._sessions[registry] = self._stack.enter_context(session)
        return self._sessions[registry]
