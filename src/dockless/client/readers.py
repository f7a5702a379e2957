"""The sessions that read sources: one for the command line, and one for each registry of a list."""

from contextlib import ExitStack
from pathlib import Path

from msgspec.structs import replace

from dockless.client.session import Session
from dockless.client.source_reader import SessionReader
from dockless.client.workspace import Workspace
from dockless.credentials.resolve import FindCredential, shared_account
from dockless.model.listed import SyncRegistry
from dockless.model.options import PushOptions
from dockless.sources.search import FolderContents, search


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
        self._sessions: dict[SyncRegistry | None, Session] = {}

    def note(self, text: str) -> None:
        """Say a line where their work is shown."""
        self._space.progress.note(text)

    def reader(self, registry: SyncRegistry | None = None) -> SessionReader:
        """Return what reads a registry of a list, or everything else."""
        return SessionReader(self.of(registry))

    def search(self, folder: Path) -> FolderContents:
        """Return every archive and layout in a folder."""
        return search(folder)

    def of(self, registry: SyncRegistry | None = None) -> Session:
        """Return the session for a registry of a list, or for everything else."""
        if registry not in self._sessions:
            options, find = self._options, self._find
            if registry:
                options = replace(
                    options, insecure=registry.insecure, cert_dir=registry.cert_dir, ca_file=None
                )
                if credential := registry.credential:
                    find = shared_account(lambda: credential)
            session = Session(options, find, self._space)
            self._sessions[registry] = self._stack.enter_context(session)
        return self._sessions[registry]
