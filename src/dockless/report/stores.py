"""The store of staged layers, as text and as JSON; docs/cache.schema.json has the latter."""

from pathlib import Path

from dockless.model.printable import one_line
from dockless.report.json import SCHEMA_VERSION
from dockless.report.units import human_size
from dockless.storage.blob_store import Usage


def store_text(folder: Path, usage: Usage, limit: int) -> str:
    """Return where the store is, what it holds, and the bytes that it is pruned down to."""
    return "\n".join(
        (
            f"Folder  {one_line(str(folder))}",
            f"Blobs   {usage.blobs} ({human_size(usage.size)})",
            f"Layers  {usage.layers} known",
            f"Limit   {human_size(limit)}",
        )
    )


def store_document(folder: Path, usage: Usage, limit: int) -> dict[str, object]:
    """Return the same as a JSON document."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "cache": {
            "folder": str(folder),
            "blobs": usage.blobs,
            "bytes": usage.size,
            "layers": usage.layers,
            "limitBytes": limit,
        },
    }


def pruned_text(freed: int) -> str:
    """Return how many bytes pruning has freed."""
    return f"Freed {human_size(freed)}"


def pruned_document(freed: int) -> dict[str, object]:
    """Return the document of the bytes that pruning has freed."""
    return {"schemaVersion": SCHEMA_VERSION, "pruned": {"freedBytes": freed}}
