"""Many images to one registry: named by rule, pushed side by side, none given up too early."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.errors import (
    AbsentError,
    ConflictError,
    DocklessError,
    NetworkError,
    SourceError,
)
from dockless.model.plan import PushResult
from dockless.model.reference import Name, Reference, Repository
from dockless.model.renaming import Renaming
from dockless.ports import Image
from dockless.together import side_by_side


@dataclass(frozen=True, slots=True)
class Found:
    """An image of a source.

    Attributes:
        source: What the source is called in messages.
        names: What the image is called there.
        bare: The repository of a name that is a tag only.
        size: About how many bytes it has.
        open: Reads it; raises SourceError when it is damaged.
        content: What it is, where that is known before its layers are read.
        listing: The digest of the index.json of its bundle or layout.
        origin: Where a list asks for it, `file:line:column`; empty on the command line.
    """

    source: str
    names: tuple[str, ...]
    bare: str
    size: int
    open: Callable[[], Image]
    content: Content | None = None
    listing: Digest | None = None
    origin: str = ""

    @property
    def blobs(self) -> frozenset[Digest]:
        """Its configs and layers, where they are known."""
        return (
            frozenset(blob.digest for blob in self.content.blobs) if self.content else frozenset()
        )


@dataclass(frozen=True, slots=True)
class Lost:
    """What was asked for, and cannot be found or read, or has no place to go.

    Attributes:
        source: What its source is called in messages.
        name: What it is called there; empty where nobody knows.
        error: Why.
        origin: Where a list asks for it, `file:line:column`; empty on the command line.
    """

    source: str
    name: str
    error: DocklessError
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One image and where it goes.

    Attributes:
        source: What its source is called.
        name: What it is called there.
        references: What is to name it there, all in one repository; without a tag for a referrer,
            which is found by its subject.
        size: About how many bytes it has.
        open: Reads it.
        blobs: Its configs and layers, where they are known before it is read.
        origin: Where a list asks for it, `file:line:column`; empty on the command line.
    """

    source: str
    name: str
    references: tuple[Reference, ...]
    size: int
    open: Callable[[], Image]
    blobs: frozenset[Digest] = frozenset()
    origin: str = ""

    @property
    def repository(self) -> Repository:
        """Where it goes."""
        return self.references[0].repository

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags there; none for a referrer."""
        return tuple(each.tag for each in self.references if each.tag)


Outcome = PushResult | DocklessError
_LATER = (NetworkError, AbsentError)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a mirror will do.

    Attributes:
        entries: The images that have a place to go.
        lost: The others, and why they have none.
    """

    entries: tuple[Entry, ...]
    lost: tuple[Lost, ...]


def plan(found: Iterable[Found], renaming: Renaming) -> Plan:
    """Give every image its place; two that would get one reference have none.

    An image that is found again, as by a line that stands twice in a list, goes there once.
    """
    entries: list[Entry] = []
    lost: list[Lost] = []
    for image in found:
        places: dict[Repository, dict[Reference, None]] = defaultdict(dict)
        try:
            for name in whole_names(image):
                target = renaming.target(name)
                places[target.repository][target] = None
        except ValueError as error:
            no_place = SourceError(
                f"{image.names[0]!r} of {image.source} has no place at {renaming.host}: {error}.",
                "Give it one with --map or --as.",
            )
            lost.append(Lost(image.source, image.names[0], no_place, image.origin))
            continue
        if not image.names:
            no_name = SourceError(
                f"An image of {image.source} has no name.", "Name it with --as NAME:TAG."
            )
            lost.append(Lost(image.source, "", no_name, image.origin))
        entries += [
            Entry(
                image.source,
                image.names[0],
                tuple(each),
                image.size,
                image.open,
                image.blobs,
                image.origin,
            )
            for each in places.values()
        ]
    entries = [*_once(entries)]
    clashing = _clashes(entries)
    for entry in entries:
        if entry in clashing:
            conflict = ConflictError(
                f"{entry.name} of {entry.source} and another image would both be "
                f"{entry.references[0]}.",
                "Rename one of them with --map.",
            )
            lost.append(Lost(entry.source, entry.name, conflict, entry.origin))
    return Plan(tuple(entry for entry in entries if entry not in clashing), tuple(lost))


def bringers(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Return the images that bring what others share, and the others, referrers last.

    These find it there when those have started first, and do not wait one behind the other.
    """
    uses = Counter(digest for entry in entries for digest in entry.blobs)
    shared = {digest for digest, count in uses.items() if count > 1}
    brought: set[Digest] = set()
    first: list[Entry] = []
    later: list[Entry] = []
    for entry in entries:
        brings = (entry.blobs & shared) - brought
        (first if brings else later).append(entry)
        brought |= brings
    return first, sorted(later, key=lambda entry: not entry.tags)


def mirror(
    entries: Sequence[Entry],
    push: Callable[[Entry], PushResult],
    parallel: int,
    tell: Callable[[Entry, Outcome], None],
    look: Callable[[Sequence[Entry]], None],
) -> dict[Entry, Outcome]:
    """Push every image, several at once; what may go better later is tried once more at the end.

    That is what failed on the network, and what lacks a blob that another image may have brought.

    Args:
        entries: The images, which have references of their own.
        push: Pushes one; raises DocklessError.
        parallel: How many at once.
        look: Sees which of the images that bring what others share have arrived before.
        tell: Told what became of each, as soon as it is known; from several threads.
    """

    def attempt(entry: Entry) -> Outcome:
        try:
            outcome: Outcome = push(entry)
        except DocklessError as error:
            outcome = error
        tell(entry, outcome)
        return outcome

    first, later = bringers(entries)
    look(first)
    order = [*first, *later]
    done = dict(zip(order, side_by_side(attempt, order, parallel), strict=True))
    outcomes = {entry: done[entry] for entry in entries}
    again = [entry for entry, outcome in outcomes.items() if isinstance(outcome, _LATER)]
    return outcomes | dict(zip(again, side_by_side(attempt, again, parallel), strict=True))


def whole_names(image: Found) -> tuple[Name, ...]:
    """Return an image's full names, else its bare tags in a repository named like its source.

    A hybrid archive has each image by both. Raises ValueError for what is no name.
    """
    whole = [name for name in image.names if ":" in name or "/" in name]
    return tuple(map(Name.parse, whole or [f"{image.bare}:{name}" for name in image.names]))


def _once(entries: Sequence[Entry]) -> Iterator[Entry]:
    """Yield the entries; of those that are one image of one source, each reference once."""
    taken: dict[Reference, Entry] = {}
    for entry in entries:
        own = []
        for reference in entry.references:
            other = taken.setdefault(reference, entry)
            if other is entry or not _is_repeated(other, entry):
                own.append(reference)
        if own:
            yield (
                entry
                if len(own) == len(entry.references)
                else replace(entry, references=tuple(own))
            )


def _is_repeated(one: Entry, other: Entry) -> bool:
    """Whether two entries for one reference are one image of one source, damaged or not."""
    return one.source == other.source and _root(one) == _root(other)


def _root(entry: Entry) -> Digest | None:
    try:
        return entry.open().content().root.digest
    except DocklessError:
        return None


def _clashes(entries: Sequence[Entry]) -> frozenset[Entry]:
    """Return the entries that share a reference with one of another image."""
    owners: dict[Reference, list[Entry]] = defaultdict(list)
    for entry in entries:
        for reference in entry.references:
            owners[reference].append(entry)
    shared = (each for each in owners.values() if len({entry.open for entry in each}) > 1)
    return frozenset(entry for each in shared if not _are_one(each) for entry in each)


def _are_one(entries: Sequence[Entry]) -> bool:
    """Whether all of these are the same image, found more than once."""
    roots = {_root(entry) for entry in entries}
    return len(roots) == 1 and None not in roots
