"""Staging: one pass over each layer that hashes, compresses and writes it.

A `Staging` is the area of one push. Blobs are written into its folder, where the engine finds
them at once, and settle into the store from a thread of their own: linked, and only then
remembered. A power cut can so lose a blob, but never leave a wrong one behind (see `store`).
"""

import contextlib
import errno
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dockless.layout.blocks import Readable, blocks, read_block
from dockless.layout.compression import Compression, compressing
from dockless.layout.decompression import decompressing, sniff
from dockless.layout.store import BlobStore, head_of
from dockless.layout.streams import Draft, Hashing, Metered, Rejoined, Tee, digest_of
from dockless.model.digest import Digest
from dockless.model.errors import PushError, SourceError
from dockless.model.manifest import Descriptor, layer_compression, layer_media_type
from dockless.model.timings import Timings
from dockless.ports import Task


class MispredictedError(Exception):
    """A layer that looked like a known one turned out to be another; read the source again."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as it will be pushed.

    Attributes:
        diff_id: The digest of the uncompressed tar.
        descriptor: The blob.
    """

    diff_id: Digest
    descriptor: Descriptor


class Staging:
    """The staging area of one push.

    Attributes:
        store: Where blobs stay afterwards.
        compression: What uncompressed layers become.
        on_layer: Told of every layer that is staged, and of its file.
    """

    def __init__(
        self,
        store: BlobStore,
        folder: Path,
        compression: Compression,
        cores: int,
        timings: Timings | None = None,
    ) -> None:
        self.store = store
        self.compression: Compression = compression
        self.on_layer: Callable[[Descriptor, Path], None] = _nobody
        self._cores = cores
        self._timings = timings or Timings()
        self._blobs = folder / "blobs"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._settler = ThreadPoolExecutor(1, "settle")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._settler.shutdown(wait=True)

    def settle(self) -> None:
        """Wait until the store knows everything that was staged so far."""
        self._settler.submit(_nothing).result()

    def path(self, digest: Digest) -> Path | None:
        """Return the file of a blob that is staged here or known to the store."""
        staged = self._blobs / digest.hex
        return staged if staged.exists() else self.store.blob(digest)

    def document(self, data: bytes) -> Digest:
        """Stage a small blob, such as a config."""
        digest = Digest.of(data)
        if self.path(digest) is None:
            with self._draft() as draft:
                draft.write(data)
            self._keep(draft)
        return digest

    def layer(
        self, stream: Readable, size: int, task: Task, label: str, *, may_guess: bool = False
    ) -> Layer:
        """Stage a layer: compress it if it is not compressed, and know its diffID.

        Two pushes that meet at one layer compress it once: the second waits, and then knows it.

        Args:
            stream: The layer's bytes.
            size: How many there are.
            task: Told of every byte read.
            label: What is read, for errors.
            may_guess: Whether a layer that begins like a known one is only hashed.

        Raises:
            MispredictedError: It was only hashed, and is another one after all.
            SourceError: It ends too early, or its compressed data is damaged.
        """
        metered = Metered(stream, size, task, label)
        first = read_block(metered)
        source = Rejoined(first, metered)
        packed = sniff(first)
        if packed in ("gzip", "zstd"):
            return self._packed_layer(source, packed, label)
        head = head_of(size, first)
        with contextlib.ExitStack() as turn, decompressing(source, packed, label) as plain:
            turn.enter_context(self.store.exclusive(head))
            guess = self.store.seen(head) if may_guess else None
            known = self.store.layer(guess, self.compression) if guess else None
            if guess and known and self.path(known.digest):
                if digest_of(plain) != guess:
                    raise MispredictedError
                return Layer(guess, known)
            return self._compress(plain, head, turn)

    def _compress(self, plain: Readable, head: str, turn: contextlib.ExitStack) -> Layer:
        raw, timings = Hashing(), self._timings
        with (
            self._draft() as draft,
            compressing(self.compression, draft, self._cores, timings) as sink,
        ):
            for block in timings.each("read", blocks(plain)):
                with timings.of("hash"):
                    raw.write(block)
                sink.write(block)
        layer = Layer(
            raw.digest(),
            Descriptor(layer_media_type(self.compression), draft.digest(), draft.size),
        )
        self._keep(draft, lambda: self._remember(head, layer), turn.pop_all())
        self.on_layer(layer.descriptor, self._blobs / layer.descriptor.digest.hex)
        return layer

    def _remember(self, head: str, layer: Layer) -> None:
        self.store.remember(layer.diff_id, self.compression, layer.descriptor)
        self.store.see(head, layer.diff_id)

    def _packed_layer(self, source: Readable, packed: str, label: str) -> Layer:
        with self._draft() as draft:
            diff_id = _unpacked_digest(source, packed, draft, label)
        self._keep(draft)
        blob = Descriptor(layer_media_type(packed), draft.digest(), draft.size)
        self.on_layer(blob, self._blobs / blob.digest.hex)
        return Layer(diff_id, blob)

    def copy(
        self, stream: Readable, blob: Descriptor, task: Task, label: str, diff_id: Digest | None
    ) -> None:
        """Stage a blob as it is, checked as `check` does."""
        with self._draft(blob.digest.algorithm) as draft:
            _check(Metered(stream, blob.size, task, label), blob, draft, label, diff_id)
        self._keep(draft)

    def original(self, layer: Layer, digest: Digest) -> Digest:
        """Stage a layer again as it was before it was compressed here, if that is `digest`.

        Returns:
            The digest of what is staged: `digest`, or the layer's own when it never was that.
        """
        packed = layer_compression(layer.descriptor.media_type) or "none"
        path = self.path(layer.descriptor.digest)
        if layer.diff_id != digest or path is None:
            return layer.descriptor.digest
        with path.open("rb") as file, decompressing(file, packed, str(path)) as plain:
            with self._draft() as draft:
                for block in blocks(plain):
                    draft.write(block)
            self._keep(draft)
        return draft.digest()

    @contextlib.contextmanager
    def _draft(self, algorithm: str = "sha256") -> Iterator[Draft]:
        with self._disk_errors(), Draft(self._blobs, algorithm) as draft:
            yield draft

    def _keep(
        self,
        draft: Draft,
        remember: Callable[[], None] | None = None,
        turn: contextlib.ExitStack | None = None,
    ) -> None:
        digest = draft.digest()
        staged = draft.path.replace(self._blobs / digest.hex)

        def settle() -> None:
            # a blob that cannot be kept costs the next push time, and this one nothing
            with turn or contextlib.nullcontext(), contextlib.suppress(OSError):
                draft.close()
                self.store.adopt(staged, digest)
                if remember:
                    remember()

        self._settler.submit(settle)

    @contextlib.contextmanager
    def _disk_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise PushError(
                f"There is no space left for the layers in {self.store.folder}.",
                "Free some, run 'dockless cache prune', or set DOCKLESS_CACHE_DIR to another disk.",
            ) from None


def _nobody(layer: Descriptor, path: Path) -> None:
    del layer, path


def _nothing() -> None:
    pass


def check(
    stream: Readable, blob: Descriptor, task: Task, label: str, diff_id: Digest | None
) -> None:
    """Read a blob to its end, and compare it with its descriptor and, for a layer, its diffID.

    Raises:
        SourceError: It differs in length, digest or diffID.
    """
    sink = Hashing(blob.digest.algorithm)
    _check(Metered(stream, blob.size, task, label), blob, sink, label, diff_id)


def _check(
    source: Readable, blob: Descriptor, sink: Hashing, label: str, diff_id: Digest | None
) -> None:
    packed = layer_compression(blob.media_type)
    if diff_id and packed:
        found = _unpacked_digest(source, packed, sink, label)
        wrong_layer = found != diff_id
    else:
        found, wrong_layer = None, False
        for block in blocks(source):
            sink.write(block)
    if sink.digest() != blob.digest:
        raise SourceError(
            f"{label} is damaged: its digest is {sink.digest()}, not {blob.digest}.",
            "Make or copy it again.",
        )
    if wrong_layer:
        raise mismatch(label, found, diff_id)


def mismatch(label: str, found: Digest | None, wanted: Digest | None) -> SourceError:
    """Return the error for a layer that is not the one its image's config names."""
    return SourceError(
        f"{label} does not belong to its image: its diffID is {found}, "
        f"and the image's config says {wanted}.",
        "Save the image again from where it was built.",
    )


def _unpacked_digest(source: Readable, packed: str, sink: Hashing, label: str) -> Digest:
    tee = Tee(source, sink)
    with decompressing(tee, packed, label) as plain:
        digest = digest_of(plain)
    for _ in blocks(tee):  # what may follow the compressed data belongs to the blob, too
        pass
    return digest
