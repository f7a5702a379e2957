"""The outcome of several images of one source, each pushed by its own name."""

from collections.abc import Mapping

from dockless.errors import DocklessError, PartialError, SourceError
from dockless.model.plan import PushResult


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
        return PartialError(
            f"{len(errors)} of {len(outcomes)} images were not pushed.",
            "See their errors above, and push again.",
        )
    return None
