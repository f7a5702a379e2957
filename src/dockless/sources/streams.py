"""Archives that arrive as a stream: staged while they are read, and read again only if needed."""

from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from dockless.errors import LostCopyError
from dockless.model.timings import Timings
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.ports import Progress
from dockless.sources.files import Files
from dockless.sources.streamed_tar import Layers, StreamedTar
from dockless.storage.blocks import ReadableStream, read_block
from dockless.storage.staging import Layer, MispredictedError, Staging
from dockless.storage.streams import Pushback

OpenStream = Callable[[], AbstractContextManager[ReadableStream]]
Result = TypeVar("Result")


def read_stream(
    opener: OpenStream,
    label: str,
    staging: Staging,
    progress: Progress,
    layers: Layers = "guessed",
) -> Files:
    """Stage everything that a stream brings.

    If `layers` are `guessed`, those that look like known ones are only hashed; should one be
    another after all, the stream is opened and read a second time, and they are `packed`. A stream
    that cannot be opened again must be `packed`. Others are opened again where what was staged of
    them is deleted or damaged.
    """
    if layers == "packed":
        return _read(opener, label, staging, progress, layers)
    return _ReplayableFiles(partial(_read, opener, label, staging, progress), layers)


class _ReplayableFiles:
    """The files of a stream, which is read again if its staged content is lost.

    Args:
        read: Reads the stream.
        layers: What becomes of its layers, at first.

    Attributes:
        label: Its name in messages.
    """

    is_tar = True

    def __init__(self, read: Callable[[Layers], StreamedTar], layers: Layers) -> None:
        self._read = read
        self._layers = layers
        try:
            self._files = read(layers)
        except LostCopyError:
            self._files = read(layers)
        self.label = self._files.label

    def __contains__(self, name: object) -> bool:
        return name in self._files

    @property
    def names(self) -> Collection[str]:
        """The paths of its files and links."""
        return self._files.names

    def document(self, name: str) -> bytes:
        """Return a small file."""
        return self._files.document(name)

    def size(self, name: str) -> int:
        """Return a file's length in bytes, as it is staged."""
        return self._files.size(name)

    def layer(self, name: str) -> Layer:
        """Return a layer that was staged on the way."""
        return self._kept(lambda: self._files.layer(name))

    def blob(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        """Return a blob that was staged on the way, as it was in the archive."""
        return self._kept(lambda: self._files.blob(name, blob, diff_id))

    def check(self, name: str, blob: Descriptor) -> None:
        """Compare what was staged on the way with what it should be."""
        self._kept(lambda: self._files.check(name, blob))

    def _kept(self, take: Callable[[], Result]) -> Result:
        try:
            return take()
        except LostCopyError:
            self._files = self._read(self._layers)
            return take()


def _read(
    opener: OpenStream, label: str, staging: Staging, progress: Progress, layers: Layers
) -> StreamedTar:
    task = progress.start(f"staging {label}", None)
    try:
        if layers == "guessed":
            try:
                with _exported(opener, staging.timings) as stream:
                    return StreamedTar(stream, label, staging, task, layers)
            except MispredictedError:
                progress.note(
                    f"A layer of {label} begins like a known layer but differs later; reading it "
                    "again."
                )
                layers = "packed"
        with _exported(opener, staging.timings) as stream:
            return StreamedTar(stream, label, staging, task, layers)
    finally:
        task.finish()


@contextmanager
def _exported(opener: OpenStream, timings: Timings) -> Iterator[ReadableStream]:
    """Yield the stream once it begins; Docker prepares all of an image before that."""
    with ExitStack() as opened:
        with timings.of("export"):
            stream = opened.enter_context(opener())
            first = read_block(stream)
        yield Pushback(first, stream)
