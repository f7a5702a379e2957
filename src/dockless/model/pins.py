"""Digests that the names of images pin, as `host/path@sha256:…` does."""

from collections.abc import Iterable

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.reference import Name


class WrongPinError(SourceError):
    """A name pins a digest that its image does not have."""


def pinned(text: str) -> Digest | None:
    """Return the digest that a name pins; None for no digest, and for what is not a name."""
    if "@" not in text:
        return None
    try:
        return Name.parse(text).digest
    except ValueError:  # which is reported where it is used as a name
        return None


def repinned(text: str, old: Digest, new: Digest) -> str:
    """Return a name with another digest where it pins the old one."""
    return text.replace(f"@{old}", f"@{new}") if pinned(text) == old else text


def wrong_pin(names: Iterable[str], root: Digest) -> str:
    """Return the first of an image's names that pins another digest than its own; empty if none."""
    return next((name for name in names if pinned(name) not in (None, root)), "")


def refuse_wrong_pins(
    names: Iterable[str],
    root: Digest,
    source: str,
    remedy: str = "It may be another image, or an altered one: get it again, or correct its name.",
) -> None:
    """Raise WrongPinError where a name pins a digest that its image does not have.

    Args:
        names: The names of the image.
        root: The digest of its manifest or index.
        source: The name of its source.
        remedy: What can be done about it.
    """
    if name := wrong_pin(names, root):
        raise WrongPinError(f"{source} has an image named {name} whose digest is {root}.", remedy)
