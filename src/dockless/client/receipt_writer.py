"""The outcome of each image of a mirror so far; on disk as its receipt, if requested."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from dockless.client.options import PROGRAMS
from dockless.errors import DocklessError
from dockless.model.moments import moment
from dockless.model.plan import PushResult
from dockless.oci.digest import Digest
from dockless.report.json import json_text
from dockless.storage.receipt import Pending, ReceiptLine, pending_members, receipt_document
from dockless.storage.receipt_file import ReceiptFile
from dockless.storage.resume_log import ResumeLog
from dockless.usecases.mirror.run import Lost, MirrorItem, Outcome
from dockless.version import __version__

_SECONDS_BETWEEN = 2.0


class Heading(Struct, frozen=True, kw_only=True):
    """What a receipt says of the whole mirror.

    Attributes:
        target: The registry, and what every repository begins with.
        bundles: The digest of the index.json of each bundle.
        version_of: Returns the version of an engine that has written.
    """

    target: str
    bundles: Mapping[str, Digest]
    version_of: Callable[[str], str]


class ReceiptWriter:
    """The lines of a receipt, which is rewritten every few seconds.

    So a mirror that is killed leaves one of what had arrived. A mirror resumes from what the
    registry has, not from the receipt.

    Args:
        file: The receipt; None for none.
        heading: What it says of the whole mirror.
        resume_log: Told of what arrived.
        complain: Prints what goes wrong, a line each.
    """

    def __init__(
        self,
        file: ReceiptFile | None,
        heading: Heading,
        resume_log: ResumeLog,
        complain: Callable[[str], None],
    ) -> None:
        self._file = file
        self._heading = heading
        self._resume_log = resume_log
        self._complain = complain
        self._turn = threading.Lock()
        self._unplaced: list[ReceiptLine] = []
        self._expected: tuple[MirrorItem, ...] = ()
        self._outcomes: dict[MirrorItem, Outcome] = {}
        self._postponed: dict[MirrorItem, DocklessError] = {}
        self._arrived: dict[MirrorItem, str | None] = {}
        self._written = 0.0

    def expect(self, entries: Sequence[MirrorItem]) -> None:
        """Record what is to arrive, so that a receipt lists what is missing."""
        self._expected = tuple(entries)

    def leave_out(self, lost: Lost) -> None:
        """Record that an image cannot be found or read, or has no target."""
        self._complain(str(lost.error))
        line = ReceiptLine(lost.source, lost.name, (), lost.error, origin=lost.origin)
        self._unplaced.append(line)

    def tell(self, entry: MirrorItem, outcome: Outcome, again: bool = False) -> None:  # noqa: FBT001, FBT002 - the port's signature
        """Record the outcome of an image, and print why it failed, once.

        Args:
            entry: The image.
            outcome: What its push did, or why it did not arrive.
            again: Whether it is tried once more, so that nothing is said yet.
        """
        with self._turn:
            self._postponed.pop(entry, None)
            if again and isinstance(outcome, DocklessError):
                self._postponed[entry] = outcome
        if isinstance(outcome, DocklessError) and not again:
            self._explain(entry, outcome)
        self.note(entry, outcome)

    def note(self, entry: MirrorItem, outcome: Outcome) -> None:
        """Record the outcome of an image without printing it."""
        with self._turn:
            self._outcomes[entry] = outcome
            if isinstance(outcome, PushResult) and not outcome.dry_run:
                came = not outcome.unchanged
                self._arrived[entry] = self._resume_log.arrived(
                    entry.references[0], outcome.digest, now=came
                )
            if self._file and time.monotonic() - self._written > _SECONDS_BETWEEN:
                self._write(finished=False)

    def break_off(self) -> None:
        """Print why those failed that are not tried again."""
        with self._turn:
            postponed, self._postponed = self._postponed, {}
        for entry, error in postponed.items():
            self._explain(entry, error)

    def _explain(self, entry: MirrorItem, error: DocklessError) -> None:
        origin = f"{entry.origin}: " if entry.origin else ""
        self._complain(f"{origin}{entry.references[0]}: {error}")

    def lines(self) -> tuple[ReceiptLine, ...]:
        """Return a line for each image, in the order in which they ended."""
        told = (
            ReceiptLine(
                entry.source,
                entry.name,
                entry.references,
                outcome,
                self._arrived.get(entry),
                entry.origin,
                entry.other_sources,
            )
            for entry, outcome in self._outcomes.items()
        )
        return (*told, *self._unplaced)

    def document(self, *, finished: bool) -> dict[str, object]:
        """Return the receipt."""
        results = (each for each in self._outcomes.values() if isinstance(each, PushResult))
        engines = sorted({result.engine for result in results} & frozenset(PROGRAMS))
        # Debian's crane does not know its own version
        known = {name: text for name in engines if (text := self._heading.version_of(name))}
        versions = {"dockless": __version__, **known}
        ended = moment(time.time()) if finished else None
        pending = [
            Pending(entry.source, entry.name, entry.references)
            for entry in self._expected
            if entry not in self._outcomes
        ]
        document = receipt_document(
            self._heading.target, ended, versions, self._heading.bundles, self.lines()
        )
        return document | {"pending": pending_members(pending)}

    def write(self, *, finished: bool, last: bool = False) -> None:
        """Write the receipt.

        A pipe gets only the last one: who reads it would take the first for all, and one that reads
        no further would hold up the mirror.

        Args:
            finished: Whether the mirror has ended.
            last: Whether no other one follows, although it has not.

        Raises:
            UsageError: That is not possible.
        """
        with self._turn:
            self._write(last=finished or last, finished=finished)

    def _write(self, *, finished: bool, last: bool = False) -> None:
        if self._file and (last or self._file.is_replaced):
            self._file.write(json_text(self.document(finished=finished)) + "\n")
            self._written = time.monotonic()
