"""What a dry run finds that no image of the mirror could bring, as an older bundle has to first."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dockless.mirror import Entry, Outcome
from dockless.model.errors import AbsentError, DocklessError
from dockless.model.plan import PushResult
from dockless.sources.oci import PackedImage

if TYPE_CHECKING:
    from dockless.model.digest import Digest


def lacking(outcomes: Mapping[Entry, Outcome]) -> Iterator[tuple[Entry, DocklessError]]:
    """Yield the images of which a blob is neither at the registry nor in any source of this run.

    Args:
        outcomes: What the dry run found of each image.
    """
    left_out: dict[Entry, dict[Digest, AbsentError]] = {}
    brought: set[Digest] = set()
    for entry, outcome in outcomes.items():
        if not isinstance(outcome, PushResult):
            continue
        image = entry.open()
        absent = image.absent() if isinstance(image, PackedImage) else {}
        missing = {blob.digest for blob in outcome.plan.missing}
        left_out[entry] = {digest: why for digest, why in absent.items() if digest in missing}
        brought |= {blob.digest for blob in outcome.plan.content.blobs} - absent.keys()
    for entry, errors in left_out.items():
        if why := next((why for digest, why in errors.items() if digest not in brought), None):
            yield entry, why
