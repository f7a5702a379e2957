"""The outcome of each image of a mirror so far; on disk as its receipt, if requested."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from dockless.errors import DocklessError
from dockless.model.mirrored import MirroredImage, PendingImage
from dockless.model.plan import PushResult
from dockless.oci.reference import Reference
from dockless.usecases.mirror.complaints import Complaints
from dockless.usecases.mirror.mirror_ports import ArrivalLog, MirrorReceipt
from dockless.usecases.mirror.run import Lost, MirrorItem, Outcome

_SECONDS_BETWEEN = 2.0


class ReceiptWriter:
    """The lines of a receipt, which is rewritten every few seconds.

    So a mirror that is killed leaves one of what had arrived. A mirror resumes from what the
    registry has, not from the receipt.

    Args:
        receipt: Writes the receipt.
        arrivals: Called with what arrived.
        complain: Called with what goes wrong, a line each.
    """

    def __init__(
        self, receipt: MirrorReceipt, arrivals: ArrivalLog, complain: Callable[[str], None]
    ) -> None:
        self._receipt = receipt
        self._arrivals = arrivals
        self._complain = complain
        self._complaints = Complaints(complain)
        self._turn = threading.Lock()
        self._unplaced: list[MirroredImage] = []
        self._expected: tuple[MirrorItem, ...] = ()
        self._outcomes: dict[MirrorItem, Outcome] = {}
        self._postponed: dict[MirrorItem, DocklessError] = {}
        self._arrived: dict[MirrorItem, str | None] = {}
        self._written = 0.0
        self._failed = False

    def begin(self, items: Sequence[MirrorItem], lost: Iterable[Lost]) -> None:
        """Write the receipt before anything is pushed, so that it lists what is missing.

        Args:
            items: What is to arrive.
            lost: What cannot be found or read, or has no target.
        """
        self._expected = tuple(items)
        left_out = tuple(lost)
        self._complaints.all_at_once(
            (each.name or each.source, each.origin, each.error) for each in left_out
        )
        for each in left_out:
            self._leave_out(each)
        self.write(finished=False)

    def _leave_out(self, lost: Lost) -> None:
        """Record that an image cannot be found or read, or has no target."""
        line = MirroredImage(
            source=lost.source,
            name=lost.name,
            references=(),
            outcome=lost.error,
            origin=lost.origin,
            is_image=lost.is_image,
        )
        self._unplaced.append(line)

    def tell(self, item: MirrorItem, outcome: Outcome, again: bool = False) -> None:  # noqa: FBT001, FBT002 - the port's signature
        """Record the outcome of an image, and print why it failed, if it is the first.

        Args:
            item: The image.
            outcome: What its push did, or why it did not arrive.
            again: Whether it is tried again, so that nothing is reported yet.
        """
        with self._turn:
            self._postponed.pop(item, None)
            if again and isinstance(outcome, DocklessError):
                self._postponed[item] = outcome
        if isinstance(outcome, DocklessError) and not again:
            self._explain(item, outcome)
        self.note(item, outcome)

    def note(self, item: MirrorItem, outcome: Outcome) -> None:
        """Record the outcome of an image without printing it."""
        with self._turn:
            self._outcomes[item] = outcome
            if isinstance(outcome, PushResult) and not outcome.dry_run:
                came = not outcome.unchanged
                self._arrived[item] = self._arrivals.arrived(
                    item.references[0], outcome.digest, now=came
                )
            failure = None
            if time.monotonic() - self._written > _SECONDS_BETWEEN:
                failure = self._rewrite()
        if failure:
            self._complain(f"{failure.what} The mirror goes on, and it is tried again.")

    def break_off(self) -> None:
        """Print why those failed that are not tried again."""
        with self._turn:
            postponed, self._postponed = self._postponed, {}
        for item, error in postponed.items():
            self._explain(item, error)

    def _explain(self, item: MirrorItem, error: DocklessError) -> None:
        own = str(item.repository)
        self._complaints.add(item.origin, str(item.references[0]), error, own)

    def lines(self) -> tuple[MirroredImage, ...]:
        """Return a line for each image, in the order in which they ended."""
        told = (
            MirroredImage(
                source=item.source,
                name=item.name,
                references=_arrived_as(item.references, outcome),
                outcome=outcome,
                arrived=self._arrived.get(item),
                origin=item.origin,
                other_sources=item.other_sources,
            )
            for item, outcome in self._outcomes.items()
        )
        return (*told, *self._unplaced)

    def document(self) -> dict[str, object]:
        """Return the receipt of a mirror that ended."""
        return self._receipt.document(self.lines(), self._pending(), finished=True)

    def write(self, *, finished: bool) -> None:
        """Write the receipt.

        A pipe gets only the last one: who reads it would take the first for all, and one that reads
        no further would hold up the mirror.

        Args:
            finished: Whether the mirror has ended.

        Raises:
            DocklessError: That is not possible.
        """
        with self._turn:
            self._write(last=finished, finished=finished)

    def finish(self, *, finished: bool = True) -> DocklessError | None:
        """Write the last receipt; return the error where that is not possible.

        Args:
            finished: Whether the mirror has ended; the error is printed if it was broken off.
        """
        self._complaints.finish()
        try:
            with self._turn:
                self._write(last=True, finished=finished)
        except DocklessError as error:
            if not finished:
                self._complain(str(error))
            return error
        return None

    def _rewrite(self) -> DocklessError | None:
        """Write the receipt in mid-run; return the error of the first time that this fails.

        What was pushed counts more than a receipt that may be written at the end.
        """
        try:
            self._write(finished=False)
        except DocklessError as error:
            self._written = time.monotonic()
            if not self._failed:
                self._failed = True
                return error
        return None

    def _write(self, *, finished: bool, last: bool = False) -> None:
        self._receipt.write(self.lines(), self._pending(), finished=finished, last=last)
        self._written = time.monotonic()

    def _pending(self) -> tuple[PendingImage, ...]:
        return tuple(
            PendingImage(item.source, item.name, item.references)
            for item in self._expected
            if item not in self._outcomes
        )


def _arrived_as(references: tuple[Reference, ...], outcome: Outcome) -> tuple[Reference, ...]:
    """Return what names an image there: with Docker's media types it has another digest."""
    if not isinstance(outcome, PushResult):
        return references
    return tuple(
        replace(each, digest=outcome.digest) if each.digest else each for each in references
    )
