"""Archives that arrive as a stream: staged while they pass, and read again only if they must be."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from dockless.layout.blocks import Readable, read_block
from dockless.layout.staging import MispredictedError, Staging
from dockless.layout.streams import Rejoined
from dockless.model.timings import Timings
from dockless.ports import Progress
from dockless.sources.tarball import Layers, StreamedTar

Opener = Callable[[], AbstractContextManager[Readable]]


def read_stream(
    opener: Opener,
    label: str,
    staging: Staging,
    progress: Progress,
    layers: Layers = "guessed",
) -> StreamedTar:
    """Stage everything that a stream brings.

    If `layers` are `guessed`, those that look like known ones are only hashed; should one be
    another after all, the stream is opened and read a second time, and they are `packed`. A stream
    that cannot be opened again must not be guessed at.
    """
    task = progress.start(f"staging {label}", None)
    try:
        if layers == "guessed":
            try:
                with _exported(opener, staging.timings) as stream:
                    return StreamedTar(stream, label, staging, task, layers)
            except MispredictedError:
                progress.note(f"A layer of {label} changed past its beginning; reading it again.")
                layers = "packed"
        with _exported(opener, staging.timings) as stream:
            return StreamedTar(stream, label, staging, task, layers)
    finally:
        task.finish()


@contextmanager
def _exported(opener: Opener, timings: Timings) -> Iterator[Readable]:
    """Yield the stream once it begins; Docker prepares all of an image before that."""
    with ExitStack() as opened:
        with timings.of("export"):
            stream = opened.enter_context(opener())
            first = read_block(stream)
        yield Rejoined(first, stream)
