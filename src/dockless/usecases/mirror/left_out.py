"""What bundles leave out: other sources of the run provide it, or an older bundle."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dockless.errors import AbsentError, DocklessError
from dockless.model.plan import PushResult
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.mirror_ports import ImageLenders
from dockless.usecases.mirror.run import MirrorItem, Outcome

if TYPE_CHECKING:
    from dockless.oci.digest import Digest


def completed(found: Sequence[SourceImage], lenders: ImageLenders) -> tuple[SourceImage, ...]:
    """Return the images, each with what its own source leaves out and another one has.

    So the order of a bundle and of those that were made with `--since` does not matter.
    """
    opened = [(each, each.open() if each.content else None) for each in found]
    for _, image in opened:
        if image:
            lenders.add(image)
    return tuple(with_lenders(each, image, lenders) if image else each for each, image in opened)


def with_lenders(found: SourceImage, image: Image, lenders: ImageLenders) -> SourceImage:
    """Return an image that also has what its own source leaves out and another one has.

    Args:
        found: The image.
        image: What its `open` returned.
        lenders: The sources of the run.
    """
    return replace(found, open=partial(_same, lenders.completed(image)))


def _same(image: Image) -> Image:
    return image


def lacking(
    outcomes: Mapping[MirrorItem, Outcome], lenders: ImageLenders
) -> Iterator[tuple[MirrorItem, DocklessError]]:
    """Yield the images of which a blob is neither at the registry nor in any source of this run.

    Args:
        outcomes: What the dry run found of each image.
        lenders: The sources.
    """
    left_out: dict[MirrorItem, dict[Digest, AbsentError]] = {}
    brought: set[Digest] = set()
    for entry, outcome in outcomes.items():
        if not isinstance(outcome, PushResult):
            continue
        absent = lenders.absent(entry.open())
        missing = {blob.digest for blob in outcome.plan.missing}
        left_out[entry] = {digest: why for digest, why in absent.items() if digest in missing}
        brought |= {blob.digest for blob in outcome.plan.content.blobs} - absent.keys()
    for entry, errors in left_out.items():
        if why := next((why for digest, why in errors.items() if digest not in brought), None):
            yield entry, why
