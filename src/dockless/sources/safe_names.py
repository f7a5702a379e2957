"""The names in a source, none of which may lead outside of it."""

import posixpath

from dockless.errors import SourceError


def safe_name(name: str, label: str) -> str:
    """Return the name without `./`; raise SourceError when it is not UTF-8 or leads outside."""
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise SourceError(
            f"{label} has a file name that is not UTF-8: {shown}.",
            "Save the image again: the names of 'docker save', 'podman save' and skopeo are.",
        ) from None
    clean = posixpath.normpath(name)
    if name.startswith("/") or clean == ".." or clean.startswith("../") or "\0" in name:
        raise SourceError(
            f"{label} has a path outside of itself: {name!r}.",
            "Nothing was read from it: such an archive is damaged or an attack.",
        )
    return clean


def link_target(name: str, target: str, label: str, *, hard: bool) -> str:
    """Return the name that a link leads to; raise SourceError when that is outside."""
    if hard:
        return safe_name(target, label)
    if target.startswith("/"):
        raise SourceError(
            f"{label} has a link to a path outside of itself: {name!r} to {target!r}.",
            "Nothing was read through it: such an archive is damaged or an attack.",
        )
    return safe_name(posixpath.join(posixpath.dirname(name), target), label)
