"""The content of a bundle, as a table and as JSON."""

from collections.abc import Sequence

from dockless.model.lock import Locked
from dockless.report.text import columns
from dockless.report.units import human_size

_HEADINGS = ("IMAGE", "DIGEST", "SIZE", "PLATFORMS")
_SHORT_HEX = 12


def bundle_table(images: Sequence[Locked]) -> str:
    """Return a line for each image, under headings."""
    return columns((_HEADINGS, *map(_row, images)))


def bundle_document(images: Sequence[Locked]) -> dict[str, object]:
    """Return the JSON document of a bundle's images."""
    return {
        "images": [
            {
                "name": each.name,
                "source": each.source,
                "digest": str(each.root.digest),
                "mediaType": each.root.media_type,
                "bytes": sum(size for _, size in each.blobs),
                "platforms": list(each.platforms),
            }
            for each in images
        ]
    }


def _row(each: Locked) -> tuple[str, ...]:
    size = human_size(sum(size for _, size in each.blobs)) if each.blobs else "-"
    digest = f"{each.root.digest.algorithm}:{each.root.digest.hex[:_SHORT_HEX]}"
    return each.name, digest, size, ", ".join(each.platforms) or "-"
