"""What an interrupted mirror had brought, and when: a line an image, kept until a run has them all.

The registry is asked about every image all the same; a journal is only believed about the time.
"""

import contextlib
import hashlib
import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from dockless.model.moments import moment
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference
from dockless.oci.untrusted_json import parse_json
from dockless.processes.regular import read_regular
from dockless.storage.folders import clear, remove

_LONGEST_SECONDS = 30 * 24 * 3600
_BEGUN = "begun"


class Journal:
    """The journal of one mirror, found again by what is asked of it.

    It is a help and no more: where it cannot be written, the mirror goes on without.

    Args:
        folder: Where journals are.
        asked: What is asked of the mirror; the same for the run that goes on.
        resume: Whether an interrupted run's journal is gone on with, or begun anew.
    """

    def __init__(self, folder: Path, asked: tuple[object, ...], *, resume: bool) -> None:
        name = hashlib.sha256(json.dumps(asked, default=str).encode()).hexdigest()
        self._path = folder / f"{name}.jsonl"
        with contextlib.suppress(OSError):
            _forget(folder)
            if not resume:
                remove(self._path)
        self._before = _read(self._path)

    @property
    def begun(self) -> str:
        """When the interrupted run began (RFC 3339); empty when there was none."""
        return self._before.get(_BEGUN, "")

    def had(self, targets: Iterable[Reference]) -> int:
        """Return how many of these the interrupted run had brought."""
        places = {place.rpartition("@")[0] for place in self._before}
        return sum(str(target) in places for target in targets)

    def begin(self) -> None:
        """Write down that the mirror begins."""
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
        """Forget it: every image has arrived."""
        with contextlib.suppress(OSError):
            remove(self._path)

    def _write(self, line: Mapping[str, str]) -> None:
        with contextlib.suppress(OSError):
            for folder in (self._path.parents[1], self._path.parent):  # the store may not be there
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # one write, so that two runs at once do not mix their lines
            clear(self._path)
            with self._path.open("a") as stream:
                stream.write(json.dumps(line) + "\n")


def _read(path: Path) -> dict[str, str]:
    """Return every line's moment by what it says; a line that was cut off says nothing."""
    found: dict[str, str] = {}
    with contextlib.suppress(OSError):
        for line in read_regular(path, follow=False).splitlines():
            with contextlib.suppress(ValueError, AttributeError):
                said = parse_json(line)
                found |= {what: when for what, when in said.items() if isinstance(when, str)}
    return found


def _forget(folder: Path) -> None:
    """Delete the journals of mirrors that nobody went on with."""
    for path in folder.glob("*.jsonl"):
        if time.time() - path.lstat().st_mtime > _LONGEST_SECONDS:
            with contextlib.suppress(FileNotFoundError):
                remove(path)
