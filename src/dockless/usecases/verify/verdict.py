"""What the comparison of registries with receipts comes to."""

from dockless.errors import DocklessError, PartialError, UsageError
from dockless.model.counts import references
from dockless.model.verified import VerifyResult


def verdict(found: VerifyResult, receipts: int) -> DocklessError | None:
    """Return the error that sums up the differences; None where all is as the receipts say.

    Args:
        found: What came of the comparison.
        receipts: How many receipts there are.
    """
    items, wrong, missing = found.checked, found.differences, found.missing
    says = "the receipt says" if receipts == 1 else "the receipts say"
    if not items and not missing:
        named = "The receipt names" if receipts == 1 else "The receipts name"
        return UsageError(f"{named} no image.", "Nothing was checked.")
    if missing:  # each of which has been printed
        also = f", and {references(len(wrong), len(items))} wrong" if wrong else ""
        return PartialError(
            f"Not everything arrived, as {says}{also}.",
            "See above, and run the push or mirror again.",
        )
    if not wrong:
        return None
    if len(wrong) == len(items):
        if len(wrong) == 1:
            return wrong[0].error
        return type(wrong[0].error)(f"No reference is as {says}.", "See above.")
    return PartialError(f"{references(len(wrong), len(items))} not as {says}.", "See above.")
