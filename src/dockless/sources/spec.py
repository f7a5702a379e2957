"""Parsing SOURCE of the command line."""

import contextlib
import os
from pathlib import Path
from typing import Literal, NoReturn

from msgspec import Struct

from dockless.errors import SourceError, UsageError, without_login
from dockless.model.schemes import has_scheme, without_scheme
from dockless.oci.reference import REGISTRY, Name, Reference, is_image_name
from dockless.sources.source_paths import (
    ARCHIVE_ENDINGS,
    STANDARD_INPUT,
    existing,
    has_image,
    is_archive,
    looks_like_path,
)

SourceKind = Literal["stdin", "archive", "layout", "local", "registry"]

TOOLS = {"docker-daemon": "docker", "containers-storage": "podman"}
PATHS: dict[str, SourceKind] = {
    "docker-archive": "archive",
    "oci-archive": "archive",
    "oci": "layout",
    "dir": "layout",
}


Source = str | os.PathLike[str]
"""A source: a text as the command line takes it, or the path of a file or folder."""


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
        return STANDARD_INPUT if self.kind == "stdin" else self.name or str(self.path)

    @property
    def registry(self) -> str:
        """The `host[:port]` that an image names; empty for another kind or a wrong name."""
        with contextlib.suppress(ValueError):  # which is reported where it is read
            if self.kind == "registry":
                return Reference.parse(self.name).repository.host
        return ""


def bare_name(text: str) -> Name:
    """Return the image name of a source; raise UsageError when it is invalid."""
    try:
        return Name.parse(text)
    except ValueError as error:
        raise UsageError(
            f"SOURCE {text!r} is neither a file nor an image name: {error}.",
            "See 'dockless push --help' for what a source can be.",
        ) from None


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
        _refuse_address(text)
    if colon and transport in TOOLS:
        return SourceSpec(kind="local", name=details, tool=TOOLS[transport])
    if colon and transport in PATHS:
        if not details:
            raise UsageError(f"SOURCE {text!r} has no path after the colon.", "Give one there.")
        found = existing(details, folder)
        if found is None:
            raise _no_file(details, PATHS[transport])
        path, selector = found
        return SourceSpec(kind=_kind_of(path), path=path, selector=selector)
    return _plain(text, folder)


def _refuse_address(text: str) -> NoReturn:
    """Raise UsageError for an address, which no name of a local image has in front of it."""
    name = text.partition("://")[2]
    if looks_like_path(name):
        raise UsageError(
            f"SOURCE {text!r} is the address of a file, which is not downloaded.",
            "Download it first, and give its path.",
        )
    bare_name(name)
    raise UsageError(
        f"SOURCE {text} is a URL, and no image of this machine is called so.",
        f"Write the image of that registry as {REGISTRY}{name}.",
    )


def _plain(text: str, folder: Path) -> SourceSpec:
    """Read a SOURCE without a transport: a path, or an image's name.

    A text that can be both is a path only where that is an archive or a layout.
    """
    found = existing(text, folder)
    named = is_image_name(text) and not looks_like_path(text)
    if found is None:
        if looks_like_path(text):
            raise _no_file(text)
        bare_name(text)
        return SourceSpec(kind="local", name=text, bare=True)
    path, selector = found
    promising = any(ending in path.name for ending in ARCHIVE_ENDINGS)
    if not (named or promising or has_image(path)):
        from dockless.sources.not_images import recipe  # noqa: PLC0415 - rare

        if error := recipe(text, path):
            raise error
    here = f"./{text.removesuffix(f':{selector}') if selector else text}" if named else ""
    if has_image(path) or (path.is_file() and not named) or looks_like_path(text):
        return SourceSpec(kind=_kind_of(path), path=path, selector=selector, here=here)
    if path.is_file() and is_archive(path):
        return SourceSpec(kind="archive", path=path, selector=selector, here=here)
    bare_name(text)
    return SourceSpec(kind="local", path=path, name=text, bare=True, here=here)


def _kind_of(path: Path) -> SourceKind:
    return "layout" if path.is_dir() else "archive"


def _no_file(text: str, kind: SourceKind = "archive") -> SourceError:
    if text.startswith("~"):
        remedy = "A shell replaces ~ by your home, dockless does not: write the whole path."
    elif text.startswith("/"):
        remedy = "Check the path."
    else:
        remedy = "Check the path; it is relative to this folder."
    is_folder = kind == "layout" or text in (".", "..") or text.endswith(("/", "/.", "/.."))
    return SourceError(f"There is no {'folder' if is_folder else 'file'} {text}.", remedy)
