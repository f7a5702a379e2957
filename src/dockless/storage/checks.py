"""Blobs compared with their descriptors."""

import hashlib
import stat
from pathlib import Path

from dockless.errors import SourceError
from dockless.model.counts import number
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, layer_compression
from dockless.ports import Task
from dockless.processes.regular import open_regular
from dockless.storage.blocks import ReadableStream, Sink, blocks, read_block
from dockless.storage.decompression import MAGIC_BYTES, decompressing, sniff
from dockless.storage.streams import Digesting, Hashing, LengthChecked, Pushback, Tee, digest_of


def check(
    stream: ReadableStream, blob: Descriptor, task: Task, label: str, diff_id: Digest | None
) -> None:
    """Read a blob to its end, and compare it with its descriptor and, for a layer, its diffID.

    Raises:
        SourceError: It differs in length, digest or diffID.
    """
    sink = Hashing(blob.digest.algorithm)
    check_into(LengthChecked(stream, blob.size, task, label), blob, sink, label, diff_id)


def difference(path: Path, blob: Descriptor, *, read: bool = True) -> str:
    """Return how a file of the store differs from a blob, to be said after its name.

    Empty when it does not. A link is none of the store's, and not followed.

    Args:
        path: The file.
        blob: What it should be.
        read: Whether its bytes are compared as well, and not its length alone.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            return "is not a regular file"
        if status.st_size != blob.size:
            return f"has {number(status.st_size, 'byte')}, not {blob.size}"
        if read:
            with open_regular(path, follow=False) as file:
                found = hashlib.file_digest(file, blob.digest.algorithm)
            if found.hexdigest() != blob.digest.hex:
                return f"is damaged: its digest is {blob.digest.algorithm}:{found.hexdigest()}"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def mislabelled(path: Path, blob: Descriptor) -> str:
    """Return how the bytes of a layer are compressed, if its media type says otherwise.

    Args:
        path: The file.
        blob: The layer, or something else, which is never mislabelled.

    Returns:
        `none`, `gzip`, `zstd`, `bzip2` or `xz`; empty where the media type is right.
    """
    labelled = layer_compression(blob.media_type)
    if not labelled or not blob.size:
        return ""
    try:
        with open_regular(path) as file:
            found = sniff(file.read(MAGIC_BYTES))
    except OSError:  # whoever reads it says so
        return ""
    return "" if found == labelled else found


def becomes(path: Path, layer: Descriptor, diff_id: Digest) -> bool:
    """Whether a file is this layer, and becomes what has this diffID when it is decompressed."""
    sink, packed = Hashing(layer.digest.algorithm), layer_compression(layer.media_type) or "none"
    try:
        with open_regular(path, follow=False) as file:
            found = unpacked_digest(file, packed, sink, str(path))
    except (OSError, SourceError):
        return False
    return found == diff_id and sink.digest() == layer.digest


def check_into(
    source: ReadableStream, blob: Descriptor, sink: Digesting, label: str, diff_id: Digest | None
) -> None:
    """Read a blob to its end into a sink, and compare it as `check` does."""
    labelled = layer_compression(blob.media_type)
    if diff_id and labelled:
        head = read_block(source)
        # peers go by the bytes, whatever the media type says; a plain layer may begin like any
        packed = "none" if labelled == "none" and blob.digest == diff_id else sniff(head)
        found = unpacked_digest(Pushback(head, source), packed, sink, label)
        wrong_layer = found != diff_id
    else:
        found, wrong_layer = None, False
        for block in blocks(source):
            sink.write(block)
    if sink.digest() != blob.digest:
        raise SourceError(
            f"{label} is damaged: its digest is {sink.digest()}, not {blob.digest}.",
            "Create or copy it again.",
        )
    if wrong_layer:
        raise mismatch(label, found, diff_id)


def mismatch(label: str, found: Digest | None, wanted: Digest | None) -> SourceError:
    """Return the error for a layer that is not the one its image's config names."""
    return SourceError(
        f"{label} does not belong to its image: its diffID is {found}, but the image's config "
        f"says {wanted}.",
        "Save the image again where it was built.",
    )


def unpacked_digest(source: ReadableStream, packed: str, sink: Sink, label: str) -> Digest:
    """Return the diffID of a compressed layer, which the sink has as it is."""
    tee = Tee(source, sink)
    with decompressing(tee, packed, label) as plain:
        digest = digest_of(plain)
    for _ in blocks(tee):  # what may follow the compressed data belongs to the blob, too
        pass
    return digest
