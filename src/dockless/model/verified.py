"""Receipts and registries compared: what a receipt says, and where a registry differs."""

from msgspec import Struct

from dockless.errors import DocklessError, PartialError, PushError
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference


class ReceiptItem(Struct, frozen=True, kw_only=True):
    """One image of a receipt.

    Attributes:
        reference: Where it is.
        digest: What it is.
        media_type: The type of its manifest or index.
        blobs: Its configs and layers, each with its size in bytes.
    """

    reference: Reference
    digest: Digest
    media_type: str
    blobs: tuple[tuple[Digest, int], ...]


class Difference(Struct, frozen=True, kw_only=True):
    """A reference that is not as a receipt says, or could not be compared.

    Attributes:
        reference: The reference.
        error: What is wrong, or why it could not be compared.
    """

    reference: Reference
    error: DocklessError

    @property
    def compared(self) -> bool:
        """Whether the registry said what it has; else the error is why it did not."""
        return isinstance(self.error, (PushError, PartialError))


class VerifyResult(Struct, frozen=True, kw_only=True):
    """What came of comparing a registry with receipts.

    Attributes:
        checked: Every reference of the receipts.
        differences: Those that are not as the receipts say, or could not be compared.
        missing: What did not arrive by the receipts themselves, a sentence each.
    """

    checked: tuple[Reference, ...]
    differences: tuple[Difference, ...]
    missing: tuple[str, ...]

    @property
    def uncompared(self) -> int:
        """How many references could not be compared."""
        return sum(not each.compared for each in self.differences)

    @property
    def matches(self) -> bool:
        """Whether all that was to arrive is there as the receipts say."""
        return not self.differences and not self.missing
