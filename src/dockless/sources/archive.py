"""The images of an archive or a layout, and the selection of one."""

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
from dockless.oci.reference import Reference
from dockless.ports import Image
from dockless.sources.docker_archive import ArchiveEntry, UnpackedImage, entries
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
    """

    names: tuple[str, ...]
    open: Callable[[], Image]
    packed: bool = False
    root: Digest | None = None
    listing: Digest | None = None
    locked: tuple[str, ...] = ()
    lock: "Callable[[], Lock | None]" = lambda: None
    fault: SourceError | None = None


def candidates(
    files: Files,
    staging: Staging,
    platform: Platform | None,
    packed: type[PackedImage] = PackedImage,
) -> list[Candidate]:
    """Return the images of an archive or layout, in its own order; `packed` reads compressed ones.

    An archive may be both: Docker 25 and later write `manifest.json` and `index.json` for the
    same blobs. Where the layout's layers are compressed it is pushed as it is; where they are
    not, it is a docker-archive.
    """
    if "index.json" in files and not ("manifest.json" in files and _uncompressed(files)):
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
                open=partial(packed, files, root, platform),
                packed=True,
                root=root.digest,
                listing=listing,
                locked=() if names(root) else locked.get(root.digest, ()),
                lock=lock,
            )
            for root in tops
        ]
    if "manifest.json" in files:
        return [
            _faulty(entry)
            if isinstance(entry, SourceError)
            else _unpacked(files, entry, staging, platform)
            for entry in entries(files)
        ]
    raise SourceError(
        f"{files.label} is not an image: it has neither manifest.json nor index.json.",
        "Give an archive made by 'docker save', 'podman save' or skopeo, or an OCI layout.",
    )


def _locked_names(files: Files) -> Mapping[Digest, tuple[str, ...]]:
    from dockless.sources.bundle import locked_names  # noqa: PLC0415 - most sources are not bundles

    return locked_names(files)


def _lock_of(files: Files) -> "Lock | None":
    from dockless.sources.bundle import lock_of  # noqa: PLC0415 - as above

    return lock_of(files)


def _unpacked(
    files: Files, entry: ArchiveEntry, staging: Staging, platform: Platform | None
) -> Candidate:
    return Candidate(names=entry.names, open=lambda: UnpackedImage(files, entry, staging, platform))


def _faulty(fault: SourceError, lock: "Callable[[], Lock | None]" = lambda: None) -> Candidate:
    def refuse() -> Image:
        raise fault

    return Candidate(names=(), open=refuse, lock=lock, fault=fault)


def _uncompressed(files: Files) -> bool:
    """Whether the first image of a layout, as far as it is there, has uncompressed layers."""
    damaged = False
    for root in roots(files):
        if root.media_type in INDEXES or blob_name(root.digest) not in files:
            return False
        try:
            for _, _, document in walk(files, root):
                if isinstance(document, Manifest) and document.layers:
                    return layer_compression(document.layers[0].media_type) == "none"
        except SourceError:  # it says so when it is opened; the others tell
            damaged = True
    return not damaged


def select(found: Sequence[Candidate], selector: str, label: str) -> Candidate:
    """Return the selected image.

    Args:
        found: The images of the source.
        selector: Empty for the only one, a name, or `@N` for the N-th, counted from 0 as
            skopeo does.
        label: The source's name in messages.

    Raises:
        SourceError: There is no such image, or there are several; the error lists them.
    """
    chosen = [
        candidate
        for position, candidate in enumerate(found)
        if not selector or selector == f"@{position}" or _called(candidate, selector)
    ]
    if len(chosen) == 1:
        return chosen[0]
    listed = "; ".join(f"@{position} {_shown(each)}" for position, each in enumerate(found))
    if not found:
        raise SourceError(f"{label} contains no image.")
    if selector and not chosen:
        raise SourceError(f"{label} has no image {selector}.", f"It has: {listed}.")
    raise SourceError(
        f"{label} holds {len(found)} images: {listed}.",
        f"Select one, as in {label}:NAME or {label}:@0, or push them all with --all.",
    )


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
    return ", ".join(candidate.names) or "(no name)"


def _called(candidate: Candidate, selector: str) -> bool:
    return any(name == selector or _same(name, selector) for name in candidate.names)


def _same(one: str, other: str) -> bool:
    try:
        return with_tag(Reference.parse(one)) == with_tag(Reference.parse(other))
    except ValueError:
        return False


def with_tag(reference: Reference) -> Reference:
    """Return the reference with the tag `latest` if it has none, nor a digest."""
    return reference if reference.tag or reference.digest else reference.tagged("latest")
