"""Archives that arrive as a stream: staged while they pass, and read again only if they must be."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from dockless.layout.blocks import Readable
from dockless.layout.staging import MispredictedError, Staging
from dockless.ports import Progress
from dockless.sources.tarball import StreamedTar

Opener = Callable[[], AbstractContextManager[Readable]]


def read_stream(
    opener: Opener, label: str, staging: Staging, progress: Progress, *, again: bool = True
) -> StreamedTar:
    """Stage everything that a stream brings.

    Layers that look like known ones are only hashed. Should one be another after all, the stream
    is opened and read a second time without guessing; where it cannot be (`again` is false),
    nothing is guessed at first.
    """
    task = progress.start(f"staging {label}", None)
    try:
        if again:
            try:
                with opener() as stream:
                    return StreamedTar(stream, label, staging, task, may_guess=True)
            except MispredictedError:
                progress.note(f"A layer of {label} changed past its beginning; reading it again.")
        with opener() as stream:
            return StreamedTar(stream, label, staging, task, may_guess=False)
    finally:
        task.finish()
