"""Images in OCI layouts, by the image-spec's image-layout.md; pushed unchanged."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from dockless.errors import AbsentError, SourceError
from dockless.model.counts import number
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    CONFIGS,
    CONTAINERD_NAME,
    MOST_DOCUMENTS,
    REF_NAME,
    Config,
    Descriptor,
    Index,
    Manifest,
    NoRootfsError,
    layer_compression,
    parse_config,
    parse_document,
)
from dockless.oci.platform import Platform
from dockless.sources.files import Files, missing

_DEEPEST = 8


def listed_roots(files: Files) -> tuple[Descriptor | SourceError, ...]:
    """Return the images that a layout's index.json lists; for a faulty descriptor, why.

    Raises:
        SourceError: It is not an index, or its only descriptor is faulty.
    """
    data = files.document("index.json")
    try:
        return _index(files, "index.json", data).manifests
    except SourceError:
        from dockless.sources.faulty_index import listed_each  # noqa: PLC0415 - rare

        found = listed_each(files.label, data)
        if found is None:
            raise
        return found


def roots(files: Files) -> tuple[Descriptor, ...]:
    """Return the images that a layout's index.json lists, without those that are faulty."""
    return tuple(root for root in listed_roots(files) if isinstance(root, Descriptor))


def names(root: Descriptor) -> tuple[str, ...]:
    """Return the names of an image in its layout: the full name first, then the ref.name."""
    known = (root.annotation(CONTAINERD_NAME), root.annotation(REF_NAME))
    return tuple(dict.fromkeys(name for name in known if name))


class PackedImage:
    """An image, or an index of several, that a layout holds as it will be pushed."""

    digest_is_new = False
    known_digest = None

    def __init__(self, files: Files, root: Descriptor) -> None:
        self._files = files
        self._root = root
        self._content: Content | None = None
        self._diff_ids: dict[Digest, Digest] = {}

    def content(self) -> Content:
        """Return the image with all its content; every manifest is checked."""
        if self._content is None:
            self._content = self._read()
        return self._content

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return a checked file for each of these blobs.

        Raises:
            AbsentError: The layout lacks one.
            SourceError: One is damaged.
        """
        for digest, error in self.absent().items():
            if digest in digests:
                raise error
        wanted = [blob for blob in self.content().blobs if blob.digest in digests]
        return {
            blob.digest: self._files.blob(
                blob_name(blob.digest), blob, self._diff_ids.get(blob.digest)
            )
            for blob in wanted
        }

    def has(self, digest: Digest) -> bool:
        """Whether the layout has a blob; not where a link to it leads out of the layout."""
        try:
            return blob_name(digest) in self._files
        except SourceError:
            return False

    def check(self, digest: Digest) -> None:
        """Read one of its blobs through; nothing is staged.

        Raises:
            AbsentError: The layout lacks it.
            SourceError: It is damaged, or cannot be read.
        """
        if error := self.absent().get(digest):
            raise error
        for blob in self.content().blobs:
            if blob.digest == digest:
                self._files.check(blob_name(digest), blob)

    def absent(self) -> Mapping[Digest, AbsentError]:
        """Return the blobs that the layout lacks, and what to do about each.

        Raises:
            SourceError: One is a link that leads out of the layout, so that none is used.
        """
        lost = [
            each.digest
            for each in self.content().blobs
            if blob_name(each.digest) not in self._files
        ]
        elsewhere = _elsewhere(self._files) if lost else frozenset()
        return {
            digest: _left_out(self._files, digest)
            if digest in elsewhere
            else missing(self._files.label, blob_name(digest))
            for digest in lost
        }

    def _read(self) -> Content:
        documents: dict[Digest, bytes] = {}
        blobs: dict[Digest, Descriptor] = {}
        platforms: list[Platform] = []
        configs: list[Digest] = []
        root = self._root
        for descriptor, data, document in walk(self._files, self._root):
            if descriptor is self._root:  # an index may be called a manifest
                root = replace(root, media_type=document.media_type)
            documents[descriptor.digest] = data
            blobs |= {blob.digest: blob for blob in document.blobs}
            if isinstance(document, Manifest):
                configs.append(document.config.digest)
                platforms += self._config(document)
        image_id = configs[0] if len(configs) == 1 else None
        return Content(
            root=root,
            documents=documents,
            blobs=tuple(blobs.values()),
            image_id=image_id,
            platforms=tuple(platforms),
        )

    def _config(self, manifest: Manifest) -> list[Platform]:
        if manifest.config.media_type not in CONFIGS:
            return []
        label = f"{self._files.label}: {blob_name(manifest.config.digest)}"
        config = config_of(self._files, manifest)
        if config is None:
            return []
        layers = [layer for layer in manifest.layers if layer_compression(layer.media_type)]
        if len(config.diff_ids) == len(manifest.layers):
            # an encrypted layer among the others is compared by whoever decrypts it
            self._diff_ids |= {
                layer.digest: diff_id
                for layer, diff_id in zip(manifest.layers, config.diff_ids, strict=True)
                if layer in layers
            }
        elif config.diff_ids and (layers or not manifest.layers):
            raise SourceError(
                f"{label} lists {number(len(config.diff_ids), 'layer')}, but its manifest lists "
                f"{len(manifest.layers)}."
            )
        return [config.platform]


class CarriedImage(PackedImage):
    """The same, transferred unchanged: it is identified by digests, independent of its config.

    So no layer is decompressed, and other artifacts than images are transferred, too.
    """

    def _config(self, manifest: Manifest) -> list[Platform]:
        if manifest.config.media_type not in CONFIGS:
            return []
        try:
            return [parse_config(checked(self._files, manifest.config)).platform]
        except ValueError:
            return []


def walk(
    files: Files, root: Descriptor, depth: int = 0, seen: set[Digest] | None = None
) -> Iterator[tuple[Descriptor, bytes, Manifest | Index]]:
    """Yield every manifest and index from the root down once, checked against its descriptor.

    Args:
        files: The layout.
        root: Where it begins.
        depth: How many indexes lead there.
        seen: What was yielded before.

    Raises:
        SourceError: One is missing or damaged, or they are too many or too deep.
    """
    seen = visited(files, root, depth, set() if seen is None else seen)
    data = checked(files, root)
    document = parsed(files, root, data)
    yield root, data, document
    for child in document.children:
        if child.digest not in seen:
            if blob_name(child.digest) not in files:
                raise _absent(files, child)
            yield from walk(files, child, depth + 1, seen)


def visited(files: Files, root: Descriptor, depth: int, seen: set[Digest]) -> set[Digest]:
    """Return the seen digests with one more; raise SourceError where there are too many."""
    if depth > _DEEPEST:
        raise SourceError(f"{files.label} nests indexes more than {_DEEPEST} deep.")
    seen.add(root.digest)
    if len(seen) > MOST_DOCUMENTS:
        raise SourceError(f"An image of {files.label} has more than {MOST_DOCUMENTS} manifests.")
    return seen


def parsed(files: Files, root: Descriptor, data: bytes) -> Manifest | Index:
    """Return a manifest or index of a layout; raise SourceError where it cannot be pushed."""
    try:
        return parse_document(data)
    except ValueError as error:
        name = blob_name(root.digest)
        raise SourceError(f"{files.label}: {name} cannot be pushed: {error}.") from None


def config_of(files: Files, manifest: Manifest) -> Config | None:
    """Return an image's config; None for one, such as `{}`, that says nothing of layers."""
    data = checked(files, manifest.config)
    try:
        return parse_config(data)
    except NoRootfsError:
        return None
    except ValueError as error:
        label = f"{files.label}: {blob_name(manifest.config.digest)}"
        raise SourceError(f"{label} is not an image config: {error}.") from None


def blob_name(digest: Digest) -> str:
    """Return where a layout keeps a blob."""
    return f"blobs/{digest.algorithm}/{digest.hex}"


def checked(files: Files, descriptor: Descriptor) -> bytes:
    """Return a small blob of a layout; raise SourceError where it is not what is described."""
    name = blob_name(descriptor.digest)
    data = files.document(name)
    if not descriptor.digest.matches(data):
        raise SourceError(
            f"{files.label}: {name} is damaged: it does not match its digest.",
            "Create or copy it again.",
        )
    if len(data) != descriptor.size:  # the image-spec, descriptor.md: such content is not trusted
        raise SourceError(
            f"{files.label}: {name} has {number(len(data), 'byte')}, and matches its digest, but "
            f"its descriptor gives a size of {descriptor.size}.",
            "Correct the size in the manifest or index that refers to it, or create it again.",
        )
    return data


def _index(files: Files, name: str, data: bytes) -> Index:
    try:
        document = parse_document(data)
    except ValueError as error:
        raise SourceError(
            f"{files.label}: {name} is not an image index: {error}.", "Create or copy it again."
        ) from None
    if not isinstance(document, Index):
        raise SourceError(
            f"{files.label}: {name} is a manifest, not an image index.", "Create or copy it again."
        )
    return document


def _elsewhere(files: Files) -> frozenset[Digest]:
    """Return the layers that a bundle leaves out, since an older one has them."""
    from dockless.model.lock import FILE as LOCK  # noqa: PLC0415 - rare
    from dockless.model.lock import read_lock  # noqa: PLC0415 - the same

    try:
        return read_lock(files.document(LOCK)).elsewhere if LOCK in files else frozenset()
    except ValueError:
        return frozenset()


def _left_out(files: Files, digest: Digest) -> AbsentError:
    return AbsentError(
        f"{files.label} was made with --since and leaves out {digest}, which its image needs and "
        "neither another source of this run nor the target has.",
        "Name the older bundle as a source of the same command, too, or mirror it first, with the "
        "same --to.",
    )


def _absent(files: Files, child: Descriptor) -> SourceError:
    platform = f" for {child.platform}" if child.platform else ""
    return SourceError(
        f"{files.label} lists an image{platform} ({child.digest}) that it does not contain.",
        "Push one that is there with --platform, or save the image with all its platforms.",
    )
