"""Tar archives that can be read only once: everything is staged while it passes."""

import contextlib
import tarfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Literal, cast

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import LONGEST_MANIFEST, Descriptor
from dockless.ports import Task
from dockless.sources.files import missing
from dockless.sources.forward import Forward
from dockless.sources.headers import Links, is_plain_file, members, opened, tar_errors
from dockless.storage.blocks import BLOCK, ReadableStream, blocks, read_block
from dockless.storage.checks import mismatch
from dockless.storage.decompression import decompressing, sniff
from dockless.storage.staging import Layer, Staging
from dockless.storage.streams import Pushback

Layers = Literal["guessed", "packed", "kept"]

_MOST_DOCUMENTS = 64 * 1024 * 1024
_USTAR = slice(257, 262)
_EMPTY_TAR = bytes(512)
_BLOBS = "blobs/"
_PACKED = ("gzip", "zstd")


class StreamedTar:
    """A tar archive that can be read only once, from beginning to end.

    Everything is staged while it passes: what looks like a layer as one, small JSON documents in
    memory. Which of them the image needs is known only at the end.

    Args:
        stream: The archive.
        label: Its name in messages.
        staging: Where its layers are staged.
        task: Counts their bytes.
        layers: What becomes of those that are not compressed: they are `packed`; `guessed`, which
            is the same, but that one which begins like a known one is only hashed; or, in an
            archive that is known to hold an image as it is to be pushed, `kept` as they are.
    """

    is_tar = True

    def __init__(
        self, stream: ReadableStream, label: str, staging: Staging, task: Task, layers: Layers
    ) -> None:
        self.label = label
        self._staging = staging
        self._guesses = layers == "guessed"
        self._keeps = layers == "kept"
        self._links = Links()
        self._documents: dict[str, bytes] = {}
        self._documents_size = 0
        self._layers: dict[str, Layer] = {}
        self._copies: dict[str, Digest] = {}
        first = read_block(stream)
        whole, packed = Pushback(first, stream), sniff(first)
        with decompressing(whole, packed, label) as plain, tar_errors(label, first):
            forward = Forward(plain)
            file = cast("IO[bytes]", forward)
            with opened(file) as archive:
                for name, member in members(archive, label):
                    self._take(forward, name, member, task)
            if packed != "none":  # what comes last tells whether the rest was good
                for _ in blocks(plain):
                    pass
        self._links.refuse_faulty(self)

    def _take(self, forward: Forward, name: str, member: tarfile.TarInfo, task: Task) -> None:
        if not is_plain_file(member):
            self._links.add(name, member, self.label)
            return
        head = forward.read(min(member.size, BLOCK))
        source = Pushback(head, forward)
        is_layer = _is_layer(name, head)
        if is_layer and self._keeps and sniff(head) not in _PACKED and name.startswith(_BLOBS):
            self._copy(source, name, member.size, task)
        elif is_layer:
            self._layers[name] = self._staging.layer(
                source, member.size, task, f"{self.label}: {name}", may_guess=self._guesses
            )
        elif member.size <= LONGEST_MANIFEST:
            self._documents[name] = head + forward.read(member.size - len(head))
            if len(self._documents[name]) < member.size:
                raise tarfile.ReadError("unexpected end of data")
            self._documents_size += member.size
            if self._documents_size > _MOST_DOCUMENTS:
                raise SourceError(
                    f"{self.label} has more than 64 MiB of small files, more than any image "
                    "archive.",
                    "Give an archive made by 'docker save', 'podman save' or skopeo.",
                )
        elif name.startswith(_BLOBS):
            self._copy(source, name, member.size, task)

    def _copy(self, source: ReadableStream, name: str, size: int, task: Task) -> None:
        algorithm, _, encoded = name.removeprefix(_BLOBS).partition("/")
        with contextlib.suppress(ValueError):
            blob = Descriptor(
                media_type="", digest=Digest.parse(f"{algorithm}:{encoded}"), size=size
            )
            self._staging.copy(source, blob, task, f"{self.label}: {name}", None)
            self._copies[name] = blob.digest

    def __contains__(self, name: object) -> bool:
        found = self._links.follow(name) if isinstance(name, str) else ""
        return found in self._documents or found in self._layers or found in self._copies

    @property
    def names(self) -> Collection[str]:
        """The paths of its files and links."""
        return (*self._documents, *self._layers, *self._copies, *self._links.names)

    def document(self, name: str) -> bytes:
        """Return a small file."""
        data = self._documents.get(self._links.follow(name))
        if data is None:
            raise missing(self.label, name)
        return data

    def size(self, name: str) -> int:
        """Return a file's length in bytes, as it is staged."""
        return self._layer(name).descriptor.size

    def layer(self, name: str) -> Layer:
        """Return the layer that was staged on the way.

        Raises:
            LostCopyError: What was staged of it is gone.
        """
        layer = self._layer(name)
        self._staging.require(layer.descriptor.digest, layer.descriptor.size)
        return layer

    def _layer(self, name: str) -> Layer:
        layer = self._layers.get(self._links.follow(name))
        if layer is None:
            raise missing(self.label, name)
        return layer

    def blob(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        """Return the blob that was staged on the way, as it was in the archive.

        Raises:
            LostCopyError: What was staged of it is gone.
        """
        found = self._links.follow(name)
        if found in self._documents:
            digest = self._staging.document(self._documents[found]).digest
        elif found in self._layers:
            layer = self._layers[found]
            digest = self._staging.original(layer, blob.digest)
            if diff_id and layer.diff_id != diff_id:
                raise mismatch(f"{self.label}: {name}", layer.diff_id, diff_id)
        elif found in self._copies:
            digest = self._copies[found]
            if diff_id and digest != diff_id:
                raise mismatch(f"{self.label}: {name}", digest, diff_id)
        elif self._staging.path(blob.digest, blob.size):
            digest = blob.digest
        else:
            raise missing(self.label, name)
        if digest != blob.digest:
            raise SourceError(
                f"{self.label}: {name} is damaged: its digest is {digest}, not {blob.digest}.",
                "Create or copy it again.",
            )
        return self._staging.require(digest)

    def check(self, name: str, blob: Descriptor) -> None:
        """Compare what was staged on the way with what it should be."""
        self.blob(name, blob, None)


def _is_layer(name: str, head: bytes) -> bool:
    return (
        name.endswith(".tar")
        or sniff(head) != "none"
        or head[_USTAR] == b"ustar"
        or head.startswith(_EMPTY_TAR)
    )
