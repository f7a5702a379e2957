"""Every image of one source, each pushed by its own name."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from dockless.errors import DocklessError, NetworkError
from dockless.model.plan import PushResult
from dockless.oci.reference import Reference, Repository
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.given_names import GivenName, all_named
from dockless.usecases.mirror.run import Lost, MirrorItem, check_pins, distinct
from dockless.usecases.overview import Overview
from dockless.usecases.push.several import ended

_REMEDY = "Push them one by one, with --image HOST/NAME:TAG."

NamedOutcome = tuple[str, PushResult | DocklessError]
"""What an image or a faulty entry is called, and what became of it."""


class Pushing(Protocol):
    """A session that pushes images, one after another."""

    def reach(self, repository: Repository) -> None:
        """See that the registry responds; raise DocklessError where it does not."""

    def push(self, repository: Repository, tags: Sequence[str], image: Image) -> PushResult:
        """Push one image; raise DocklessError if it did not arrive."""


def planned(
    images: tuple[SourceImage, ...],
    place: Callable[[str], Reference],
    note: Callable[[str], None],
    *,
    by_source: bool,
) -> tuple[MirrorItem | Lost, ...]:
    """Return what is pushed: each name of each image once, or why it cannot be, in their order.

    Names of different images that are to be one reference are a conflict of all of them, and none
    of them is pushed.

    Args:
        images: The images of the source.
        place: Returns where an image of a name goes; raises DocklessError.
        note: Called with a line for each image that gets a name here.
        by_source: Whether what has no name goes by digest to the repository named like its source;
            else only what refers to an image with a name goes, and to that one's repository.
    """
    every = all_named(images, GivenName(by_source=by_source), note, referrers=True)
    work = [each for image in every for each in _placed(image, place)]
    entries = [each for each in work if isinstance(each, MirrorItem)]
    left, conflicts = distinct(entries, _REMEDY)
    kept = set(left)
    return tuple(
        Lost(source=each.source, name=each.name, error=conflicts[each])
        if isinstance(each, MirrorItem) and each in conflicts
        else each
        for each in work
        if isinstance(each, Lost) or each in kept
    )


def targets(work: Iterable[MirrorItem | Lost]) -> tuple[Repository, ...]:
    """Return the repositories that are pushed to."""
    return tuple(each.repository for each in work if isinstance(each, MirrorItem))


def _placed(
    image: SourceImage | Lost, place: Callable[[str], Reference]
) -> Iterable[MirrorItem | Lost]:
    if isinstance(image, Lost):
        yield image
        return
    for name in dict.fromkeys(image.names):
        try:
            check_pins(image)
            yield MirrorItem(
                source=image.source,
                name=name,
                references=(place(name),),
                size=image.size,
                open=image.open,
            )
        except DocklessError as error:
            yield Lost(source=image.source, name=name, error=error)


def push_each(
    work: Sequence[MirrorItem | Lost],
    session: Pushing,
    overview: Overview,
    note: Callable[[str, PushResult | DocklessError], object],
) -> list[NamedOutcome]:
    """Push images one after another; return what became of each.

    A registry that does not respond is not asked again for the others.

    Args:
        work: The images, and those that cannot be pushed.
        session: Pushes them.
        overview: Where each is shown.
        note: Called with the name of each, and what became of it.
    """
    overview.expect(len(work))
    outcomes: list[NamedOutcome] = []
    silent: dict[str, NetworkError] = {}
    outcome: PushResult | DocklessError
    for number, each in enumerate(work):
        if isinstance(each, Lost):
            name = f"{each.source}:{each.name}" if each.name.startswith("@") else each.name
            shown, outcome = name, each.error
        else:
            name, shown = each.name, str(each.references[0])
            outcome = _pushed(each, session, overview, silent)
            note(name, outcome)
        outcomes.append((name, outcome))
        overview.ended(number, ended(shown, outcome))
    return outcomes


def _pushed(
    item: MirrorItem, session: Pushing, overview: Overview, silent: dict[str, NetworkError]
) -> PushResult | DocklessError:
    """Push an image, unless its registry was silent; return what became of it."""
    host = item.repository.host
    if host in silent:
        return silent[host]
    try:
        image = item.open()
        with overview.work(str(item.references[0])):
            try:
                session.reach(item.repository)
            except NetworkError as error:
                silent[host] = error
                raise
            return session.push(item.repository, item.tags, image)
    except DocklessError as error:
        return error
