"""Comparing registries with what receipts say of them."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from dockless.concurrency import map_concurrently
from dockless.errors import DocklessError, NetworkError, PartialError, PushError
from dockless.model.counts import number
from dockless.model.verified import Difference, ReceiptItem, VerifyResult
from dockless.oci.content import Content
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.ports import Registry
from dockless.retry import RetryPolicy
from dockless.usecases.mirror.complaints import Complaints
from dockless.usecases.verify.read_back import blob_faults, read_back

if TYPE_CHECKING:
    from dockless.oci.digest import Digest

_AT_ONCE = 4
_MOST_SAID = 3
_OTHER_RECEIPT = (
    "The receipt was changed, or is another image's: push or mirror again with --receipt."
)
_MENDED = (
    "Push or mirror the image again with --receipt, or with --check-blobs: that uploads what was "
    "lost. "
    "Docker's registry keeps a damaged copy until it is deleted in its storage."
)


class VerifyContext(Struct, frozen=True, kw_only=True):
    """What registries are compared with.

    Attributes:
        open_registry: Returns what reads the registry of a repository, once it responds.
        compare_blob: Reads a blob of a repository, and raises PushError where it is another one;
            None where blobs are not read.
        retry_policy: How often and how long each step is tried.
        note: Called with what is missing or different, a line each.
    """

    open_registry: Callable[[Repository], Registry]
    compare_blob: Callable[[Repository, Descriptor], None] | None
    retry_policy: RetryPolicy
    note: Callable[[str], None]


def compare(
    items: Sequence[ReceiptItem], missing: Sequence[str], context: VerifyContext
) -> VerifyResult:
    """Compare every reference of receipts with the registry; note each difference.

    Args:
        items: What is to be there, each once.
        missing: What is not there by the receipts themselves, a sentence each.
        context: What to work with.
    """
    for line in missing:
        context.note(line)
    check = _ReferenceCheck(context)
    complaints = Complaints(context.note, "other reference")
    wrong: list[Difference] = []
    for item in items:
        try:
            check.item(item)
        except DocklessError as error:
            # the only one is reported by the caller
            if len(items) > 1 or missing:
                repository = str(item.reference.repository)
                complaints.add("", str(item.reference), error, repository)
            wrong.append(Difference(reference=item.reference, error=error))
    complaints.finish()
    return VerifyResult(
        checked=tuple(item.reference for item in items),
        differences=tuple(wrong),
        missing=tuple(missing),
    )


def receipt_differences(item: ReceiptItem, content: Content) -> Iterator[str]:
    """Yield where a receipt differs from an image's own manifests, as sentences without full stop.

    Args:
        item: What the receipt says.
        content: The image of that digest.
    """
    name = item.reference
    if item.media_type != content.root.media_type:
        yield f"The receipt has {item.media_type} for {name}, which is {content.root.media_type}"
    said = {digest for digest, _ in item.blobs}
    sizes = {blob.digest: blob.size for blob in content.blobs}
    # they are of the image, and in no registry
    optional = {blob.digest: blob.size for blob in content.foreign_blobs()}
    for digest in sizes:
        if digest not in said:
            yield f"The receipt lacks the blob {digest} of {name}"
    for digest, size in item.blobs:
        own = sizes.get(digest, optional.get(digest))
        if own is None:
            yield f"The receipt has the blob {digest}, which {name} does not have"
        elif size != own:
            said_size = number(size, "byte")
            yield f"The receipt has {said_size} for the blob {digest} of {name}, which has {own}"


class _ReferenceCheck:
    """Compares references with what a receipt says of them; reads each blob once.

    A registry that does not respond is not asked again.
    """

    def __init__(self, context: VerifyContext) -> None:
        self._open_registry = context.open_registry
        self._compare_blob = context.compare_blob
        self._retry_policy = context.retry_policy
        self._read: dict[tuple[Repository, Digest], DocklessError | None] = {}
        self._silent: dict[str, NetworkError] = {}

    def item(self, item: ReceiptItem) -> None:
        """Check a reference.

        Raises:
            PushError: The registry does not have what the receipt says.
            PartialError: It has, and the receipt says something else of its manifests.
            NetworkError: The registry does not respond, or did not before.
        """
        repository, tag = item.reference.repository, item.reference.tag
        if error := self._silent.get(repository.host):
            raise error
        try:
            registry = self._open_registry(repository)
        except NetworkError as error:
            self._silent[repository.host] = error
            raise
        named = (
            self._retry_policy.call(lambda: registry.tag(repository, tag)) if tag else item.digest
        )
        if named != item.digest:
            now = f"refers to {named}" if named else "does not exist"
            raise PushError(f"{item.reference} {now}; the receipt has {item.digest}.")
        try:
            content = read_back(registry, repository, item.digest, self._retry_policy)
        except PushError as error:
            raise PushError(error.what, _MENDED) from None
        if content is None:
            raise PushError(f"{repository.host} no longer has {item.digest} of {repository}.")
        if differences := tuple(receipt_differences(item, content)):
            raise PartialError(f"{'; '.join(differences[:_MOST_SAID])}.", _OTHER_RECEIPT)
        if faults := blob_faults(registry, repository, content, self._retry_policy):
            raise PushError(f"{faults[0]}.", _MENDED)
        if self._compare_blob:
            self._compare(self._compare_blob, repository, content)

    def _compare(
        self,
        compare_blob: Callable[[Repository, Descriptor], None],
        repository: Repository,
        content: Content,
    ) -> None:
        unread = [each for each in content.blobs if (repository, each.digest) not in self._read]

        def read(blob: Descriptor) -> DocklessError | None:
            try:
                self._retry_policy.call(lambda: compare_blob(repository, blob))
            except PushError as error:
                return error
            return None

        found = map_concurrently(read, unread, _AT_ONCE, finish=True)
        for blob, error in zip(unread, found, strict=True):
            self._read[repository, blob.digest] = error
        for blob in content.blobs:
            if error := self._read[repository, blob.digest]:
                raise error
