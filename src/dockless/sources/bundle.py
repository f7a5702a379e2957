"""Reading bundles: their content, and whether it is complete and correct."""

import contextlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field

from dockless.errors import SourceError
from dockless.model.counts import number
from dockless.model.lock import FILE, Lock, Locked, read_lock
from dockless.model.pins import wrong_pin
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    CONFIGS,
    Descriptor,
    Manifest,
    parse_config,
)
from dockless.oci.untrusted_json import parse_json
from dockless.sources.canonical_bundle import altered
from dockless.sources.files import Files
from dockless.sources.oci_layout import blob_name, listed_roots, names, roots, walk
from dockless.storage.docker_list import FILE as DOCKER_LIST

LAYOUT = "oci-layout"
_LAYOUT_VERSION = "imageLayoutVersion"


def lock_of(files: Files) -> Lock | None:
    """Return the lock file of a bundle, or None for a layout that has none."""
    if FILE not in files:
        return None
    try:
        return read_lock(files.document(FILE))
    except ValueError as error:
        raise SourceError(
            f"{files.label}: {FILE} cannot be used: {error}.", "Copy or create the bundle again."
        ) from None


def locked_names(files: Files) -> Mapping[Digest, tuple[str, ...]]:
    """Return the names of each image by its lock file; none where that is missing or damaged."""
    try:
        lock = lock_of(files)
    except SourceError:  # what an image is, its index.json says
        return {}
    found: dict[Digest, tuple[str, ...]] = {}
    for image in lock.images if lock else ():
        found[image.root.digest] = (*found.get(image.root.digest, ()), image.name)
    return found


def listed(files: Files) -> Iterator[Locked]:
    """Yield the images of a bundle, or of any layout, by its index alone."""
    refuse_others(files)
    lock = lock_of(files)
    if lock:
        yield from lock.images
        return
    for root in listed_roots(files):
        if isinstance(root, SourceError):  # a list that lacks an image would be taken for whole
            raise root
        for name in names(root) or ("(no name)",):
            yield Locked(name=name, source=files.label, root=root, platforms=(), blobs=())


def refuse_others(files: Files) -> None:
    """Raise SourceError for what is no bundle, and no layout, as nothing of either is in it."""
    if not any(name in files for name in (LAYOUT, "index.json", FILE)):
        kind = "a folder of other files"
        if files.is_tar:
            kind = f"an archive {'of images' if 'manifest.json' in files else 'of other files'}"
        raise SourceError(
            f"{files.label} is not a bundle: it is {kind}.",
            "Give what `dockless bundle create` wrote; push and mirror take archives as they are.",
        )


def belonging(files: Files) -> frozenset[str]:
    """Return the files that belong to a bundle: its lists, and all that its images lead to."""
    found = {LAYOUT, "index.json", DOCKER_LIST, FILE}
    try:
        for root in roots(files):
            found.add(blob_name(root.digest))
            for _, _, document in walk(files, root):
                if isinstance(document, Manifest):
                    listed = (document.config, *document.layers)
                    found |= {blob_name(each.digest) for each in listed}
                else:
                    found |= {blob_name(each.digest) for each in document.manifests}
    except SourceError:  # which is reported as a problem
        pass
    return frozenset(found)


def _layout_problem(files: Files) -> str:
    """Return what is wrong with a layout's `oci-layout` file; empty if it is valid.

    It must be there, and say the version: OCI image-spec, image-layout.md, 'oci-layout file'.
    """
    if LAYOUT not in files:
        return f"{files.label} has no {LAYOUT}, so other programs do not recognize it as a layout."
    try:
        document = parse_json(files.document(LAYOUT))
    except (SourceError, ValueError):
        return f"{files.label}: {LAYOUT} is not JSON."
    version = document.get(_LAYOUT_VERSION) if isinstance(document, dict) else None
    if version != "1.0.0":
        return (
            f"{files.label}: {LAYOUT} does not have {_LAYOUT_VERSION} 1.0.0, the only known "
            "version."
        )
    return ""


class _BundleContent(Struct, kw_only=True):
    """What the images of a bundle consist of.

    Attributes:
        blobs: Every blob, by the name of its file.
        contents: The blobs of each image, with their sizes.
        platforms: The platforms of each image, of those whose configs can be read.
        configs: The configs of all of them.
    """

    blobs: dict[str, Descriptor] = field(default_factory=dict)
    contents: dict[Digest, frozenset[tuple[Digest, int]]] = field(default_factory=dict)
    platforms: dict[Digest, tuple[str, ...]] = field(default_factory=dict)
    configs: set[Digest] = field(default_factory=set)

    def add(self, files: Files, root: Descriptor) -> None:
        """Add an image; raise SourceError where its manifests cannot be read."""
        documents = tuple(document for _, _, document in walk(files, root))
        own = tuple(blob for document in documents for blob in document.blobs)
        manifests = [each for each in documents if isinstance(each, Manifest)]
        self.configs |= {each.config.digest for each in manifests}
        with contextlib.suppress(SourceError):  # of a config, which is reported as a blob
            self.platforms[root.digest] = tuple(_platforms(files, manifests))
        self.blobs |= {blob_name(blob.digest): blob for blob in own}
        self.contents[root.digest] = frozenset((blob.digest, blob.size) for blob in own)


def problems(files: Files) -> Iterator[str]:
    """Yield a sentence for each problem of a bundle; every byte of it is read."""
    found = tuple(_problems(files))
    yield from found
    if not found and (lock := lock_of(files)):  # is there anything but what was read of it?
        yield from altered(files, lock)


def _problems(files: Files) -> Iterator[str]:
    if wrong := _layout_problem(files):
        yield wrong
    try:
        lock = lock_of(files)
        entries = listed_roots(files)
    except SourceError as error:
        yield error.what
        return
    tops = tuple(root for root in entries if isinstance(root, Descriptor))
    yield from (entry.what for entry in entries if isinstance(entry, SourceError))
    if lock is None:
        yield f"{files.label} has no {FILE}, which lists the images that it should hold."
    elsewhere = lock.elsewhere if lock else frozenset()
    held = _BundleContent()
    for root in tops:
        try:
            held.add(files, root)
        except SourceError as error:
            yield error.what
    for name, blob in held.blobs.items():
        if blob.digest in elsewhere and name not in files:
            continue
        try:
            files.check(name, blob)
        except SourceError as error:
            yield error.what
    yield from _wrong_pins(files, lock, tops)
    if lock:
        yield from _disagreements(files, lock, tops)
        yield from _wrong_sizes(files, lock, tops, held.contents)
        yield from _wrong_platforms(files, lock, held.platforms)
        digests = {blob.digest for blob in held.blobs.values()}
        yield from _wrong_elsewhere(files, lock, digests, held.configs)


def _wrong_pins(files: Files, lock: Lock | None, tops: Iterable[Descriptor]) -> Iterator[str]:
    """Yield each name that pins a digest which its image does not have, once."""
    called = [(name, root.digest) for root in tops for name in names(root)]
    called += [(each.name, each.root.digest) for each in lock.images] if lock else []
    for name, digest in dict.fromkeys(called):
        if wrong_pin((name,), digest):
            yield f"{files.label} has an image named {name} whose digest is {digest}."


def left_out(files: Files) -> int:
    """Return how many blobs a bundle leaves out, by its lock file; an older bundle has them."""
    try:
        lock = lock_of(files)
    except SourceError:  # which is reported as a problem
        return 0
    return sum(blob_name(each) not in files for each in lock.elsewhere) if lock else 0


def _platforms(files: Files, manifests: Iterable[Manifest]) -> Iterator[str]:
    """Yield what the images of some manifests run on, by their configs."""
    for manifest in manifests:
        if manifest.config.media_type in CONFIGS:
            with contextlib.suppress(ValueError):  # another artifact
                config = parse_config(files.document(blob_name(manifest.config.digest)))
                yield str(config.platform)


def _wrong_platforms(
    files: Files, lock: Lock, platforms: Mapping[Digest, tuple[str, ...]]
) -> Iterator[str]:
    for each in lock.images:
        found = platforms.get(each.root.digest, each.platforms)
        if sorted(found) != sorted(each.platforms):
            said, really = (", ".join(some) or "none" for some in (each.platforms, found))
            yield (
                f"{files.label}: {FILE} says that the platforms of {each.name} are {said}, but "
                f"its configs say {really}."
            )


def _wrong_elsewhere(
    files: Files, lock: Lock, needed: Collection[Digest], configs: Collection[Digest]
) -> Iterator[str]:
    """Yield what is wrong with the blobs that the lock file calls elsewhere.

    A bundle leaves out layers only, and only those that it does not have.
    """
    for digest in sorted(lock.elsewhere, key=str):
        if digest in configs:
            why = "is the config of an image, and must be in the bundle"
        elif digest not in needed:
            why = "belongs to none of its images"
        elif blob_name(digest) in files:
            why = "is in the bundle"
        else:
            continue
        yield f"{files.label}: {FILE} says that {digest} is in an older bundle, but it {why}."


def _wrong_sizes(
    files: Files,
    lock: Lock,
    tops: tuple[Descriptor, ...],
    contents: Mapping[Digest, frozenset[tuple[Digest, int]]],
) -> Iterator[str]:
    """Yield differences in sizes, media types or blobs between the lock file and the manifests."""
    roots_ = {root.digest: root for root in tops}
    for each in lock.images:
        root = roots_.get(each.root.digest)
        if root and (root.size, root.media_type) != (each.root.size, each.root.media_type):
            yield (
                f"{files.label}: {FILE} says that {each.name} is "
                f"{number(each.root.size, 'byte')} of {each.root.media_type}, and it is "
                f"{number(root.size, 'byte')} of {root.media_type}."
            )
        held = contents.get(each.root.digest, frozenset(each.blobs))
        for digest, size in sorted(frozenset(each.blobs) - held, key=str):
            yield (
                f"{files.label}: {FILE} says that {each.name} has a blob {digest} of {size} "
                "bytes, but its manifest does not."
            )
        for digest, size in sorted(held - frozenset(each.blobs), key=str):
            yield (
                f"{files.label}: {each.name} has a blob {digest} of {number(size, 'byte')}, but "
                f"{FILE} does not list it."
            )
    locked = {each.root.digest for each in lock.images}
    for digest in sorted(roots_.keys() - locked, key=str):
        yield f"{files.label} lists an image {digest}, but {FILE} does not."


def _disagreements(files: Files, lock: Lock, tops: tuple[Descriptor, ...]) -> Iterator[str]:
    listing = files.document(DOCKER_LIST) if DOCKER_LIST in files else b""
    if lock.docker_list and not lock.docker_list.matches(listing):
        yield f"{files.label}: {DOCKER_LIST} is damaged: it does not match {FILE}."
    counted = Counter(each.name for each in lock.images)
    for name in sorted(name for name, count in counted.items() if count > 1):
        yield f"{files.label}: {FILE} has {name} more than once."
    there = {(name, root.digest) for root in tops for name in names(root)}
    everything = {(each.name, each.root.digest) for each in lock.images}
    locked = {(name, digest) for name, digest in everything if "@" not in name}
    tops_there = {root.digest for root in tops}
    for each in lock.images:
        if "@" in each.name and each.root.digest not in tops_there:
            yield f"index.json of {files.label} does not list {each.name}, but {FILE} does."
    for name, digest in sorted(locked - there, key=str):
        yield f"index.json of {files.label} does not list {name} as {digest}, but {FILE} does."
    for name, digest in sorted(there - everything, key=str):
        yield f"{files.label} lists {name} as {digest}, but {FILE} does not."
