"""Images of a registry, pulled into layouts that are then sources."""

import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from dockless.errors import DocklessError, LostCopyError, SourceError
from dockless.oci.reference import Reference, Repository
from dockless.ports import Progress, Reader
from dockless.retry import RetryPolicy
from dockless.storage.disk_errors import deleted_meanwhile
from dockless.storage.folders import make_own
from dockless.storage.staging import Staging

_AGAIN = 2
_PART = re.compile(
    r"\b(?:(?P<part>blob|manifest)s?[ /]|does not have )(?P<digest>sha(?:256|512):[0-9a-f]{64,128})"
)
_ABSENT = re.compile(
    r"(?:blob|manifest)[ _]unknown|unknown blob|\b404\b|does not have", re.IGNORECASE
)


def lost_part(said: str, reference: Reference) -> SourceError | None:
    """Return the error for a part of an image that its registry has lost; None for another one.

    Args:
        said: What the program that pulled it reports; each has its own words.
        reference: The image.
    """
    found = _PART.search(said)
    if found is None or not _ABSENT.search(said):
        return None
    digest = found["digest"]
    if digest == str(reference.digest):  # then there is no such image
        return None
    part = f"the {found['part']} {digest}" if found["part"] else digest
    return SourceError(
        f"{reference.repository.host} does not have {part} of {reference}, which its manifest "
        "names.",
        "The registry has lost it: push that image to it again, or use another copy.",
    )


def _pull(reader: Reader, reference: Reference, layout: Path) -> None:
    try:
        reader.pull(reference, layout)
    except DocklessError as error:
        # programs may call it a fault that passes, since it is one right after an upload
        if lost := lost_part(error.what, reference):
            raise lost from error
        raise


class Pulling:
    """Pulls images for one session.

    Args:
        staging: The session's staging area, whose store is watched.
        folder: A private folder for what is pulled, which is removed with the session.
        progress: Where the work is shown.
        retry_policy: How often, and how long, it is tried.
        open_registry: Returns, once a repository's registry responds, what makes its reader; that
            takes a private folder for a program.
    """

    def __init__(
        self,
        staging: Staging,
        folder: Path,
        progress: Progress,
        retry_policy: RetryPolicy,
        open_registry: Callable[[Repository], Callable[[Path], Reader]],
    ) -> None:
        self._staging = staging
        self._folder = folder
        self._progress = progress
        self._retry_policy = retry_policy
        self._open_registry = open_registry

    def pull(self, reference: Reference) -> Path:
        """Pull an image into a new layout; return its folder.

        It is pulled again, at most twice, where something deletes it meanwhile.

        Raises:
            LostCopyError: It was deleted each time.
            SourceError: Its registry has lost a part of it.
        """
        for _ in range(_AGAIN):
            try:
                return self._pull_once(reference)
            except LostCopyError as error:
                self._progress.note(f"{error.what} {reference} is pulled again.")
        return self._pull_once(reference)

    def _pull_once(self, reference: Reference) -> Path:
        make_reader = self._open_registry(reference.repository)
        with deleted_meanwhile(self._staging.store.folder):
            self._staging.renew()
            make_own(self._folder)
            folder = Path(tempfile.mkdtemp(prefix="pulled-", dir=self._folder))
            reader = make_reader(folder / "home")
            task = self._progress.start(f"pulling {reference}", None)
            try:
                self._retry_policy.call(lambda: _pull(reader, reference, folder / "layout"))
            finally:
                task.finish()
            (folder / "layout" / "index.json").stat()
        return folder / "layout"
