"""Whether a file is an image archive, by its content and not by its name."""

import posixpath
import re
import tarfile
from pathlib import Path
from typing import IO, Protocol, cast

from dockless.errors import SourceError
from dockless.oci.manifest import LONGEST_MANIFEST
from dockless.oci.untrusted_json import go_member, parse_json
from dockless.sources.forward import Forward
from dockless.sources.headers import Header, header_errors, tar_errors
from dockless.sources.source_file import SourceFile
from dockless.storage.decompression import beginning, decompressing, sniff
from dockless.storage.streams import Pushback

_HEX = "[0-9a-f]{64}"
_OF_IMAGES = re.compile(
    rf"blobs/sha(?:256/{_HEX}|512/[0-9a-f]{{128}})|oci-layout|{_HEX}/(?:layer\.tar|json|VERSION)"
    rf"|{_HEX}\.(?:json|tar(?:\.gz)?)|sha256:{_HEX}"
)
"""Names of files that image archives begin with, and nothing else has."""

_ENOUGH = 1000
"""Members after which an archive is none of images: the most layers that one has are 127, and
reading a whole backup would take long."""

_ENDINGS = re.compile(
    r"\.(?:tar|tgz|tbz2?|txz|tzst|tar\.(?:gz|bz2|xz|zst))(?:\.\d{3,})?\Z", re.IGNORECASE
)
_APPLE = (b"\0\5\x16\7", b"\0\5\x16\0")
"""What AppleDouble and AppleSingle begin with: what macOS keeps of a file, as `._NAME`."""


class _SeekableStream(Protocol):
    def tell(self) -> int: ...

    def seek(self, position: int, /) -> object: ...

    def read(self, size: int, /) -> bytes: ...


class _Watched:
    """A stream for tarfile that keeps what was read last, which shows how the archive ended.

    It keeps the error of the stream, too, of which tarfile makes one of its own.
    """

    def __init__(self, stream: _SeekableStream) -> None:
        self.last = b""
        self.error: SourceError | None = None
        self.tell = stream.tell
        self.seek = stream.seek
        self._stream = stream

    def read(self, size: int) -> bytes:
        try:
            self.last = self._stream.read(size)
        except SourceError as error:
            self.error = error
            raise
        return self.last


def promises_archive(path: Path) -> bool:
    """Whether the name of a file says that it is an archive; what macOS keeps of one is none."""
    return _ENDINGS.search(path.name) is not None and not path.name.startswith("._")


def why_no_image(path: Path) -> str:
    """Return why a file is not an image archive; empty when it is one, possibly damaged.

    As little is read as tells: of an image archive the first header as a rule, of another plain tar
    the headers, of another compressed one all of it.

    Raises:
        SourceError: It cannot be read, or is too damaged to tell.
    """
    label = str(path)
    with SourceFile(path) as file:
        head = file.read(tarfile.BLOCKSIZE)
        if head.startswith(_APPLE):
            return "it is macOS metadata of another file"
        packed = sniff(head)
        if packed == "none":
            file.seek(0)
            return _why_no_image(cast("_SeekableStream", file), path, head)
        try:
            with decompressing(Pushback(head, file), packed, label) as plain:
                return _why_no_image(Forward(plain), path, b"")
        except SourceError:
            if promises_archive(path) or _may_begin_as_tar(path, packed):
                raise
            return f"its {packed} data cannot be read"


def _why_no_image(stream: _SeekableStream, path: Path, head: bytes) -> str:
    watched = _Watched(stream)
    label = str(path)
    try:
        with tar_errors(label, head), header_errors():
            archive = tarfile.open(  # noqa: SIM115 - it owns nothing; the stream is closed outside
                fileobj=cast("IO[bytes]", watched), mode="r:", tarinfo=Header
            )
    except SourceError:
        if watched.error:
            raise watched.error from None
        if promises_archive(path):
            raise
        return "it is not a tar archive"
    with tar_errors(label), header_errors():
        return _of_members(archive, watched, path)


def _of_members(archive: tarfile.TarFile, watched: _Watched, path: Path) -> str:
    """Return why an archive is not an image archive, by its members."""
    count = 0
    for count, member in enumerate(archive, 1):
        archive.members = []  # type: ignore[attr-defined] # or tarfile keeps every one of them
        name = posixpath.normpath(member.name)
        if _OF_IMAGES.fullmatch(name):
            return ""
        if name in ("manifest.json", "index.json"):
            if not member.isreg() or member.size > LONGEST_MANIFEST:
                return ""
            watched.seek(member.offset_data)
            if lists_images(watched.read(member.size)):
                return ""
        if count >= _ENOUGH:
            return f"its first {_ENOUGH} files do not belong to an image"
    # tarfile takes whatever is no header for the end; the end is a block of zeros
    if watched.last != bytes(tarfile.BLOCKSIZE):
        raise SourceError(f"{path} is truncated or damaged.", "Create or copy it again.")
    if not count and promises_archive(path):
        raise SourceError(f"{path} is an empty archive.", "Create or copy it again.")
    return "it has no manifest.json or index.json of an image"


def lists_images(data: bytes) -> bool:
    """Whether a manifest.json or index.json is one of images; one that is not JSON may have been.

    Other things have files of these names, such as web pages.
    """
    try:
        document = parse_json(data)
    except (ValueError, RecursionError):
        return True
    if isinstance(document, list):
        return any(isinstance(each, dict) and _names_config(each) for each in document)
    return isinstance(document, dict) and isinstance(document.get("manifests"), list)


def _names_config(entry: dict[str, object]) -> bool:
    return any(name.lower() == "config" for name in entry)


def listed_files(data: bytes) -> tuple[str, ...]:
    """Return the configs and layers that a manifest.json lists, relative paths without `..`.

    One that is not JSON lists what the archives of older versions have: `repositories`.
    """
    try:
        document = parse_json(data)
    except (ValueError, RecursionError):
        return ("repositories",)
    entries = [each for each in document if isinstance(each, dict)]
    layers = (go_member(each, "Layers") for each in entries)
    named = [go_member(each, "Config") for each in entries]
    named += [name for each in layers if isinstance(each, list) for name in each]
    paths = (posixpath.normpath(name) for name in named if isinstance(name, str) and name)
    return tuple(
        each for each in paths if not each.startswith(("/", "../")) and each not in ("..", ".")
    )


def _may_begin_as_tar(path: Path, packed: str) -> bool:
    """Whether a compressed file, which is damaged, may have been an archive.

    It was where its first block is a header. Where the data ends within that block, or where that
    is stored, nothing tells.
    """
    try:
        with SourceFile(path) as file:
            head = beginning(file, packed, tarfile.BLOCKSIZE)
        tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
    except EOFError:
        return True
    except (ValueError, SourceError, tarfile.TarError):
        return False
    return True
