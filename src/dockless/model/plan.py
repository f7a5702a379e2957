"""What a push will do, and what it did."""

from collections.abc import Collection
from typing import Literal

from msgspec import Struct

from dockless.errors import DocklessError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.packing import GZIP, Packing
from dockless.oci.reference import Reference, Repository

_MOST_NAMED = 5


class BlobPlan(Struct, frozen=True):
    """A config or layer, and whether the registry's repository has it already."""

    descriptor: Descriptor
    present: bool


class TagPlan(Struct, frozen=True):
    """A tag with its current and its future digest.

    Attributes:
        tag: The tag.
        before: The digest that it refers to now, or None when it does not exist.
        after: The digest that it will refer to.
    """

    tag: str
    before: Digest | None
    after: Digest

    @property
    def action(self) -> Literal["create", "move", "keep"]:
        """Whether the tag is created, updated to another digest, or already right."""
        if self.before is None:
            return "create"
        return "keep" if self.before == self.after else "move"


class Plan(Struct, frozen=True, kw_only=True):
    """What one push will do.

    Attributes:
        repository: Where to.
        content: What.
        blobs: Every config and layer, each with whether the registry has it.
        tags: Every tag asked for.
        digest_is_new: Whether the manifest was made here, because the source had uncompressed
            layers; the image ID is the source's in any case.
        packing: How layers were to be compressed.
    """

    repository: Repository
    content: Content
    blobs: tuple[BlobPlan, ...]
    tags: tuple[TagPlan, ...]
    digest_is_new: bool
    packing: Packing = GZIP

    @property
    def missing(self) -> tuple[Descriptor, ...]:
        """The blobs that the registry lacks."""
        return tuple(blob.descriptor for blob in self.blobs if not blob.present)

    @property
    def missing_layers(self) -> tuple[Descriptor, ...]:
        """The layers that the registry lacks."""
        configs = self.content.configs()
        return tuple(blob for blob in self.missing if blob.digest not in configs)


class Writers(Struct, frozen=True, kw_only=True):
    """Which programs wrote to the registry in one push: `dockless`, `crane` or `skopeo`, sorted.

    Attributes:
        blobs: Who sent configs and layers; none where the registry had them all.
        manifests: Who put the manifests by digest; none where the registry had them.
        tags: Who put the tags; none where no tag was created or moved.
    """

    blobs: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def programs(self) -> frozenset[str]:
        """The programs that wrote anything, but dockless."""
        return frozenset({*self.blobs, *self.manifests, *self.tags} - {"dockless"})

    def to_json(self) -> dict[str, list[str]]:
        """Return its members in JSON."""
        return {
            "blobs": list(self.blobs),
            "manifests": list(self.manifests),
            "tags": list(self.tags),
        }


def written_by(*engines: str) -> tuple[str, ...]:
    """Return the names of the programs behind these engines, of which `direct` is dockless."""
    return tuple(sorted({"dockless" if name == "direct" else name for name in engines}))


class PushResult(Struct, frozen=True, kw_only=True):
    """What one push did.

    Attributes:
        plan: The plan that was carried out.
        unchanged: Whether every tag already referred to this digest, so that nothing was done.
        dry_run: Whether nothing was done because only the plan was asked for.
        verified: Whether the registry's copy was read back and compared.
        engine: The engine that pushed, or empty when none was needed.
        sent: Bytes of the blobs that the registry lacked.
        attempts: How many times the engine was started to push the content.
        seconds: The push's wall time.
        checked: Whether the registry, asked in this run and after what was written, said that it
            has every blob and manifest.
        writers: Which programs wrote what.
    """

    plan: Plan
    unchanged: bool
    dry_run: bool
    verified: bool
    engine: str
    sent: int
    attempts: int
    seconds: float
    checked: bool = False
    writers: Writers = Writers()

    @property
    def references(self) -> tuple[Reference, ...]:
        """The tagged references, in the order asked for."""
        return tuple(Reference(self.plan.repository, tag.tag) for tag in self.plan.tags)

    @property
    def digest(self) -> Digest:
        """The digest of the manifest or index."""
        return self.plan.content.root.digest


class TagMoves:
    """Which tags were updated, and which may have been; threads may share it."""

    def __init__(self) -> None:
        self._done: dict[Reference, None] = {}
        self._begun: list[Reference] = []

    def begin(self, tag: Reference) -> None:
        """Record that a tag may be updated from now on."""
        self._begun.append(tag)

    def end(self, tag: Reference, *, moved: bool) -> None:
        """Record that a tag was updated, or certainly was not."""
        # first, so that it is in one of the two at any moment
        if moved:
            self._done[tag] = None
        self._begun.remove(tag)

    def touched(self, tags: Collection[Reference]) -> tuple[Reference, ...]:
        """Return which of these tags were updated, or may have been."""
        return tuple(tag for tag in tags if tag in self._done or tag in self._begun)

    def about(self, tags: Collection[Reference]) -> str:
        """Return what is known of these tags, as sentences."""
        done = [tag for tag in tags if tag in self._done]
        return _state(done, [tag for tag in tags if tag in self._begun])

    def __str__(self) -> str:
        """Return the known state, as sentences."""
        return _state(list(self._done), list(self._begun))


def with_moves(error: DocklessError, moves: TagMoves, tags: Collection[Reference]) -> DocklessError:
    """Return an error that says what is known of tags which an earlier attempt touched.

    Args:
        error: Why the last attempt failed, which may say it already.
        moves: What all attempts did.
        tags: The tags that earlier attempts touched; none where they touched none.
    """
    said = moves.about(tags) if tags else ""
    if said.removesuffix(".") in str(error):
        return error
    return error.with_context(f"{error.what} {said}")


def _state(done: list[Reference], begun: list[Reference]) -> str:
    begun = [tag for tag in dict.fromkeys(begun) if tag not in done]
    if not done and not begun:
        return "No tag was changed."
    told = []
    if done:
        told.append(f"{_named(done)} {'was' if len(done) == 1 else 'were'} updated.")
    if begun:
        told.append(f"{_named(begun)} may have been updated.")
    return " ".join(told)


def _named(tags: list[Reference]) -> str:
    return f"{len(tags)} tags" if len(tags) > _MOST_NAMED else ", ".join(map(str, tags))
