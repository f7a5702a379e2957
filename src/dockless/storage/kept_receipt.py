"""The receipt of one mirror, on disk if requested."""

import time
from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from dockless.model.mirrored import MirroredImage, PendingImage
from dockless.model.moments import moment
from dockless.model.printable import json_text
from dockless.model.shard import Shard
from dockless.oci.digest import Digest
from dockless.storage.receipt import pending_members, receipt_document
from dockless.storage.receipt_file import ReceiptFile
from dockless.version import __version__


class Heading(Struct, frozen=True, kw_only=True):
    """What a receipt says of the whole mirror.

    Attributes:
        target: The registry, and what every repository begins with.
        bundles: The digest of the index.json of each bundle.
        part: Which part of the whole was to be mirrored.
        version_of: Returns the version of a program that has written.
        division: The digest of the whole that was divided into parts; None where nothing was.
    """

    target: str
    bundles: Mapping[str, Digest]
    version_of: Callable[[str], str]
    part: Shard = Shard(0, 1)
    division: Digest | None = None


class KeptReceipt:
    """The receipt of one mirror.

    Args:
        file: Where it is written; None for nowhere.
        heading: What it says of the whole mirror.
    """

    def __init__(self, file: ReceiptFile | None, heading: Heading) -> None:
        self._file = file
        self._heading = heading

    def document(
        self, images: Sequence[MirroredImage], pending: Sequence[PendingImage], *, finished: bool
    ) -> dict[str, object]:
        """Return the receipt.

        Args:
            images: Those that ended.
            pending: Those that have not been tried.
            finished: Whether the mirror ended.
        """
        wrote = {name for each in images for name in each.writers.programs}
        wrote |= {each.result.engine for each in images if each.result} - {"", "direct"}
        # Debian's crane does not know its own version
        known = {name: self._heading.version_of(name) or "unknown" for name in sorted(wrote)}
        versions = {"dockless": __version__, **known}
        ended = moment(time.time()) if finished else None
        document = receipt_document(
            self._heading.target, ended, versions, self._heading.bundles, images
        )
        part, division = self._heading.part, self._heading.division
        shards = {"shards": [str(part)]} if part.count > 1 else {}
        divided = {"division": str(division)} if division else {}
        return document | shards | divided | {"pending": pending_members(pending)}

    def write(
        self,
        images: Sequence[MirroredImage],
        pending: Sequence[PendingImage],
        *,
        finished: bool,
        last: bool,
    ) -> None:
        """Replace the file, if there is one; of a pipe only the last receipt is written.

        Raises:
            UsageError: That is not possible.
        """
        if self._file and (last or self._file.is_replaced):
            document = self.document(images, pending, finished=finished)
            self._file.write(json_text(document) + "\n")
