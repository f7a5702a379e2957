"""Comparing a registry with what receipts say of it, as the command line and the library do."""

from collections.abc import Callable, Sequence

from dockless.client.session import Session
from dockless.model.verified import VerifyResult
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.registry.compare import compare_blob
from dockless.storage.receipt_merging import distinct, division_doubt
from dockless.storage.receipt_reading import Receipt
from dockless.usecases.verify.compare_receipts import VerifyContext, compare


def verify(
    work: Session,
    receipts: Sequence[Receipt],
    note: Callable[[str], None],
    *,
    deep: bool,
    merging: bool = False,
) -> VerifyResult:
    """Compare every reference of receipts with the registry; note each difference.

    Args:
        work: Opens the registries.
        receipts: What is to be there.
        note: Called with every difference, and every wait before a step is tried again.
        deep: Whether every blob is read, and compared with its digest.
        merging: Whether the receipts are merged into one.

    Raises:
        UsageError: The receipts are of mirrors that were divided in different ways.
    """
    items, missing = distinct(receipts)
    if doubt := division_doubt(receipts, merging=merging):
        note(doubt)

    def read(repository: Repository, blob: Descriptor) -> None:
        compare_blob(work.reading(repository), repository, blob)

    context = VerifyContext(
        open_registry=work.reading,
        compare_blob=read if deep else None,
        retry_policy=work.retry_policy(note),
        note=note,
    )
    return compare(items, missing, context)
