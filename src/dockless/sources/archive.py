"""The images of an archive or a layout, and the selection of one."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import SourceError
from dockless.model.pins import pinned, refuse_wrong_pins
from dockless.oci.digest import Digest
from dockless.oci.manifest import INDEXES, Descriptor, Manifest, layer_compression
from dockless.oci.platform import Platform
from dockless.oci.reference import Name, Reference
from dockless.ports import Image
from dockless.sources.docker_archive import ArchiveEntry, UnpackedImage, entries, read_config
from dockless.sources.files import Files
from dockless.sources.oci_layout import (
    PackedImage,
    blob_name,
    listed_roots,
    names,
    roots,
    walk,
)
from dockless.storage.staging import Staging

if TYPE_CHECKING:
    from dockless.model.lock import Lock


class Candidate(Struct, frozen=True, kw_only=True):
    """An image of a source.

    Attributes:
        names: Its names there; may be empty.
        open: Reads its metadata; raises SourceError when it is damaged.
        packed: Whether it is pushed unchanged, so that its content is known from its manifests.
        root: Its digest by that index.json, of all its platforms; None where there is none.
        listing: The digest of the index.json that lists it and all else of a bundle.
        locked: Its names in the lock file of its bundle, where its index.json has none: bundles of
            version 0.1 name what is pinned by digest there only.
        lock: Reads the lock file of its bundle; None where there is none. Raises SourceError when
            it cannot be used.
        fault: Why its entry in the source cannot be used, which `open` raises; None where it can.
        platforms: Reads which platforms it is for; none where that is unknown.
    """

    names: tuple[str, ...]
    open: Callable[[], Image]
    packed: bool = False
    root: Digest | None = None
    listing: Digest | None = None
    locked: tuple[str, ...] = ()
    lock: "Callable[[], Lock | None]" = lambda: None
    fault: SourceError | None = None
    platforms: Callable[[], tuple[Platform, ...]] = tuple


def candidates(
    files: Files,
    staging: Staging,
    platform: Platform | None,
    packed: type[PackedImage] = PackedImage,
    several: tuple[Platform, ...] = (),
) -> list[Candidate]:
    """Return the images of an archive or layout, in its own order; `packed` reads compressed ones.

    Of the indexes of a layout only some platforms are taken where `several` are given.

    An archive may be both: Docker 25 and later write `manifest.json` and `index.json` for the
    same blobs. Where the layout's layers are compressed it is pushed as it is; where they are
    not, or no image of the layout can be read, it is a docker-archive.
    """
    if "index.json" in files and not _is_docker_archive(files):
        listing = Digest.of(files.document("index.json"))
        tops = listed_roots(files)
        nameless = any(isinstance(root, Descriptor) and not names(root) for root in tops)
        locked = _locked_names(files) if nameless else {}
        lock = partial(_lock_of, files)
        return [
            _faulty(root, lock)
            if isinstance(root, SourceError)
            else Candidate(
                names=names(root),
                open=partial(_opened, packed, files, root, platform, several),
                packed=True,
                root=root.digest,
                listing=listing,
                locked=() if names(root) else locked.get(root.digest, ()),
                lock=lock,
                platforms=partial(_offered, files, root),
            )
            for root in tops
        ]
    if "manifest.json" in files:
        if not files.is_tar:
            from dockless.sources.not_images import unpacked_archive  # noqa: PLC0415 - rare

            raise unpacked_archive(files.label)
        return [
            _faulty(entry)
            if isinstance(entry, SourceError)
            else _unpacked(files, entry, staging, platform)
            for entry in entries(files)
        ]
    from dockless.sources.not_images import no_image  # noqa: PLC0415 - rare

    raise no_image(files.label, files.names)


def _opened(
    packed: type[PackedImage],
    files: Files,
    root: Descriptor,
    platform: Platform | None,
    several: tuple[Platform, ...] = (),
) -> PackedImage:
    if several:
        from dockless.sources.several_platforms import pick_several  # noqa: PLC0415 - rare

        files, root = pick_several(files, root, several)
    if platform:
        from dockless.sources.platform_choice import pick  # noqa: PLC0415 - few pushes ask for one

        root = pick(files, root, platform)
    return packed(files, root)


def _offered(files: Files, root: Descriptor) -> tuple[Platform, ...]:
    from dockless.sources.platform_choice import platforms  # noqa: PLC0415 - where there are several

    return platforms(files, root)


def _locked_names(files: Files) -> Mapping[Digest, tuple[str, ...]]:
    from dockless.sources.bundle import locked_names  # noqa: PLC0415 - most sources are not bundles

    return locked_names(files)


def _lock_of(files: Files) -> "Lock | None":
    from dockless.sources.bundle import lock_of  # noqa: PLC0415 - as above

    return lock_of(files)


def _unpacked(
    files: Files, entry: ArchiveEntry, staging: Staging, platform: Platform | None
) -> Candidate:
    return Candidate(
        names=entry.names,
        open=partial(UnpackedImage, files, entry, staging, platform),
        platforms=partial(_platforms, files, entry),
    )


def _platforms(files: Files, entry: ArchiveEntry) -> tuple[Platform, ...]:
    return (read_config(files.document(entry.config), files.label).platform,)


def _faulty(fault: SourceError, lock: "Callable[[], Lock | None]" = lambda: None) -> Candidate:
    def refuse() -> Image:
        raise fault

    return Candidate(names=(), open=refuse, lock=lock, fault=fault)


def _is_docker_archive(files: Files) -> bool:
    """Whether what is both is read by its manifest.json.

    That is where the first image of the layout that can be read has uncompressed layers, and where
    none can be read, as in archives of Docker 25.0, but manifest.json can. What is unpacked in a
    directory is a layout.
    """
    if not files.is_tar or "manifest.json" not in files:
        return False
    with contextlib.suppress(SourceError):
        for root in roots(files):
            if root.media_type in INDEXES and blob_name(root.digest) in files:
                return False
            with contextlib.suppress(SourceError):
                for _, _, document in walk(files, root):
                    if isinstance(document, Manifest) and document.layers:
                        return layer_compression(document.layers[0].media_type) == "none"
    with contextlib.suppress(SourceError):
        return bool(entries(files))
    return False


def select(
    found: Sequence[Candidate], selector: str, label: str, platform: Platform | None = None
) -> Candidate:
    """Return the selected image.

    Args:
        found: The images of the source.
        selector: Empty for the only one, a name, or `@N` for the N-th, counted from 0 as
            skopeo does.
        label: The source's name in messages.
        platform: Which one of several is meant, where they differ in that.

    Raises:
        SourceError: There is no such image, or there are several; the error lists them.
    """
    chosen = [
        candidate
        for position, candidate in enumerate(found)
        if not selector or selector == f"@{position}" or _called(candidate, selector)
    ]
    if not found:
        raise SourceError(f"{label} contains no image.")
    if platform and len(chosen) > 1:
        serving = [each for each in chosen if serves(each, platform)]
        if not serving:
            from dockless.sources.platform_choice import no_platform  # noqa: PLC0415 - rare

            offered = [own for each in chosen for own in readable_platforms(each)]
            raise no_platform(label, platform, offered)
        chosen = serving
    if len(chosen) == 1:
        return chosen[0]
    listed = "; ".join(f"@{position} {_shown(each)}" for position, each in enumerate(found))
    if selector and not chosen:
        raise SourceError(f"{label} has no image {selector}.", f"It has: {listed}.")
    differ = len({readable_platforms(each) for each in chosen}) == len(chosen)
    by_platform = "" if platform or not differ else " by --platform or"
    raise SourceError(
        f"{label} holds {len(found)} images: {listed}.",
        f"Select one{by_platform} as in {label}:NAME or {label}:@0, or push them all with --all.",
    )


def serves(candidate: Candidate, platform: Platform) -> bool:
    """Whether an image can be read, and is for a platform."""
    return any(own.serves(platform) for own in readable_platforms(candidate))


def readable_platforms(candidate: Candidate) -> tuple[Platform, ...]:
    """Return the platforms of an image; none where they cannot be read."""
    try:
        return candidate.platforms()
    except SourceError:  # opening it tells why
        return ()


def for_platform(found: Sequence[Candidate], platform: Platform) -> list[Candidate]:
    """Return the images of a source without those that have a namesake for the platform."""
    serving = {each.names for each in found if serves(each, platform)}
    return [each for each in found if each.names not in serving or serves(each, platform)]


def agreed(candidate: Candidate, label: str) -> Candidate:
    """Return an image whose names agree with its digest.

    Args:
        candidate: The image of an archive, a layout or a registry.
        label: The source's name in messages.

    Raises:
        SourceError: A name pins a digest that the image does not have, or it cannot be read.
    """
    if not any(map(pinned, candidate.names)):
        return candidate
    if candidate.root:
        refuse_wrong_pins(candidate.names, candidate.root, label)
        return candidate
    image = candidate.open()
    refuse_wrong_pins(candidate.names, image.content().root.digest, label)
    return replace(candidate, open=lambda: image)


def _shown(candidate: Candidate) -> str:
    if candidate.fault:
        return f"(faulty: {candidate.fault.what.rstrip('.')})"
    name = ", ".join(candidate.names) or "(no name)"
    return " for ".join(filter(None, (name, ", ".join(map(str, readable_platforms(candidate))))))


def _called(candidate: Candidate, selector: str) -> bool:
    return any(name == selector or _same(name, selector) for name in candidate.names)


def _same(one: str, other: str) -> bool:
    try:
        names = (str(Name.parse(text).without_localhost()) for text in (one, other))
        first, second = (with_tag(Reference.parse(name)) for name in names)
    except ValueError:
        return False
    return first == second


def with_tag(reference: Reference) -> Reference:
    """Return the reference with the tag `latest` if it has none, nor a digest."""
    return reference if reference.tag or reference.digest else reference.tagged("latest")
