"""Writing receipts: what arrived where; docs/receipt.schema.json has the form."""

from collections.abc import Iterable, Mapping

from dockless.errors import DocklessError
from dockless.model.mirrored import MirroredImage, PendingImage
from dockless.model.plan import PushResult
from dockless.oci.digest import Digest

VERSION = 1
"""The version of the form that is written, and read."""


def receipt_document(
    target: str,
    moment: str | None,
    versions: Mapping[str, str],
    bundles: Mapping[str, Digest],
    lines: Iterable[MirroredImage],
) -> dict[str, object]:
    """Return the receipt of a mirror.

    Args:
        target: The registry, and what every repository begins with.
        moment: When it ended, as RFC 3339; None while it runs.
        versions: The versions of what did it.
        bundles: The digest of the index.json of each bundle or layout.
        lines: The outcome of each image.
    """
    lines = tuple(lines)
    return {
        "receiptVersion": VERSION,
        "target": target,
        "finished": moment,
        "versions": dict(versions),
        "bundles": {source: str(digest) for source, digest in bundles.items()},
        "images": [
            _image(line, line.outcome) for line in lines if isinstance(line.outcome, PushResult)
        ],
        "failures": [
            _failure(line, line.outcome)
            for line in lines
            if isinstance(line.outcome, DocklessError)
        ],
    }


def pending_members(pending: Iterable[PendingImage]) -> list[dict[str, object]]:
    """Return the member `pending` of a receipt."""
    return [
        {
            "source": each.source,
            "name": each.name,
            "references": [str(reference) for reference in each.references],
        }
        for each in pending
    ]


def _image(line: MirroredImage, result: PushResult) -> dict[str, object]:
    content = result.plan.content
    return {
        "source": line.source,
        "otherSources": list(line.other_sources),
        "name": line.name,
        "references": [str(each) for each in line.references],
        "digest": str(content.root.digest),
        "mediaType": content.root.media_type,
        "unchanged": result.unchanged,
        "arrived": line.arrived,
        "verified": result.verified,
        "checked": result.checked,
        "writers": result.writers.to_json(),
        "blobs": [{"digest": str(blob.digest), "size": blob.size} for blob in content.blobs],
    }


def _failure(line: MirroredImage, error: DocklessError) -> dict[str, object]:
    return {
        "source": line.source,
        "otherSources": list(line.other_sources),
        "name": line.name,
        "references": [str(each) for each in line.references],
        "origin": line.origin or None,
        "error": error.to_json(),
    }
