"""What bundles leave out: other sources of the run provide it, or an older bundle."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dockless.errors import AbsentError, DocklessError
from dockless.model.plan import PushResult
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.mirror_ports import ImageLenders
from dockless.usecases.mirror.run import MirrorItem, Outcome, order_by_shared_blobs

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
    """Yield the images that would not arrive, since a blob of them cannot be had, and why.

    As when they are pushed, an image brings what the registry lacks for those that come later, and
    only what nobody brought is read. One that lacks a blob is tried again at the end.

    Args:
        outcomes: What the dry run found of each image.
        lenders: The sources.
    """
    brought: set[Digest] = set()
    late: list[MirrorItem] = []
    first, later = order_by_shared_blobs(tuple(outcomes))
    for item in (*first, *later):
        error = _fault(item, outcomes[item], brought, lenders)
        if isinstance(error, AbsentError):
            late.append(item)
        elif error:
            yield item, error
    for item in late:
        if error := _fault(item, outcomes[item], brought, lenders):
            yield item, error


def _fault(
    item: MirrorItem, outcome: Outcome, brought: "set[Digest]", lenders: ImageLenders
) -> DocklessError | None:
    """Return why an image would not arrive; else add what it brings."""
    if not isinstance(outcome, PushResult):  # which is reported
        return None
    content = outcome.plan.content
    needed = {blob.digest for blob in outcome.plan.missing} - brought
    if not outcome.unchanged:  # whoever writes a manifest reads its configs
        needed |= content.configs()
    for digest in sorted(needed, key=str):
        if error := lenders.fault(item.open(), digest):
            return error
    brought.update(blob.digest for blob in content.blobs)
    return None
