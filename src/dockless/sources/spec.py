"""Parsing SOURCE of the command line."""

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

from msgspec import Struct

from dockless.errors import SourceError, UsageError, without_login
from dockless.model.schemes import has_scheme, without_scheme
from dockless.oci.reference import REGISTRY, Name, Reference

SourceKind = Literal["stdin", "archive", "layout", "local", "registry"]

PARTS_ENDING = ".parts.json"
"""The end of the name of a list of parts, see `sources.parts`."""


_ARCHIVE_ENDINGS = (".tar", ".tgz", ".tbz", ".txz", ".tzst")
"""Of archives, packed ones too: what follows, as in `.tar.gz` and `.tbz2`, does not matter."""
_LONGEST_INDENT = 100
_TOOLS = {"docker-daemon": "docker", "containers-storage": "podman"}
_PATHS: dict[str, SourceKind] = {
    "docker-archive": "archive",
    "oci-archive": "archive",
    "oci": "layout",
    "dir": "layout",
}


Source = str | os.PathLike[str]
"""A source: a text as the command line takes it, or the path of a file or folder."""
_ID = re.compile(r"sha256:(?P<any>[0-9a-f]{1,64})|(?P<long>[0-9a-f]{12,64})")
_WHOLE_ID = 64


class SourceSpec(Struct, frozen=True, kw_only=True):
    """A parsed SOURCE.

    Attributes:
        kind: Standard input, an archive file, a layout directory, a container tool's image, or
            one of a registry.
        path: The file or directory, where there is one.
        selector: Which image of the archive or layout; empty for the only one.
        name: The name of a container tool's image, or of a registry's.
        tool: `docker` or `podman` when the transport prefix says so, else empty for any.
        bare: Whether it was given as an image name only, without a path or a transport.
        here: What is in the folder under a text that can be a path and an image's name, as
            `./shop`: of an archive or a layout, which is taken then, or of something else, which is
            not. Empty where the text can be one of the two only.
    """

    kind: SourceKind
    path: Path = Path()
    selector: str = ""
    name: str = ""
    tool: str = ""
    bare: bool = False
    here: str = ""

    @property
    def label(self) -> str:
        """The source's name in messages."""
        return "standard input" if self.kind == "stdin" else self.name or str(self.path)

    @property
    def registry(self) -> str:
        """The `host[:port]` that an image names; empty for another kind or a wrong name."""
        with contextlib.suppress(ValueError):  # which is reported where it is read
            if self.kind == "registry":
                return Reference.parse(self.name).repository.host
        return ""


class SourceThere(Struct, frozen=True, kw_only=True):
    """A source on another host.

    Attributes:
        kind: An archive file, a layout directory, or a container tool's image.
        path: The file or directory, where there is one.
        selector: Which image of the archive or layout; empty for the only one.
        name: The name of a container tool's image.
        tool: `docker` or `podman` when the transport prefix says so, else empty for any.
    """

    kind: Literal["archive", "layout", "local"]
    path: str = ""
    selector: str = ""
    name: str = ""
    tool: str = ""


def parse_there(text: str, look: Callable[[str], str]) -> SourceThere:
    """Read a source on another host, as `parse_source` does one of this machine.

    Args:
        text: What the user typed.
        look: Says whether a path there is a `file`, a `folder`, or nothing.

    Raises:
        SourceError: It looks like a path, and the file does not exist.
        UsageError: It is neither a path nor an image name.
    """
    transport, colon, details = text.partition(":")
    if colon and transport in _TOOLS:
        return SourceThere(kind="local", name=details, tool=_TOOLS[transport])
    is_path = colon and transport in _PATHS
    path = details if is_path else text
    if not is_path and not _looks_like_path(text):
        return SourceThere(kind="local", name=str(bare_name(text)))
    for tried, selector in _splits(path):
        if found := look(tried):
            return SourceThere(
                kind="layout" if found == "folder" else "archive", path=tried, selector=selector
            )
    raise SourceError(f"There is no file {path} on the host.", "Check the path there.")


def bare_name(text: str) -> Name:
    """Return the image name of a source; raise UsageError when it is invalid."""
    try:
        return Name.parse(text)
    except ValueError as error:
        raise UsageError(
            f"SOURCE {text!r} is neither a file nor an image name: {error}.",
            "See 'dockless push --help' for what a source can be.",
        ) from None


def id_digits(text: str) -> str:
    """Return the digits of a source that may be an image's ID, or how one begins; else nothing.

    Less than 12 digits are one only behind `sha256:`: `a` and `fea` are names.
    """
    found = _ID.fullmatch(text)
    return (found["any"] or found["long"]) if found else ""


def is_surely_id(text: str) -> bool:
    """Whether a source can be nothing but an image's ID: tools refuse such names."""
    digits = id_digits(text)
    return bool(digits) and (digits != text or len(digits) == _WHOLE_ID)


def target_name(text: str) -> Name | None:
    """Return the name that a source, which is one, gives to its target; None for an ID."""
    return None if is_surely_id(text) else bare_name(text)


def is_bare(text: str) -> bool:
    """Whether a source on another host is an image name only, without a path or a transport."""
    transport, colon, _ = text.partition(":")
    return not _looks_like_path(text) and not (colon and transport in _TOOLS | _PATHS)


def _splits(path: str) -> Iterator[tuple[str, str]]:
    """Yield a path as it is, then cut at each of its colons, the last one first."""
    yield path, ""
    for position in range(len(path) - 1, 0, -1):
        if path[position] == ":":
            yield path[:position], path[position + 1 :]


def source_text(source: Source) -> str:
    """Return a source as the command line takes it: a path object is always a file or folder."""
    return source if isinstance(source, str) else os.fspath(Path(source).absolute())


def parse_source(text: str, folder: Path) -> SourceSpec:
    """Read SOURCE: `-`, a path, skopeo's `transport:details`, or an image name.

    Args:
        text: What the user typed.
        folder: What relative paths start from.

    Raises:
        SourceError: It looks like a path, and the file does not exist.
        UsageError: It is none of these.
    """
    if text == "-":
        return SourceSpec(kind="stdin")
    transport, colon, details = text.partition(":")
    if text.startswith(REGISTRY):
        if without_login(text) != text:
            raise UsageError(
                "SOURCE contains a login, which no name of an image has.",
                "Remove it, and log in with `dockless login`.",
            )
        name = without_scheme(text.removeprefix(REGISTRY), "SOURCE")
        return SourceSpec(kind="registry", name=name)
    if has_scheme(text):
        return _pasted(text)
    if colon and transport in _TOOLS:
        return SourceSpec(kind="local", name=details, tool=_TOOLS[transport])
    if colon and transport in _PATHS:
        found = _existing(details, folder)
        if found is None:
            raise _no_file(details)
        path, selector = found
        return SourceSpec(kind=_kind_of(path), path=path, selector=selector)
    return _plain(text, folder)


def _pasted(text: str) -> SourceSpec:
    """Read the address of an image, as it is pasted from a browser."""
    name = without_scheme(text, "SOURCE")
    if _looks_like_path(name):
        raise UsageError(
            f"SOURCE {text!r} is the address of a file, which is not downloaded.",
            "Download it first, and give its path.",
        )
    bare_name(name)
    return SourceSpec(kind="local", name=name, bare=True)


def _plain(text: str, folder: Path) -> SourceSpec:
    """Read a SOURCE without a transport: a path, or an image's name.

    A text that can be both is a path only where that is an archive or a layout.
    """
    found = _existing(text, folder)
    named = is_name(text) and not _looks_like_path(text)
    if found is None:
        if _looks_like_path(text):
            raise _no_file(text)
        bare_name(text)
        return SourceSpec(kind="local", name=text, bare=True)
    path, selector = found
    promising = any(ending in path.name for ending in _ARCHIVE_ENDINGS)
    if not (named or promising or _has_image(path)):
        from dockless.sources.not_images import recipe  # noqa: PLC0415 - rare

        if error := recipe(text, path):
            raise error
    here = f"./{text.removesuffix(f':{selector}') if selector else text}" if named else ""
    if _has_image(path) or (path.is_file() and not named) or _looks_like_path(text):
        return SourceSpec(kind=_kind_of(path), path=path, selector=selector, here=here)
    if path.is_file() and _is_archive(path):
        return SourceSpec(kind="archive", path=path, selector=selector, here=here)
    bare_name(text)
    return SourceSpec(kind="local", path=path, name=text, bare=True, here=here)


def is_name(text: str) -> bool:
    """Whether a text is an image's name."""
    try:
        Name.parse(text)
    except ValueError:
        return False
    return True


def is_layout(folder: Path) -> bool:
    """Whether a folder is an OCI layout; an index.json alone may be anything's."""
    # the os module's functions take what may not be looked at for absent, and pathlib's raise
    if os.path.isfile(folder / "oci-layout"):  # noqa: PTH113
        return True
    return os.path.isfile(folder / "index.json") and os.path.isdir(folder / "blobs")  # noqa: PTH112, PTH113


def _is_archive(path: Path) -> bool:
    """Whether a file is an archive of images, or a damaged one, or a list of a bundle's parts."""
    from dockless.sources.judging import why_no_image  # noqa: PLC0415 - most names have no file

    if path.name.endswith(PARTS_ENDING):
        return True
    if not os.access(path, os.R_OK):
        return False
    try:
        return not why_no_image(path)
    except SourceError:
        return True


def _existing(text: str, folder: Path) -> tuple[Path, str] | None:
    """Split `path[:selector]` at the first colon before which something exists."""
    whole = folder / text
    if text and _exists(whole):
        return whole, ""
    for position, character in enumerate(text):
        if character == ":" and position and _exists(path := folder / text[:position]):
            return path, text[position + 1 :]
    return None


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        raise SourceError(
            f"This user has no permission to access {path}.",
            "Check the permissions of the folders above.",
        ) from None
    except OSError:  # too long to be the name of a file
        return False


def _has_image(folder: Path) -> bool:
    """Whether a folder is an image, or an unpacked archive of one, about which an error tells."""
    if is_layout(folder):
        return True
    if not os.path.isfile(folder / "manifest.json"):  # noqa: PTH113 - raises nothing
        return False
    from dockless.sources.dir_transport import is_dir_transport  # noqa: PLC0415 - rare

    return is_dir_transport(folder) or _begins_list(folder / "manifest.json")


def _begins_list(path: Path) -> bool:
    """Whether a manifest.json is a list, as in archives of `docker save`; a web app's is none."""
    try:
        with path.open("rb") as file:
            return file.read(_LONGEST_INDENT).lstrip().startswith(b"[")
    except OSError:
        return False


def _kind_of(path: Path) -> SourceKind:
    return "layout" if path.is_dir() else "archive"


def _looks_like_path(text: str) -> bool:
    return (
        text in (".", "..")
        or text.startswith(("/", "./", "../", "~"))
        or text.endswith(("/", "/.", "/.."))
        or any(ending in text for ending in _ARCHIVE_ENDINGS)
    )


def _no_file(text: str) -> SourceError:
    return SourceError(
        f"There is no file {text}.", "Check the path; it is relative to this folder."
    )
