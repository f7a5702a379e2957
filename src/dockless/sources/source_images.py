"""The images of one source, each with its names and size, as mirrors and bundles take them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from dockless.errors import LostCopyError, SourceError
from dockless.model.pins import repinned
from dockless.oci.digest import Digest
from dockless.oci.manifest import parse_document
from dockless.oci.platform import Platform
from dockless.ports import Image, SourceImage
from dockless.sources.archive import Candidate, agreed, for_platform, select
from dockless.sources.oci_layout import CarriedImage
from dockless.sources.opener import Opener
from dockless.sources.source_file import reading
from dockless.sources.spec import SourceSpec


def source_images(
    opener: Opener, spec: SourceSpec, platforms: tuple[Platform, ...], named: str, origin: str
) -> Iterator[SourceImage]:
    """Yield the images of a source.

    Args:
        opener: Opens it.
        spec: The source.
        platforms: Those of an index that are asked for; none for all.
        named: The repository of images that have only a tag; empty for the source's name.
        origin: Where a list asks for it; empty for one that was given directly.

    Raises:
        DocklessError: The source is missing, damaged, or has no image.
    """
    platform = platforms[0] if len(platforms) == 1 else None
    several = platforms if len(platforms) > 1 else ()
    candidates = opener.images(spec, platform, CarriedImage, several)
    if not candidates:
        raise SourceError(f"{spec.label} contains no image.", "Create or copy it again.")
    size = 0
    if spec.kind == "archive":
        with reading(spec.label):
            size = spec.path.stat().st_size // len(candidates)
    short, fault = _locked(candidates[0])
    if spec.selector:
        candidates = [select(candidates, spec.selector, spec.label, platform)]
    elif platform:
        candidates = for_platform(candidates, platform)
    if several:
        candidates = [_undivided(each, spec.label, several) for each in candidates]
    for candidate in candidates:
        found = SourceImage(
            source=spec.label,
            names=_local_names(candidate)
            if spec.kind == "local"
            else _short(candidate.names, short),
            bare=named or stem(spec),
            size=size,
            open=candidate.open,
            listing=candidate.listing,
            origin=origin,
            lock_fault=fault,
            fault=candidate.fault,
        )
        locked = _short(candidate.locked, short)
        yield _looked_into(found, locked, candidate.root) if candidate.packed else found


def _undivided(found: Candidate, label: str, several: tuple[Platform, ...]) -> Candidate:
    """Return an image of one platform, or of a tool, so that it is refused where it lacks one."""
    if found.packed or found.fault:
        return found
    from dockless.sources.several_platforms import for_all  # noqa: PLC0415 - rare

    return replace(found, open=partial(for_all, found.open, label, several))


def _locked(candidate: Candidate) -> tuple[Mapping[str, str], SourceError | None]:
    """Return the short names of a bundle's images by their full ones, and what is wrong with it.

    A bundle's index has full names only, and an image is to have the same name at the target as
    without a bundle.
    """
    try:
        lock = candidate.lock()
    except SourceError as error:
        return {}, error
    return {each.name: each.short for each in lock.images if each.short} if lock else {}, None


def pushed_images(
    opener: Opener, spec: SourceSpec, platform: Platform | None, *, short: bool
) -> list[Candidate]:
    """Return the images of a source, all of which are pushed.

    Args:
        opener: Opens it, and warns of a lock file that cannot be used.
        spec: The source.
        platform: The one of an index that is asked for.
        short: Whether images of a bundle have their short names, by which a mirror takes them, too.
    """
    found = opener.images(spec, platform)
    if not short or not found:
        return found
    names, fault = _locked(found[0])
    if fault:
        opener.warn(f"{fault.what} Its images go by their full names.")
    return [
        replace(each, names=_short(each.names, names), locked=_short(each.locked, names))
        for each in found
    ]


def whole_source(
    found: Sequence[Candidate],
    label: str,
    bare: str,
    names: Callable[[Sequence[str]], tuple[str, ...]],
    platform: Platform | None,
) -> tuple[SourceImage, ...]:
    """Return the images of a source of which every one is pushed, read as far as they are known.

    Args:
        found: The images.
        label: The source's name in messages.
        bare: The repository of a name that is a tag only.
        names: Returns those of an image's names that count.
        platform: Which of several images of one name is meant.
    """
    images = []
    for each in for_platform(found, platform) if platform else found:
        image = SourceImage(
            source=label,
            names=names(each.names),
            bare=bare,
            size=0,
            open=partial(_open_agreed, each, label),
            listing=each.listing,
            fault=each.fault,
        )
        known = each.packed and not each.fault
        images.append(_looked_into(image, each.locked, None) if known else image)
    return tuple(images)


def _open_agreed(candidate: Candidate, label: str) -> Image:
    return agreed(candidate, label).open()


def _short(names: tuple[str, ...], short: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(short.get(name, name) for name in names)


def _local_names(found: Candidate) -> tuple[str, ...]:
    """Return the name that an image of a container tool was asked for by; none for its ID."""
    return tuple(name if ":" in name or "/" in name else f"{name}:latest" for name in found.names)


def _looked_into(found: SourceImage, locked: tuple[str, ...], root: Digest | None) -> SourceImage:
    """Add what the image consists of; a damaged one fails when it is pushed.

    One that is deleted from the store again and again is pulled once more when it is pushed.

    One that is named in its bundle's lock file only gets that name, but for what has a subject. A
    name that pins an index, of which one platform is taken, pins that instead.
    """
    try:
        image = found.open()
        content = image.content()
    except (LostCopyError, SourceError):
        return found
    size = sum(blob.size for blob in content.blobs)
    refers = parse_document(content.documents[content.root.digest]).subject
    names = found.names or (() if refers else locked)
    if root:
        names = tuple(repinned(name, root, content.root.digest) for name in names)
    return replace(found, names=names, size=size, content=content, open=lambda: image)


def stem(spec: SourceSpec) -> str:
    """Return the repository that a name without one belongs to: the source's own name."""
    return spec.path.name.partition(".")[0].lower() if spec.kind != "local" else ""
