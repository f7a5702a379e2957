"""Comparing a registry with what receipts say of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from dockless.client.session import Session
from dockless.concurrency import map_concurrently
from dockless.errors import DocklessError, PushError, UsageError
from dockless.model.counts import share
from dockless.oci.content import Content
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Reference, Repository
from dockless.processes.regular import read_regular
from dockless.registry.client import RegistryClient
from dockless.registry.compare import compare_blob
from dockless.retry import RetryPolicy
from dockless.storage.receipt_merging import parts_of
from dockless.storage.receipt_reading import Receipt, ReceiptItem, read_receipt
from dockless.usecases.verify.read_back import blob_faults, read_back

if TYPE_CHECKING:
    from dockless.oci.digest import Digest

_AT_ONCE = 4
_MOST_NAMED = 5
_MENDED = (
    "Push the image with --check-blobs, or mirror it with --receipt: both upload what was lost. "
    "Docker's registry keeps a damaged copy until it is deleted in its storage."
)


class Difference(Struct, frozen=True, kw_only=True):
    """A reference that is not as a receipt says.

    Attributes:
        reference: The reference.
        error: What is wrong, or why it could not be compared.
    """

    reference: Reference
    error: DocklessError


class VerifyResult(Struct, frozen=True, kw_only=True):
    """What came of comparing a registry with receipts.

    Attributes:
        checked: Every reference of the receipts that was compared.
        differences: Those that are not as the receipts say.
        missing: What did not arrive by the receipts themselves, a sentence each.
    """

    checked: tuple[Reference, ...]
    differences: tuple[Difference, ...]
    missing: tuple[str, ...]

    @property
    def matches(self) -> bool:
        """Whether all that was to arrive is there as the receipts say."""
        return not self.differences and not self.missing


def read_receipts(paths: Iterable[Path]) -> list[Receipt]:
    """Return what receipts say.

    Raises:
        UsageError: One cannot be read, or is no receipt.
    """
    return [read_receipt(_text_of(path), str(path)) for path in paths]


def distinct(receipts: Sequence[Receipt]) -> tuple[list[ReceiptItem], list[str]]:
    """Return the items and the missing lines of all receipts, each once.

    Raises:
        UsageError: They are of mirrors that were divided in different ways.
    """
    items = dict.fromkeys(item for each in receipts for item in each.items)
    missing = dict.fromkeys(line for each in receipts for line in each.missing)
    return list(items), [*_lost_parts(receipts), *missing]


def _lost_parts(receipts: Sequence[Receipt]) -> Iterator[str]:
    """Yield a sentence where there is no receipt of some part of a mirror."""
    parts = parts_of(receipts)
    count = parts[0].count if parts else 0
    given = {part.index for part in parts}
    lost = [f"{index}/{count}" for index in range(count) if index not in given]
    if lost:
        named = ", ".join(lost[:_MOST_NAMED]) + (" and others" if len(lost) > _MOST_NAMED else "")
        yield (
            f"{share(len(lost), count, 'part')} of the mirror "
            f"{'has' if len(lost) == 1 else 'have'} no receipt here: {named}."
        )


def hosts(receipts: Iterable[Receipt]) -> set[str]:
    """Return the registries of all references."""
    return {item.reference.repository.host for each in receipts for item in each.items}


def compare(
    work: Session,
    receipts: Sequence[Receipt],
    retry_policy: RetryPolicy,
    note: Callable[[str], None],
    *,
    deep: bool,
) -> VerifyResult:
    """Compare every reference of receipts with the registry; note each difference.

    Args:
        work: Opens the registries.
        receipts: What is to be there.
        retry_policy: How often and how long each step is tried.
        note: Told what is missing or different, a line each.
        deep: Whether every blob is read, and compared with its digest.
    """
    items, missing = distinct(receipts)
    for line in missing:
        note(line)
    check = _Check(work, retry_policy, deep=deep)
    wrong: list[Difference] = []
    for item in items:
        try:
            check.item(item)
        except DocklessError as error:
            # the only one is reported by whoever called
            if len(items) > 1 or missing:
                note(f"{item.reference}: {error}")
            wrong.append(Difference(reference=item.reference, error=error))
    return VerifyResult(
        checked=tuple(item.reference for item in items),
        differences=tuple(wrong),
        missing=tuple(missing),
    )


class _Check:
    """Compares references with what a receipt says of them; reads each blob once."""

    def __init__(self, work: Session, retry_policy: RetryPolicy, *, deep: bool) -> None:
        self._work = work
        self._retry_policy = retry_policy
        self._deep = deep
        self._read: dict[tuple[Repository, Digest], DocklessError | None] = {}

    def item(self, item: ReceiptItem) -> None:
        """Raise PushError where a reference is not as the receipt says."""
        repository, tag = item.reference.repository, item.reference.tag
        client = self._work.registry(repository, reading=True).client
        named = self._retry_policy.call(lambda: client.tag(repository, tag)) if tag else item.digest
        if named != item.digest:
            raise PushError(
                f"{item.reference} names {named or 'nothing'}, and the receipt says {item.digest}."
            )
        try:
            content = read_back(client, repository, item.digest, self._retry_policy)
        except PushError as error:
            raise PushError(error.what, _MENDED) from None
        if content is None:
            raise PushError(f"{repository.host} no longer has {item.digest} of {repository}.")
        if faults := blob_faults(client, repository, content, self._retry_policy):
            raise PushError(f"{faults[0]}.", _MENDED)
        if self._deep:
            self._compare(client, repository, content)

    def _compare(self, client: RegistryClient, repository: Repository, content: Content) -> None:
        unread = [each for each in content.blobs if (repository, each.digest) not in self._read]

        def read(blob: Descriptor) -> DocklessError | None:
            try:
                self._retry_policy.call(lambda: compare_blob(client, repository, blob))
            except PushError as error:
                return error
            return None

        found = map_concurrently(read, unread, _AT_ONCE, finish=True)
        for blob, error in zip(unread, found, strict=True):
            self._read[repository, blob.digest] = error
        for blob in content.blobs:
            if error := self._read[repository, blob.digest]:
                raise error


def _text_of(path: Path) -> str:
    try:
        return read_regular(path).decode()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"The receipt {path} cannot be read.", "Check the path.") from None
