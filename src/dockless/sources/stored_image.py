"""Images of a Docker, or a nerdctl, with containerd's image store: pushed unchanged.

Such a store keeps the manifest or index, and the layers, as they were pulled, loaded or built. The
image's ID is the digest of that manifest or index, and `docker images --digests` shows the same.
What `docker save` writes is an OCI layout with these very bytes; where blobs were never fetched it
leaves them out, and ends well all the same (moby issue 49784).
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct

from dockless.errors import AbsentError, SourceError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    MOST_DOCUMENTS,
    Descriptor,
    Index,
    Manifest,
    layer_compression,
    parse_document,
)
from dockless.oci.platform import Platform
from dockless.sources.files import Documents, Files, missing
from dockless.sources.local_images import LocalImage
from dockless.sources.oci_layout import PackedImage, blob_name, roots
from dockless.sources.platform_choice import pick
from dockless.storage.staging import Layer, Staging


def stored_root(files: Files, image_id: Digest) -> Descriptor | None:
    """Return the manifest or index whose digest is the image's ID; None where there is none.

    The classic store's IDs are digests of configs, so that there never is.
    """
    listed = roots(files) if "index.json" in files else ()
    return next((root for root in listed if root.digest == image_id), None)


class StoredImage(PackedImage):
    """An image that was saved from such a store.

    Args:
        files: What was saved.
        found: The image as its tool has it.
        root: Its manifest or index.
        platform: Which platform's image, of several; None for all.
    """

    def __init__(
        self, files: Files, found: LocalImage, root: Descriptor, platform: Platform | None
    ) -> None:
        super().__init__(files, pick(files, root, platform))
        self._whole = root
        self._found = found

    def content(self) -> Content:
        """Return the image with all its content; every manifest is checked."""
        try:
            return super().content()
        except SourceError as error:
            raise incomplete(self._files, self._found, self._whole) or error from None

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return a checked file for each of these blobs."""
        try:
            return super().paths(digests)
        except AbsentError as error:
            absent = incomplete(self._files, self._found, self._whole, AbsentError)
            raise absent or error from None

    def remember(self, staging: Staging) -> None:
        """Keep what `remembered` needs, and check the blobs that are there against the diffIDs.

        Raises:
            SourceError: One is not what the image's config says.
        """
        content = self.content()
        self.paths([each.digest for each in content.blobs if blob_name(each.digest) in self._files])
        for digest in (self._whole.digest, *content.documents, *content.configs()):
            name = blob_name(digest)
            if name in self._files:
                staging.document(self._files.document(name), offered=False)

    @property
    def has_plain_layers(self) -> bool:
        """Whether any layer is not compressed."""
        return any(layer_compression(blob.media_type) == "none" for blob in self.content().blobs)


def incomplete(
    files: Documents, found: LocalImage, root: Descriptor, kind: type[SourceError] = SourceError
) -> SourceError | None:
    """Return the error for an image whose store lacks blobs; None where it lacks none.

    Args:
        files: What was saved.
        found: The image as its tool has it.
        root: Its manifest or index.
        kind: What the error is.
    """
    parts = tuple(_parts(files, root))
    there = [part.platform for part in parts if part.complete and part.platform]
    lacking = [part.platform for part in parts if not part.complete]
    if not lacking:
        return None
    tool, name = found.tool, found.name
    named = "" if name.removeprefix("sha256:") in str(found.image_id) else f" {name}"
    absent = ", ".join(str(each) for each in lacking if each)
    whose = f" for {absent}" if absent else ""
    only = f" --platform {absent.partition(',')[0]}" if absent and there else ""
    fetch = f"fetch it with '{tool} pull{only}{named}', or build or load the image again."
    remedy = f"To have it, {fetch}"
    if there:
        remedy = f"Push what is there with --platform {there[0]}. To have all of it, {fetch}"
    return kind(
        f"{tool} lists the image {name}, but lacks blobs of it{whose}: they were never fetched, "
        "so saving it again does not help.",
        remedy,
    )


def remembered(image_id: Digest, staging: Staging, platform: Platform | None) -> Content | None:
    """Return the content of an image by its manifest or index, if that was saved before."""
    data = staging.read(image_id) or b""
    try:
        root = Descriptor(
            media_type=parse_document(data).media_type, digest=image_id, size=len(data)
        )
        files = _Staged(staging, str(image_id))
        return PackedImage(files, pick(files, root, platform)).content()
    except (ValueError, SourceError):
        return None


class _IndexedImage(Struct, frozen=True):
    """One image of an index.

    Attributes:
        platform: What it is for; None where the index does not say.
        complete: Whether its manifest, its config and its layers are all there.
    """

    platform: Platform | None
    complete: bool


def _parts(
    files: Documents, root: Descriptor, seen: set[Digest] | None = None
) -> Iterator[_IndexedImage]:
    seen = set() if seen is None else seen
    seen.add(root.digest)
    name = blob_name(root.digest)
    platform = root.platform if root.platform and root.platform.os != "unknown" else None
    try:
        document = parse_document(files.document(name)) if name in files else None
    except ValueError:  # it is there, and damaged
        return
    if isinstance(document, Index):
        for child in document.children:
            if child.digest not in seen and len(seen) < MOST_DOCUMENTS:
                yield from _parts(files, child, seen)
        return
    blobs = (document.config, *document.layers) if isinstance(document, Manifest) else ()
    held = (blob.foreign or blob_name(blob.digest) in files for blob in blobs)
    yield _IndexedImage(platform, document is not None and all(held))


class _Staged:
    """The manifests and configs that the staging area and its store have, as `Files`.

    Attributes:
        label: The source's name in messages.
    """

    is_tar = False

    def __init__(self, staging: Staging, label: str) -> None:
        self.label = label
        self._staging = staging

    def _path(self, name: str) -> Path:
        path = self._found(name)
        if path is None:
            raise missing(self.label, name)
        return path

    def _found(self, name: str) -> Path | None:
        algorithm, _, encoded = name.removeprefix("blobs/").partition("/")
        return self._staging.path(Digest.parse(f"{algorithm}:{encoded}"))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._found(name) is not None

    @property
    def names(self) -> Collection[str]:
        """None that could be listed."""
        return ()

    def document(self, name: str) -> bytes:
        """Return a small file."""
        return self._path(name).read_bytes()

    def size(self, name: str) -> int:
        """Return a file's length in bytes."""
        return self._path(name).stat().st_size

    def layer(self, name: str) -> Layer:
        """Raise an error: nothing here is to be compressed."""
        raise missing(self.label, name)

    def blob(self, name: str, blob: Descriptor, diff_id: Digest | None) -> Path:
        """Return a staged file, which was checked when it was staged."""
        del diff_id
        path = self._staging.path(blob.digest, blob.size)
        if path is None:
            raise missing(self.label, name)
        return path

    def check(self, name: str, blob: Descriptor) -> None:
        """Raise an error for a file that is not there; others were checked when staged."""
        del blob
        self._path(name)
