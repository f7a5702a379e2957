"""Parsing SOURCE of a push from hosts, which is on each of them."""

from collections.abc import Callable, Iterator
from typing import Literal

from msgspec import Struct

from dockless.errors import SourceError
from dockless.sources.source_paths import looks_like_path
from dockless.sources.spec import PATHS, TOOLS, bare_name


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
    if colon and transport in TOOLS:
        return SourceThere(kind="local", name=details, tool=TOOLS[transport])
    is_path = colon and transport in PATHS
    path = details if is_path else text
    if not is_path and not looks_like_path(text):
        return SourceThere(kind="local", name=str(bare_name(text)))
    for tried, selector in splits(path):
        if found := look(tried):
            return SourceThere(
                kind="layout" if found == "folder" else "archive", path=tried, selector=selector
            )
    raise SourceError(f"There is no file {path} on the host.", "Check the path there.")


def is_bare(text: str) -> bool:
    """Whether a source on another host is an image name only, without a path or a transport."""
    transport, colon, _ = text.partition(":")
    return not looks_like_path(text) and not (colon and transport in TOOLS | PATHS)


def splits(path: str) -> Iterator[tuple[str, str]]:
    """Yield a path as it is, then cut at each of its colons, the last one first, with the rest."""
    yield path, ""
    for position in range(len(path) - 1, 0, -1):
        if path[position] == ":":
            yield path[:position], path[position + 1 :]
