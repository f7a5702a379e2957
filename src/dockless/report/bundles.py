"""The content of a bundle, as a table and as JSON."""

from collections.abc import Iterator, Sequence

from dockless.errors import DocklessError, PartialError
from dockless.model.counts import counted
from dockless.model.lock import Locked
from dockless.report.json import SCHEMA_VERSION
from dockless.report.text import columns
from dockless.report.units import human_size

_HEADINGS = ("IMAGE", "DIGEST", "SIZE", "PLATFORMS")
_SHORT_HEX = 12


def bundle_table(images: Sequence[Locked]) -> str:
    """Return a line for each image, under headings."""
    return columns((_HEADINGS, *map(_row, images)))


def bundle_document(images: Sequence[Locked]) -> dict[str, object]:
    """Return the JSON document of a bundle's images, which docs/bundle.schema.json describes."""
    return {
        "schemaVersion": SCHEMA_VERSION,
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
        ],
    }


def left_out_lines(
    out: str, images: Sequence[DocklessError], faults: Sequence[DocklessError]
) -> Iterator[str]:
    """Yield a line for each thing that a new bundle lacks: nobody may take it for the whole.

    Args:
        out: What the bundle is called.
        images: The error of each image that is not in it.
        faults: What else is damaged in its sources.
    """
    yield from (f"Missing in {out}: {error.what}" for error in images)
    yield from (f"Damaged in the sources: {error.what}" for error in faults)


def left_out_error(out: str, images: int, faults: int) -> PartialError | None:
    """Return the error that sums these lines up; None where there are none."""
    if images:
        were = "was" if images == 1 else "were"
        what = f"{out} lacks {counted(images, 'image')} that {were} asked for."
    elif faults:
        what = (
            f"{out} has every image that could be found, but the sources have "
            f"{counted(faults, 'fault')}."
        )
    else:
        return None
    return PartialError(
        what,
        "Create the bundle again when every source can be read, or use it as it is.",
    )


def _row(each: Locked) -> tuple[str, ...]:
    size = human_size(sum(size for _, size in each.blobs)) if each.blobs else "-"
    digest = f"{each.root.digest.algorithm}:{each.root.digest.hex[:_SHORT_HEX]}"
    return each.name, digest, size, ", ".join(each.platforms) or "-"
