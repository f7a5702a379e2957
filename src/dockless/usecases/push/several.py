"""The outcome of several images of one source, each pushed by its own name."""

from collections.abc import Sequence

from dockless.errors import DocklessError, PartialError, SourceError
from dockless.model.counts import share
from dockless.model.ended import ItemEnd
from dockless.model.plan import PushResult


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


def error_of_all(
    outcomes: Sequence[tuple[str, PushResult | DocklessError]], label: str
) -> DocklessError | None:
    """Return the error that sums up those of the images; None where all were pushed.

    Args:
        outcomes: The name of each image, or faulty entry, and what became of it.
        label: The source's name in messages.
    """
    errors = [outcome for _, outcome in outcomes if isinstance(outcome, DocklessError)]
    if not outcomes:
        return SourceError(f"{label} contains no image.", "Create or copy it again.")
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
