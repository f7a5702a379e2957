"""The receipt of a push: written before it begins, and with what became of each image."""

from collections.abc import Callable, Collection, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn, Self

from dockless.errors import DocklessError, UsageError
from dockless.model.plan import PushResult
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository

if TYPE_CHECKING:
    from dockless.usecases.mirror.mirror_ports import MirrorReceipt
    from dockless.usecases.mirror.receipt_writer import ReceiptWriter
    from dockless.usecases.mirror.run import Lost, MirrorItem


class PushReceipt:
    """The receipt of a push of one image, or of every image of a source.

    As a context manager it writes the last one: an error of ours is the failure of each image that
    has no outcome; after any other end, such as a signal, these are pending. So it never has what
    an earlier run left in the file, and never more than this run has seen.

    Args:
        begun: Returns the receipt for a target, `host[:port]`, and the digest of the index.json of
            each bundle or layout that is read; None where no receipt is asked for.

    Attributes:
        error: Why the last one could not be written; None while it could.
    """

    def __init__(
        self, begun: "Callable[[str, Mapping[str, Digest]], MirrorReceipt] | None"
    ) -> None:
        self.error: DocklessError | None = None
        self._begun = begun
        self._writer: ReceiptWriter | None = None
        self._items: dict[str, MirrorItem] = {}

    def begin(
        self,
        source: str,
        images: Mapping[str, Sequence[Reference]],
        listing: Digest | None = None,
    ) -> None:
        """Write the receipt before anything is pushed; once more when the names are known.

        Args:
            source: The source's name.
            images: What is to be pushed: by its name in the source, what is to refer to it.
            listing: The digest of the index.json of a bundle or layout.

        Raises:
            UsageError: The images go to several registries, or the path cannot be written.
            PushError: It cannot be written.
        """
        if self._begun is None:
            return
        from dockless.usecases.mirror.run import MirrorItem  # noqa: PLC0415 - rare

        items = [
            MirrorItem(
                source=source, name=name, references=tuple(references), size=0, open=_not_read
            )
            for name, references in images.items()
        ]
        hosts = {each.repository.host for references in images.values() for each in references}
        self._write(hosts, items, (), {source: listing} if listing else {})

    def begin_all(
        self,
        work: "Sequence[MirrorItem | Lost]",
        host: str | None,
        listing: Digest | None = None,
    ) -> None:
        """Write the receipt of every image of a source before any is pushed.

        Args:
            work: What is to be pushed, each by a name of its own, and what cannot be, and why.
            host: The registry where none can be pushed; None for no receipt then.
            listing: The digest of the index.json of a bundle or layout.

        Raises:
            UsageError: The images go to several registries, or the path cannot be written.
            PushError: It cannot be written.
        """
        from dockless.usecases.mirror.run import MirrorItem  # noqa: PLC0415 - rare

        items = [each for each in work if isinstance(each, MirrorItem)]
        lost = [each for each in work if not isinstance(each, MirrorItem)]
        hosts = {each.repository.host for each in items} or {*([host] if host else [])}
        self._write(hosts, items, lost, {work[0].source: listing} if work and listing else {})

    def _write(
        self,
        hosts: Collection[str],
        items: "Sequence[MirrorItem]",
        lost: "Sequence[Lost]",
        bundles: Mapping[str, Digest],
    ) -> None:
        if self._begun is None or not hosts:
            return
        if len(hosts) > 1:
            raise UsageError(
                "A receipt is of one registry, and the images of this source go to several: "
                f"{', '.join(sorted(hosts))}.",
                "Push them one by one, each with a receipt of its own; `dockless verify` takes "
                "several.",
            )
        from dockless.usecases.mirror.receipt_writer import ReceiptWriter  # noqa: PLC0415 - rare

        self._items = {each.name: each for each in items}
        # every error is printed by who pushes
        self._writer = ReceiptWriter(self._begun(next(iter(hosts)), bundles), _Arrivals(), _nothing)
        self._writer.begin(items, lost)

    def begin_one(
        self,
        source: str,
        name: str,
        repository: Repository,
        tags: Sequence[str],
        listing: Digest | None = None,
    ) -> None:
        """Write the receipt of one image before it is pushed; see `begin`."""
        references = tuple(Reference(repository, tag) for tag in tags)
        self.begin(source, {name: references}, listing=listing)

    def note(self, name: str, outcome: PushResult | DocklessError) -> None:
        """Record what became of an image; of one that was not begun, nothing."""
        if self._writer and (item := self._items.pop(name, None)):
            self._writer.note(item, outcome)

    def ended(self, outcome: PushResult | DocklessError) -> None:
        """Record what became of all that was begun and has no outcome yet."""
        for name in tuple(self._items):
            self.note(name, outcome)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._writer is None:
            return
        if isinstance(error, DocklessError):
            self.ended(error)
        finished = error is None or isinstance(error, DocklessError)
        self.error = self._writer.finish(finished=finished)
        if not self.error or not isinstance(error, DocklessError):
            return
        if self.error.what not in error.what:  # else it was the reason to stop
            raise error.with_context(f"{error.what} {self.error.what}") from error


class _Arrivals:
    """When images arrived: those that this push has sent, now."""

    def arrived(self, target: Reference, digest: Digest, *, now: bool) -> str | None:
        """Return the time as RFC 3339; None for an image that was there before."""
        del target, digest
        if not now:
            return None
        import time  # noqa: PLC0415 - for receipts only

        from dockless.model.moments import moment  # noqa: PLC0415 - the same

        return moment(time.time())


def _not_read() -> NoReturn:
    raise AssertionError("a receipt reads no image")


def _nothing(text: str) -> None:
    del text
