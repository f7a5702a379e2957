"""Many images to one registry: named by rule, pushed in parallel, retried at the end."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from dockless.concurrency import map_concurrently
from dockless.errors import (
    AbsentError,
    ConflictError,
    DocklessError,
    LostCopyError,
    NetworkError,
    SourceError,
)
from dockless.model.pins import WrongPinError, pinned, refuse_wrong_pins
from dockless.model.plan import PushResult
from dockless.model.renaming import Renaming
from dockless.oci.digest import Digest
from dockless.oci.reference import Name, Reference, Repository
from dockless.ports import Image, SourceImage


class Lost(Struct, frozen=True, kw_only=True):
    """A requested image that cannot be found or read, or has no target.

    Attributes:
        source: What its source is called in messages.
        name: What it is called there; empty where unknown.
        error: Why.
        origin: Where a list asks for it, `file:line:column`; empty on the command line.
        is_image: Whether an image is lost; else it is what lists or carries images that is damaged.
    """

    source: str
    name: str
    error: DocklessError
    origin: str = ""
    is_image: bool = True


class MirrorItem(Struct, frozen=True, kw_only=True):
    """One image and its target.

    Attributes:
        source: The name of its source.
        name: Its name there.
        references: What is to name it there, all in one repository; without a tag for a referrer,
            which is found by its subject.
        size: About how many bytes it has.
        open: Reads it.
        blobs: Its configs and layers, where they are known before it is read.
        origin: Where a list asks for it, `file:line:column`; empty on the command line.
        other_sources: The other sources that have the same image for the same references.
    """

    source: str
    name: str
    references: tuple[Reference, ...]
    size: int
    open: Callable[[], Image]
    blobs: frozenset[Digest] = frozenset()
    origin: str = ""
    other_sources: tuple[str, ...] = ()

    @property
    def repository(self) -> Repository:
        """Where it goes."""
        return self.references[0].repository

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags there; none for a referrer."""
        return tuple(each.tag for each in self.references if each.tag)


Outcome = PushResult | DocklessError
_LATER = (NetworkError, AbsentError, LostCopyError)


class MirrorPlan(Struct, frozen=True):
    """What a mirror will do.

    Attributes:
        items: What has a target.
        lost: The images that have none, and why.
    """

    items: tuple[MirrorItem, ...]
    lost: tuple[Lost, ...]


def plan(found: Iterable[SourceImage], renaming: Renaming) -> MirrorPlan:
    """Give every image its target; two that would get one reference have none.

    An image that is found again, as by a line that stands twice in a list or in a second archive,
    goes there once.
    """
    items: list[MirrorItem] = []
    lost: list[Lost] = []
    for image in found:
        try:
            items += _items(image, renaming)
        except SourceError as error:
            name = image.names[0] if image.names else ""
            lost.append(Lost(source=image.source, name=name, error=error, origin=image.origin))
    items, left_out = distinct(items)
    lost += [
        Lost(source=item.source, name=item.name, error=error, origin=item.origin)
        for item, error in left_out.items()
    ]
    return MirrorPlan(tuple(item for item in items if item not in left_out), tuple(lost))


def _items(image: SourceImage, renaming: Renaming) -> list[MirrorItem]:
    """Return an item for each repository that it goes to; raise SourceError where it has none."""
    if not image.names:
        raise SourceError(f"An image of {image.source} has no name.", "Name it with --as NAME:TAG.")
    places: dict[Repository, dict[Reference, None]] = defaultdict(dict)
    try:
        names = whole_names(image)
        check_pins(image)
        for name in names:
            target = renaming.target(name)
            places[target.repository][target] = None
    except ValueError as error:
        raise SourceError(
            f"{image.names[0]!r} of {image.source} has no valid name at {renaming.host}: {error}.",
            "Name it with --map or --as.",
        ) from None
    return [
        MirrorItem(
            source=image.source,
            name=image.names[0],
            references=tuple(each),
            size=image.size,
            open=image.open,
            blobs=image.blobs,
            origin=image.origin,
        )
        for each in places.values()
    ]


def order_by_shared_blobs(
    items: Sequence[MirrorItem],
) -> tuple[list[MirrorItem], list[MirrorItem]]:
    """Return the images whose blobs others share, and the others, referrers last.

    The blobs are there for the others when those have started first.
    """
    uses = Counter(digest for item in items for digest in item.blobs)
    shared = {digest for digest, count in uses.items() if count > 1}
    brought: set[Digest] = set()
    first: list[MirrorItem] = []
    later: list[MirrorItem] = []
    for item in items:
        brings = (item.blobs & shared) - brought
        (first if brings else later).append(item)
        brought |= brings
    return first, sorted(later, key=lambda item: not item.tags)


def mirror(
    items: Sequence[MirrorItem],
    push: Callable[[MirrorItem], PushResult],
    parallel: int,
    tell: Callable[[MirrorItem, Outcome, bool], None],
    look: Callable[[Sequence[MirrorItem]], None],
) -> dict[MirrorItem, Outcome]:
    """Push every image, several at once; retry temporary failures at the end.

    These are failures of the network, of a missing blob that another image may upload, and of what
    another process deletes of the store.

    Args:
        items: The images, which have references of their own.
        push: Pushes one; raises DocklessError.
        parallel: How many at once.
        look: Finds out which of the images with shared blobs have arrived before.
        tell: Called with the outcome of each, and whether it is tried again; from several
            threads.
    """

    def attempt(item: MirrorItem, *, last: bool) -> Outcome:
        try:
            outcome: Outcome = push(item)
        except DocklessError as error:
            outcome = error
        tell(item, outcome, not last and isinstance(outcome, _LATER))
        return outcome

    first, later = order_by_shared_blobs(items)
    look(first)
    order = [*first, *later]
    begun = map_concurrently(partial(attempt, last=False), order, parallel)
    done = dict(zip(order, begun, strict=True))
    outcomes = {item: done[item] for item in items}
    again = [item for item, outcome in outcomes.items() if isinstance(outcome, _LATER)]
    ended = map_concurrently(partial(attempt, last=True), again, parallel)
    return outcomes | dict(zip(again, ended, strict=True))


def whole_names(image: SourceImage) -> tuple[Name, ...]:
    """Return an image's full names, else its bare tags in a repository named like its source.

    A hybrid archive has each image by both. Raises ValueError for an invalid name.
    """
    whole = [name for name in image.names if ":" in name or "/" in name]
    return tuple(map(Name.parse, whole or [f"{image.bare}:{name}" for name in image.names]))


def check_pins(image: SourceImage) -> None:
    """Raise WrongPinError where a name pins a digest that the image does not have."""
    if not any(map(pinned, image.names)):
        return
    try:
        content = image.content or image.open().content()
    except WrongPinError:
        raise
    except DocklessError:  # its damage is its own failure, when it is pushed
        return
    refuse_wrong_pins(image.names, content.root.digest, image.source)


def distinct(
    items: Sequence[MirrorItem], remedy: str = ""
) -> tuple[list[MirrorItem], Mapping[MirrorItem, DocklessError]]:
    """Return the items, of one image each reference once, and why some of them cannot be pushed.

    Those are items of different images with the same reference. No blob is sent before that is
    known.

    Args:
        items: The images.
        remedy: What to do about that; empty for what the options of a mirror allow.
    """
    items = _once(items)
    return items, _left_out(items, remedy)


def _once(items: Sequence[MirrorItem]) -> list[MirrorItem]:
    """Return the items; of those that are one image, each reference once.

    The first of them says which other sources have it.
    """
    taken: dict[Reference, list[MirrorItem]] = defaultdict(list)
    sources: dict[MirrorItem, dict[str, None]] = defaultdict(dict)
    kept: list[tuple[MirrorItem, tuple[Reference, ...]]] = []
    for item in items:
        own = []
        for reference in item.references:
            first = next((each for each in taken[reference] if _is_repeated(each, item)), None)
            if first is None:
                taken[reference].append(item)
                own.append(reference)
            elif first.source != item.source:
                sources[first][item.source] = None
        if own:
            kept.append((item, tuple(own)))
    return [
        replace(item, references=own, other_sources=tuple(sources.get(item, ())))
        for item, own in kept
    ]


def _is_repeated(one: MirrorItem, other: MirrorItem) -> bool:
    """Whether two items for one reference are one image, or one damaged image of one source."""
    if one.open == other.open:
        return True
    root = _root(one)
    return root == _root(other) and (root is not None or one.source == other.source)


def _root(item: MirrorItem) -> Digest | None:
    try:
        return item.open().content().root.digest
    except DocklessError:
        return None


def _left_out(items: Sequence[MirrorItem], remedy: str) -> Mapping[MirrorItem, DocklessError]:
    """Return the items that share a reference with one of another image, each with its error.

    One that is damaged cannot have the reference; its damage is its own failure.
    """
    owners: dict[Reference, list[MirrorItem]] = defaultdict(list)
    for item in items:
        for reference in item.references:
            owners[reference].append(item)
    errors: dict[MirrorItem, DocklessError] = {}
    for reference, sharing in owners.items():
        if len({item.open for item in sharing}) == 1:
            continue
        roots: dict[MirrorItem, Digest] = {}
        for item in sharing:
            try:
                roots[item] = item.open().content().root.digest
            except DocklessError as error:
                errors[item] = error
        if len(set(roots.values())) > 1:
            # the same for all of them, so that it is printed once
            named = [f"{each.name} of {each.source} ({root})" for each, root in roots.items()]
            both = "both" if len(named) == 2 else "all"  # noqa: PLR2004 - as the word says
            shared = ConflictError(
                f"{', '.join(named[:-1])} and {named[-1]} would {both} be {reference}.",
                remedy
                or (
                    "Rename one of them with --as or --map, or leave it out."
                    if both == "both"
                    else "Rename them with --as or --map, or leave out all but one."
                ),
            )
            errors |= dict.fromkeys(roots, shared)
    return errors
