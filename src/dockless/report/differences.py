"""What came of comparing registries with receipts, as text and as JSON."""

from dockless.model.counts import references
from dockless.model.verified import VerifyResult
from dockless.report.json import SCHEMA_VERSION, error_members


def verified_text(found: VerifyResult, receipts: int, *, deep: bool) -> str:
    """Return how many references are as the receipts say.

    Args:
        found: What came of the comparison.
        receipts: How many receipts there are.
        deep: Whether every blob was read.
    """
    right = len(found.checked) - len(found.differences)
    says = "the receipt says" if receipts == 1 else "the receipts say"
    read = ", and every byte of them" if deep else ""
    return f"{references(right, len(found.checked))} as {says}{read}."


def verified_document(found: VerifyResult, *, deep: bool) -> dict[str, object]:
    """Return the JSON document; docs/verify.schema.json has it."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "verification": {
            "matches": found.matches and bool(found.checked),
            "deep": deep,
            "checked": [str(each) for each in found.checked],
            "differences": [
                {"reference": str(each.reference), "error": error_members(each.error)}
                for each in found.differences
            ],
            "missing": list(found.missing),
        },
    }
