"""What came of comparing registries with receipts, as text and as JSON."""

from dockless.model.counts import references, share
from dockless.model.verified import VerifyResult
from dockless.report.json import SCHEMA_VERSION, error_members


def verified_text(found: VerifyResult, *, deep: bool) -> str:
    """Return how many references are as the receipts say; `deep` is whether blobs were read."""
    total, unknown = len(found.checked), found.uncompared
    if unknown == total and total:
        return f"{share(0, total, 'reference')} could be compared."
    right = total - len(found.differences)
    read = ", and every byte of them" if deep else ""
    also = f"; {unknown} could not be compared" if unknown else ""
    return f"{references(right, total)} as the receipt says{read}{also}."


def verified_document(found: VerifyResult, *, deep: bool) -> dict[str, object]:
    """Return the JSON document; docs/verify.schema.json has it."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "verification": {
            "matches": found.matches and bool(found.checked),
            "deep": deep,
            "checked": [str(each) for each in found.checked],
            "differences": [
                {
                    "reference": str(each.reference),
                    "compared": each.compared,
                    "error": error_members(each.error),
                }
                for each in found.differences
            ],
            "missing": list(found.missing),
        },
    }
