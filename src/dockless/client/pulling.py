"""Images of a registry, pulled into layouts that are then sources."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from dockless.client.connections import OpenRegistry
from dockless.client.workspace import Workspace
from dockless.errors import LostCopyError
from dockless.oci.reference import Reference, Repository
from dockless.ports import Reader
from dockless.retry import RetryPolicy
from dockless.storage.disk_errors import deleted_meanwhile
from dockless.storage.folders import make_own

_AGAIN = 2


class Pulling:
    """Pulls images for one session.

    Args:
        space: Where the session works; what is pulled is removed with it.
        retry_policy: How often, and how long, it is tried.
        open_registry: Returns a registry that is only read, once it responds.
        reader: Returns what reads a repository, with a private folder for a program.
    """

    def __init__(
        self,
        space: Workspace,
        retry_policy: RetryPolicy,
        open_registry: Callable[[Repository], OpenRegistry],
        reader: Callable[[OpenRegistry, Repository, Path], Reader],
    ) -> None:
        self._space = space
        self._retry_policy = retry_policy
        self._open_registry = open_registry
        self._reader = reader

    def pull(self, reference: Reference) -> Path:
        """Pull an image into a new layout; return its folder.

        It is pulled again, at most twice, where something deletes it meanwhile.

        Raises:
            LostCopyError: It was deleted each time.
        """
        for _ in range(_AGAIN):
            try:
                return self._pull_once(reference)
            except LostCopyError as error:
                self._space.progress.note(f"{error.what} {reference} is pulled again.")
        return self._pull_once(reference)

    def _pull_once(self, reference: Reference) -> Path:
        space, repository = self._space, reference.repository
        opened = self._open_registry(repository)
        space.staging.renew()
        with deleted_meanwhile(space.staging.store.folder):
            make_own(space.folder)
            folder = Path(tempfile.mkdtemp(prefix="pulled-", dir=space.folder))
            reader = self._reader(opened, repository, folder / "home")
            task = space.progress.start(f"pulling {reference}", None)
            try:
                self._retry_policy.call(lambda: reader.pull(reference, folder / "layout"))
            finally:
                task.finish()
            (folder / "layout" / "index.json").stat()
        return folder / "layout"
