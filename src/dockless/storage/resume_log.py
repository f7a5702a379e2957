"""What an interrupted mirror had pushed, and when: a line for each image, until all have arrived.

The registry is asked about every image anyway; only the times of a resume log are trusted.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from dockless.model.moments import is_moment, moment
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference
from dockless.oci.untrusted_json import parse_json
from dockless.processes.regular import read_regular
from dockless.storage.folders import clear, files, remove, unlink_folder_link

_LONGEST_SECONDS = 30 * 24 * 3600
_BEGUN = "begun"


class ResumeLog:
    """The resume log of one mirror, found by its arguments.

    It is optional: where it cannot be written, the mirror continues without it.

    Args:
        folder: The folder of resume logs.
        asked: The arguments of the mirror; the same for the run that continues.
        resume: Whether an interrupted run's log is continued, or a new one started.
    """

    def __init__(self, folder: Path, asked: tuple[object, ...], *, resume: bool) -> None:
        name = hashlib.sha256(json.dumps(asked, default=str).encode()).hexdigest()
        self._path = folder / f"{name}.jsonl"
        with contextlib.suppress(OSError):
            unlink_folder_link(folder)
            _forget(folder)
            if not resume:
                remove(self._path)
        self._before = _read(self._path)

    @property
    def begun(self) -> str:
        """When the interrupted run began (RFC 3339); empty when there was none."""
        return self._before.get(_BEGUN, "")

    def had(self, targets: Iterable[Reference]) -> int:
        """Return how many of these the interrupted run had pushed."""
        places = {place.rpartition("@")[0] for place in self._before}
        return sum(str(target) in places for target in targets)

    def begin(self) -> None:
        """Record that the mirror starts."""
        if not self.begun:
            self._write({_BEGUN: moment(time.time())})

    def arrived(self, target: Reference, digest: Digest, *, now: bool) -> str | None:
        """Return when an image arrived (RFC 3339); write it down if that was now.

        None for one that was there before this mirror was first run.
        """
        place = f"{target}@{digest}"
        if now:
            ended = moment(time.time())
            self._write({place: ended})
            return ended
        return self._before.get(place)

    def end(self) -> None:
        """Delete it: every image has arrived."""
        with contextlib.suppress(OSError):
            unlink_folder_link(self._path.parent)
            remove(self._path)

    def _write(self, line: Mapping[str, str]) -> None:
        with contextlib.suppress(OSError):
            for folder in (self._path.parents[1], self._path.parent):  # the store may not be there
                if folder == self._path.parent:
                    unlink_folder_link(folder)
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # one write, so that two runs at once do not mix their lines
            clear(self._path)
            with self._path.open("a") as stream:
                stream.write(json.dumps(line) + "\n")


def _read(path: Path) -> dict[str, str]:
    """Return the time of each image; a truncated line, or one without a time, is ignored."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in read_regular(path, follow=False).splitlines():
            with contextlib.suppress(ValueError, AttributeError):
                said = parse_json(line)
                found |= {what: when for what, when in said.items() if is_moment(when)}
    return found


def _forget(folder: Path) -> None:
    """Delete the resume logs of abandoned mirrors."""
    for path, status in files(folder):
        if path.suffix == ".jsonl" and time.time() - status.st_mtime > _LONGEST_SECONDS:
            with contextlib.suppress(FileNotFoundError):
                remove(path)
