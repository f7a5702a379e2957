"""An image that a container tool has: how it is described, and whether it is the one asked for."""

import contextlib
from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.reference import Name, Reference
from dockless.sources.archive import with_tag


class LocalImage(Struct, frozen=True, kw_only=True):
    """An image that a container tool has.

    Attributes:
        tool: Which tool.
        name: The name that it was found under.
        image_id: The digest that the tool knows it by: of its config as a rule, of its manifest or
            index where the tool's store is containerd's.
        as_stored: Whether it is known to be the latter. What `save` writes then is what the store
            has, byte for byte.
        called: Every name that the tool has for it, with a tag or a digest.
        by_id: Whether it was found by its ID, so that `name` is none of its names.
        is_list: Whether it is a list of podman's or buildah's, of an image for each platform.
        size: The bytes of its files, unpacked, as the tool says; None where it does not.
    """

    tool: str
    name: str
    image_id: Digest
    as_stored: bool = False
    called: tuple[str, ...] = ()
    by_id: bool = False
    is_list: bool = False
    size: int | None = None

    @property
    def shown(self) -> str:
        """What it is: the name that the tool has for it, or its ID with every such name."""
        if not self.by_id:
            return next((each for each in self.called if is_named(self.name, (each,))), self.name)
        named = [each for each in self.called if "<none>" not in each]
        names = [each for each in named if "@" not in each] or named
        return f"{self.image_id} ({', '.join(names) or 'it has no name'})"

    @property
    def recorded(self) -> str:
        """The name that it is recorded by: what was asked for, with podman's `localhost/`."""
        kept = _tagged(f"localhost/{self.name}")
        if self.by_id or not any(_tagged(each) & kept for each in self.called):
            return self.name
        return f"localhost/{tagged_name(self.name)}"


class _Root(Struct, frozen=True):
    """The descriptor of an image's manifest or index."""

    digest: str = ""


class Inspected(Struct, frozen=True, kw_only=True, rename="pascal"):
    """An image as `image inspect` and Docker's API describe it, as far as it matters here.

    Attributes:
        id: Its ID, with or without the algorithm.
        descriptor: Its manifest or index; a client of Docker older than 28 leaves it out.
        repo_tags: Its names with a tag; Go writes an empty list as null.
        repo_digests: Its names with a digest.
        size: The bytes of its files, unpacked.
    """

    id: str
    descriptor: _Root | None = None
    repo_tags: tuple[str, ...] | None = None
    repo_digests: tuple[str, ...] | None = None
    size: int | None = None

    @property
    def digests(self) -> list[Digest]:
        """The digests in its names."""
        found = []
        for name in self.repo_digests or ():
            with contextlib.suppress(ValueError):  # Docker knows `<none>@<none>`
                found.append(Digest.parse(name.rpartition("@")[2]))
        return found

    @property
    def names(self) -> list[str]:
        """Every name, with a tag or a digest."""
        return [*(self.repo_tags or ()), *(self.repo_digests or ())]


def the_one_id(tool: str, digits: str, ids: Iterable[str]) -> str:
    """Return the one of these IDs that begins with these digits; empty when there is none.

    Raises:
        SourceError: There are several.
    """
    found = sorted({each for each in ids if each.startswith(digits)})
    if len(found) > 1:
        raise SourceError(
            f"{digits} is the beginning of the IDs of {len(found)} images of {tool}.",
            f"Write more digits: {', '.join(found[:5])}.",
        )
    return found[0] if found else ""


def is_named(wanted: str, called: Sequence[str]) -> bool:
    """Whether this is one of an image's names, each with a tag or a digest."""
    # podman keeps what has no registry under localhost/
    meant = _tagged(wanted) | _tagged(f"localhost/{wanted}")
    return any(_tagged(name) & meant for name in called)


def _tagged(name: str) -> set[Reference]:
    """Return the reference of a name; None if it is not a reference."""
    try:
        reference = Reference.parse(name)
        # the names with a digest, by which tools call an image, have no tag
        return {replace(reference, tag="") if reference.digest else with_tag(reference)}
    except ValueError:
        return set()


def tagged_name(name: str) -> str:
    """Return a name with the tag `latest` if it has none, nor a digest; other text as it is."""
    try:
        parsed = Name.parse(name)
    except ValueError:
        return name
    return name if parsed.tag or parsed.digest else f"{name}:latest"


def image_digest(text: str) -> Digest:
    """Return the digest that an image ID is, with its algorithm or without."""
    return Digest.parse(text if ":" in text else f"sha256:{text}")
