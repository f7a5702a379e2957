"""The outcome of several images of one source, each pushed by its own name."""

from collections.abc import Callable, Mapping, Sequence

from dockless.errors import DocklessError, PartialError, SourceError
from dockless.model.counts import share
from dockless.model.ended import ItemEnd
from dockless.model.plan import PushResult
from dockless.oci.reference import Reference, Repository
from dockless.ports import Image
from dockless.usecases.overview import Overview

OwnTarget = tuple[Repository, Sequence[str]]
"""Where an image goes, and its tags there."""


def ended(name: str, outcome: PushResult | DocklessError) -> ItemEnd:
    """Return what became of an image, to be shown and counted; an error is reported by itself.

    Args:
        name: What it is called.
        outcome: What its push did, or why it failed.
    """
    if isinstance(outcome, DocklessError):
        return ItemEnd(name=name, fate="failed", has_line=False)
    if outcome.unchanged:
        seen = outcome.checked or not outcome.dry_run
        return ItemEnd(name=name, fate="there" if seen else "tagged", seconds=outcome.seconds)
    if outcome.dry_run:
        return ItemEnd(
            name=name, fate="planned", sent=sum(blob.size for blob in outcome.plan.missing)
        )
    return ItemEnd(name=name, fate="arrived", sent=outcome.sent, seconds=outcome.seconds)


def _nothing(name: str, outcome: PushResult | DocklessError) -> None:
    del name, outcome


def push_each(
    images: Sequence[tuple[str, Callable[[], Image]]],
    place: Callable[[str], OwnTarget],
    push: Callable[[Repository, Sequence[str], Image], PushResult],
    overview: Overview,
    note: Callable[[str, PushResult | DocklessError], object] = _nothing,
) -> dict[str, PushResult | DocklessError]:
    """Push images one after another, each by its own name; return what became of each.

    Args:
        images: The name of each, and what opens it.
        place: Returns where an image of a name goes; raises DocklessError.
        push: Pushes it; raises DocklessError.
        overview: Where each is shown.
        note: Called with what became of each.
    """
    overview.expect(len(images))
    outcomes: dict[str, PushResult | DocklessError] = {}
    for number, (name, opened) in enumerate(images):
        shown = name
        try:
            image = opened()
            repository, tags = place(name)
            shown = str(Reference(repository, tags[0]) if tags else repository)
            with overview.work(shown):
                outcomes[name] = push(repository, tags, image)
        except DocklessError as error:
            outcomes[name] = error
        note(name, outcomes[name])
        overview.ended(number, ended(shown, outcomes[name]))
    return outcomes


def error_of_all(
    outcomes: Mapping[str, PushResult | DocklessError], label: str
) -> DocklessError | None:
    """Return the error that sums up those of the images; None where all were pushed.

    Args:
        outcomes: What became of each name, or of each faulty entry.
        label: The source's name in messages.
    """
    errors = [outcome for outcome in outcomes.values() if isinstance(outcome, DocklessError)]
    if not outcomes:
        return SourceError(
            f"No image in {label} has a name.", "Push them one by one, with --image."
        )
    if len(errors) == len(outcomes) == 1:
        return errors[0]
    if len(errors) == len(outcomes):  # each was reported already
        return type(errors[0])(
            f"None of the {len(errors)} images was pushed.",
            "See their errors above, and push again.",
        )
    if errors:
        were, its = ("was", "its error") if len(errors) == 1 else ("were", "their errors")
        return PartialError(
            f"{share(len(errors), len(outcomes), 'image')} {were} not pushed.",
            f"See {its} above, and push again.",
        )
    return None
