"""What a mirror did: a line for each image, and what the lines come to."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from dockless.errors import DocklessError
from dockless.model.plan import PushResult, Writers
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository


class MirroredImage(Struct, frozen=True, kw_only=True):
    """The outcome of one image.

    Attributes:
        source: The name of its source.
        name: Its name there; empty where that is unknown.
        references: Where it goes; none when it has no place to go.
        outcome: What its push did, or why it did not arrive.
        arrived: When it came, as RFC 3339; None for one that was there before.
        origin: Where a list asks for it, `file:line:column`; empty for one that was given directly.
        other_sources: The other sources that have the same image.
        is_image: Whether it is an image; else it is what lists or carries images that is damaged.
    """

    source: str
    name: str
    references: tuple[Reference, ...]
    outcome: PushResult | DocklessError
    arrived: str | None = None
    origin: str = ""
    other_sources: tuple[str, ...] = ()
    is_image: bool = True

    @property
    def result(self) -> PushResult | None:
        """What its push did, or would do; None for one that failed."""
        return None if isinstance(self.outcome, DocklessError) else self.outcome

    @property
    def error(self) -> DocklessError | None:
        """Why it did not arrive; None for one that did."""
        return self.outcome if isinstance(self.outcome, DocklessError) else None

    @property
    def status(self) -> Literal["pushed", "unchanged", "planned", "failed"]:
        """Whether it was pushed, was there before, would be pushed (dry run), or failed."""
        result = self.result
        if result is None:
            return "failed"
        if result.unchanged:
            return "unchanged"
        return "planned" if result.dry_run else "pushed"

    @property
    def digest(self) -> Digest | None:
        """The digest of its manifest or index; None for one that failed."""
        return self.result.digest if self.result else None

    @property
    def writers(self) -> Writers:
        """Which programs wrote it; none for one that was there before, or failed."""
        return self.result.writers if self.result else Writers()


class PendingImage(Struct, frozen=True):
    """An image that has not been tried yet.

    Attributes:
        source: The name of its source.
        name: Its name there.
        references: Where it goes.
    """

    source: str
    name: str
    references: tuple[Reference, ...]


class MirrorResult(Struct, frozen=True, kw_only=True):
    """What a mirror did, or would do.

    Attributes:
        images: Every image that was asked for, in the order in which they ended.
        error: The error that sums up those of the images; None where all of them arrived.
        receipt: The receipt, as docs/receipt.schema.json has it.
        unknown_repositories: The repositories that the registry does not have yet; None but for a
            dry run that reached it.
    """

    images: tuple[MirroredImage, ...]
    error: DocklessError | None
    receipt: Mapping[str, object]
    unknown_repositories: tuple[Repository, ...] | None = None

    @property
    def results(self) -> tuple[PushResult, ...]:
        """What the pushes did that did not fail."""
        return tuple(each.result for each in self.images if each.result)

    @property
    def failures(self) -> tuple[MirroredImage, ...]:
        """The images that did not arrive."""
        return tuple(each for each in self.images if each.error)

    def raise_for_failures(self) -> None:
        """Raise `error`, if there is one: a PartialError where some images arrived."""
        if self.error:
            raise self.error
