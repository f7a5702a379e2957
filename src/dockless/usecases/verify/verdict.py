"""What the comparison of registries with receipts comes to."""

from dockless.errors import DocklessError, PartialError, UsageError
from dockless.model.counts import references, share
from dockless.model.verified import VerifyResult

_MEND = "Push or mirror again what differs."


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
        return PartialError(
            f"Not everything arrived, as {says}{_also(found)}.",
            "Run the push or mirror again: it sends what is missing.",
        )
    if len(wrong) == len(items) == 1:
        error = wrong[0].error
        return error if error.remedy else error.with_context(remedy=_MEND)
    return _differing(found, says) if wrong else None


def _differing(found: VerifyResult, says: str) -> DocklessError:
    items, wrong, unknown = found.checked, found.differences, found.uncompared
    kind = type(wrong[0].error) if len(wrong) == len(items) else PartialError
    different = len(wrong) - unknown
    if different == len(items):
        return kind(f"No reference is as {says}.", _MEND)
    if different:
        also = f", and {unknown} could not be compared" if unknown else ""
        return kind(f"{references(different, len(items))} not as {says}{also}.", _MEND)
    none = "No reference could be compared."
    some = f"{share(unknown, len(items), 'reference')} could not be compared."
    return kind(none if unknown == len(items) else some, "Verify again when that is corrected.")


def _also(found: VerifyResult) -> str:
    """Return what is wrong with the references, after the end of a sentence; empty for nothing."""
    total, unknown = len(found.checked), found.uncompared
    different = len(found.differences) - unknown
    wrong = f", and {references(different, total)} wrong" if different else ""
    return f"{wrong}, and {unknown} of {total} could not be compared" if unknown else wrong
