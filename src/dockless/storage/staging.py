"""Staging: one pass over each layer that hashes, compresses and writes it."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from dockless.errors import LostCopyError, SourceError
from dockless.model.timings import Timings
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, layer_compression, layer_media_type
from dockless.oci.packing import Compression, Packing
from dockless.ports import Task
from dockless.processes.regular import open_regular, read_regular
from dockless.storage.blob_store import BlobStore
from dockless.storage.blocks import ReadableStream, Sink, blocks, read_block
from dockless.storage.checks import check_into, unpacked_digest
from dockless.storage.decompression import decompressing, sniff
from dockless.storage.layer_records import head_of
from dockless.storage.staged_blobs import StagedBlobs
from dockless.storage.streams import BlobDraft, Hashing, LengthChecked, Pushback, digest_of

if TYPE_CHECKING:
    from dockless.storage.growing import GrowingBlob

_LARGE = 8 * 1024 * 1024
"""Least size in bytes of a layer that is sent while it is compressed."""


class MispredictedError(Exception):
    """A layer that looked like a known one turned out to be another; read the source again."""


class Layer(Struct, frozen=True):
    """A layer as it will be pushed.

    Attributes:
        diff_id: The digest of the uncompressed tar.
        descriptor: The blob.
    """

    diff_id: Digest
    descriptor: Descriptor


class Staging(StagedBlobs):
    """The staging area of one push.

    Attributes:
        packing: What uncompressed layers become.
        timings: Gets the duration of each step.
        on_layer: Called with every blob that may be uploaded early, and its file.
        on_growing: Called instead with every large layer that is about to be compressed; None for
            no early uploads.
    """

    def __init__(
        self,
        store: BlobStore,
        folder: Path,
        packing: Packing,
        cores: int,
        timings: Timings | None = None,
    ) -> None:
        super().__init__(store, folder)
        self.packing = packing
        self.on_layer: Callable[[Descriptor, Path], None] = _nobody
        self.on_growing: Callable[[GrowingBlob], None] | None = None
        self._ahead = False
        self._cores = cores
        self.timings = timings or Timings()

    def known(self, diff_id: Digest) -> Descriptor | None:
        """Return a layer's earlier compressed form, in an allowed format."""
        found = (self.store.layer(diff_id, each) for each in self._formats())
        return next((layer for layer in found if layer), None)

    def _formats(self) -> Iterable[Compression]:
        return dict.fromkeys((self.packing.compression, *self.packing.kept))

    def _packing(self, head: str) -> Packing:
        """Return how to compress a layer: as it was before, if it is the one with this head."""
        guess = self.store.seen(head)
        found = (self.store.packing(guess, each) for each in self._formats() if guess)
        return next((packing for packing in found if packing), self.packing)

    def document(self, data: bytes, media_type: str = "", *, offered: bool = True) -> Descriptor:
        """Stage a small blob, such as a config; if offered, it goes where layers went before."""
        blob = Descriptor(media_type=media_type, digest=Digest.of(data), size=len(data))
        path = self.path(blob.digest, blob.size)
        if path is not None and not _holds(path, data):
            self.discard(blob.digest)
            path = None
        if path is None:
            with self._draft() as draft:
                draft.write(data)
                self._keep(draft)
            path = self._blobs / blob.digest.hex
        if self._ahead and offered:
            self.on_layer(blob, path)
        return blob

    def layer(
        self, stream: ReadableStream, size: int, task: Task, label: str, *, may_guess: bool = False
    ) -> Layer:
        """Stage a layer: compress it if it is not compressed, and know its diffID.

        Two pushes that meet at one layer compress it once: the second waits, and then knows it.

        Args:
            stream: The layer's bytes.
            size: How many there are.
            task: Counts the bytes read.
            label: What is read, for errors.
            may_guess: Whether a layer that begins like a known one is only hashed.

        Raises:
            MispredictedError: It was only hashed, and is another one after all.
            SourceError: It ends too early, or its compressed data is damaged.
        """
        metered = LengthChecked(stream, size, task, label)
        first = read_block(metered)
        source = Pushback(first, metered)
        packed = sniff(first)
        if packed in ("gzip", "zstd"):
            return self._packed_layer(source, packed, size, label)
        head = head_of(size, first)
        with contextlib.ExitStack() as turn, decompressing(source, packed, label) as plain:
            turn.enter_context(self.store.exclusive(head))
            guess = self.store.seen(head) if may_guess else None
            known = self.known(guess) if guess else None
            if guess and known and self.path(known.digest, known.size):
                if digest_of(plain) != guess:
                    raise MispredictedError
                return Layer(guess, known)
            return self._compress(plain, size, head, turn)

    def _compress(
        self, plain: ReadableStream, size: int, head: str, turn: contextlib.ExitStack
    ) -> Layer:
        packing = self._packing(head)
        with self._draft() as draft, self._followed(draft, size) as growing:
            diff_id = self._compressed(plain, growing or draft, packing)
            blob = Descriptor(
                media_type=layer_media_type(packing.compression),
                digest=draft.digest(),
                size=draft.size,
            )

            def remember() -> None:
                self.store.remember(diff_id, packing, blob)
                self.store.see(head, diff_id)

            self._keep(draft, remember, turn)
            self._announce(blob, growing)
        return Layer(diff_id, blob)

    @contextlib.contextmanager
    def _followed(self, draft: BlobDraft, size: int) -> "Iterator[GrowingBlob | None]":
        """Offer a large layer for an early upload while it is written."""
        if size < _LARGE or self.on_growing is None:
            yield None
            return
        from dockless.storage.growing import GrowingBlob  # noqa: PLC0415 - a warm push stages none

        with GrowingBlob(draft, draft.path) as growing:
            self._ahead = True
            self.on_growing(growing)
            yield growing

    def _compressed(self, plain: ReadableStream, sink: Sink, packing: Packing) -> Digest:
        """Write a layer compressed; return its diffID."""
        from dockless.storage.compression import compressing  # noqa: PLC0415 - a warm push needs none

        raw, timings = Hashing(), self.timings
        with compressing(packing, sink, self._cores, timings) as encoder:
            for block in timings.each("read", blocks(plain)):
                with timings.of("hash"):
                    raw.write(block)
                encoder.write(block)
        return raw.digest()

    def _packed_layer(self, source: ReadableStream, packed: str, size: int, label: str) -> Layer:
        with self._draft() as draft, self._followed(draft, size) as growing:
            diff_id = unpacked_digest(source, packed, growing or draft, label)
            blob = Descriptor(
                media_type=layer_media_type(packed), digest=draft.digest(), size=draft.size
            )
            self._keep(draft)
            self._announce(blob, growing)
        return Layer(diff_id, blob)

    def copy(
        self,
        stream: ReadableStream,
        blob: Descriptor,
        task: Task,
        label: str,
        diff_id: Digest | None,
    ) -> None:
        """Stage a blob as it is, checked as `check` does."""
        source = LengthChecked(stream, blob.size, task, label)
        with (
            self._draft(blob.digest.algorithm) as draft,
            self._followed(draft, blob.size) as growing,
        ):
            check_into(source, blob, growing or draft, label, diff_id)
            self._keep(draft)
            self._announce(blob, growing)

    def original(self, layer: Layer, digest: Digest) -> Digest:
        """Stage a layer again as it was before it was compressed here, if that is `digest`.

        Returns:
            The digest of what is staged: `digest`, or the layer's own when it never was that.

        Raises:
            LostCopyError: What was staged of it is missing or damaged.
        """
        blob = layer.descriptor
        if layer.diff_id != digest:
            return blob.digest
        if self.path(digest):
            return digest
        path = self.path(blob.digest, blob.size)
        if path is None:
            raise _lost(blob.digest)
        packed = layer_compression(blob.media_type) or "none"
        try:
            with (
                open_regular(path, follow=False) as file,
                decompressing(file, packed, str(path)) as plain,
                self._draft() as draft,
            ):
                for block in blocks(plain):
                    draft.write(block)
                if draft.digest() != digest:
                    raise _lost(blob.digest)
                self._keep(draft)
        except (SourceError, LostCopyError):
            self.discard(blob.digest)
            raise _lost(blob.digest) from None
        return digest

    def lay_out(self, folder: Path, content: Content, blobs: Mapping[Digest, Path]) -> Path:
        """Write an OCI layout of staged blobs into a folder, for a program to push; return it.

        Raises:
            PushError: There is no space for it.
            LostCopyError: What was staged is gone.
        """
        from dockless.storage.oci_layout import lay_out  # noqa: PLC0415 - a warm push writes none

        self.renew()
        return lay_out(folder, self.store.folder, content, blobs, self.timings)

    def _announce(self, blob: Descriptor, growing: "GrowingBlob | None") -> None:
        """Notify early uploads that a blob is complete."""
        if growing:
            growing.finish(blob)
        else:
            self._offer(blob)

    def _offer(self, blob: Descriptor) -> None:
        self._ahead = True
        self.on_layer(blob, self._blobs / blob.digest.hex)


def _holds(path: Path, data: bytes) -> bool:
    try:
        return read_regular(path, follow=False) == data
    except OSError:
        return False


def _lost(digest: Digest) -> LostCopyError:
    return LostCopyError(f"The staged copy of {digest} is missing or damaged.", "Run it again.")


def _nobody(layer: Descriptor, path: Path) -> None:
    del layer, path
