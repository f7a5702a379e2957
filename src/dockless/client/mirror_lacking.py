"""What bundles leave out: other sources of the run provide it, or an older bundle."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dockless.errors import AbsentError, DocklessError
from dockless.model.plan import PushResult
from dockless.sources.lending import CompletedImage, Lenders
from dockless.sources.oci_layout import PackedImage
from dockless.usecases.mirror.run import MirrorItem, Outcome, SourceImage

if TYPE_CHECKING:
    from dockless.oci.digest import Digest


def completed(found: Sequence[SourceImage]) -> tuple[SourceImage, ...]:
    """Return the images, each with what its own source leaves out and another one has.

    So the order of a bundle and of those that were made with `--since` does not matter.
    """
    opened = [(each, each.open() if each.content else None) for each in found]
    lenders = Lenders()
    for _, image in opened:
        lenders.add(image)
    return tuple(
        replace(each, open=partial(_same, CompletedImage(image, lenders)))
        if isinstance(image, PackedImage)
        else each
        for each, image in opened
    )


def _same(image: CompletedImage) -> CompletedImage:
    return image


def lacking(outcomes: Mapping[MirrorItem, Outcome]) -> Iterator[tuple[MirrorItem, DocklessError]]:
    """Yield the images of which a blob is neither at the registry nor in any source of this run.

    Args:
        outcomes: What the dry run found of each image.
    """
    left_out: dict[MirrorItem, dict[Digest, AbsentError]] = {}
    brought: set[Digest] = set()
    for entry, outcome in outcomes.items():
        if not isinstance(outcome, PushResult):
            continue
        image = entry.open()
        absent = image.absent() if isinstance(image, CompletedImage) else {}
        missing = {blob.digest for blob in outcome.plan.missing}
        left_out[entry] = {digest: why for digest, why in absent.items() if digest in missing}
        brought |= {blob.digest for blob in outcome.plan.content.blobs} - absent.keys()
    for entry, errors in left_out.items():
        if why := next((why for digest, why in errors.items() if digest not in brought), None):
            yield entry, why
