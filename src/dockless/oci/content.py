"""What is pushed: one manifest or index and everything that it refers to."""

from collections.abc import Callable, Mapping
from pathlib import Path

from msgspec import Struct, field

from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    CONFIGS,
    Config,
    Descriptor,
    Manifest,
    parse_config,
    parse_document,
)
from dockless.oci.platform import Platform
from dockless.oci.reference import Repository


class Content(Struct, frozen=True, kw_only=True):
    """A manifest or index as bytes, with everything that it refers to.

    Attributes:
        root: The descriptor of the manifest or index that is pushed; its digest is the image's.
        documents: Every manifest and index reached from the root, itself included, as raw bytes.
        blobs: Every config and layer reached from the root, and what else an index lists, each
            once, in the order of use.
        image_id: The digest of the config where there is one image, else None.
        platforms: What the image runs on; several for an index.
    """

    root: Descriptor
    documents: Mapping[Digest, bytes]
    blobs: tuple[Descriptor, ...]
    image_id: Digest | None
    platforms: tuple[Platform, ...]

    def configs(self) -> frozenset[Digest]:
        """Return the digests of what the manifests name as their config, whatever its type."""
        documents = map(parse_document, self.documents.values())
        return frozenset(each.config.digest for each in documents if isinstance(each, Manifest))

    def foreign_blobs(self) -> tuple[Descriptor, ...]:
        """Return the non-distributable layers of the manifests, which `blobs` does not have."""
        documents = map(parse_document, self.documents.values())
        manifests = (each for each in documents if isinstance(each, Manifest))
        return tuple(blob for each in manifests for blob in each.layers if blob.foreign)

    def refers(self) -> bool:
        """Whether any of the manifests has a subject: it is a signature or an SBOM, for example."""
        return any(parse_document(data).subject for data in self.documents.values())

    def children_first(self) -> tuple[Digest, ...]:
        """Return the documents' digests, each after every document that it refers to."""
        order: dict[Digest, None] = {}

        def visit(digest: Digest) -> None:
            for child in parse_document(self.documents[digest]).children:
                if child.digest not in order:
                    visit(child.digest)
            order[digest] = None

        visit(self.root.digest)
        return tuple(order)


class Presence(Struct, frozen=True):
    """A registry's state of blobs.

    Attributes:
        there: Those that a repository has, as long as they should be, or of which no length is
            said.
        damaged: The reported length in bytes of each blob that is there with a wrong one.
    """

    there: frozenset[Digest] = frozenset()
    damaged: Mapping[Digest, int] = field(default_factory=dict)

    def __or__(self, other: "Presence") -> "Presence":
        return Presence(self.there | other.there, {**self.damaged, **other.damaged})

    def fault(self, blob: Descriptor, repository: Repository) -> str:
        """Return what is wrong with a blob, as a sentence without its full stop; empty for nothing.

        Args:
            blob: One of those that were asked for.
            repository: Where it was asked for.
        """
        if blob.digest in self.there:
            return ""
        if blob.digest not in self.damaged:
            return f"{repository.host} does not have the blob {blob.digest} of {repository}"
        size = self.damaged[blob.digest]
        return (
            f"{repository.host} has a damaged copy of the blob {blob.digest} of {repository}: "
            f"{size} byte{'' if size == 1 else 's'} in place of {blob.size}"
        )


def single(root: Descriptor, manifest: bytes, config: bytes) -> Content:
    """Return the content of one image, from its manifest's and config's bytes."""
    document = parse_document(manifest)
    if not isinstance(document, Manifest):
        raise ValueError("it is an index, not a manifest")
    is_image = document.config.media_type in CONFIGS
    known: Config | None = parse_config(config) if is_image else None
    blobs = dict.fromkeys((document.config, *document.layers))
    return Content(
        root=root,
        documents={root.digest: manifest},
        blobs=tuple({blob.digest: blob for blob in blobs}.values()),
        image_id=document.config.digest,
        platforms=(known.platform,) if known else (),
    )


class StagedImage(Struct, frozen=True, kw_only=True):
    """An image, and the files of those of its blobs that a writer may have to send.

    Attributes:
        content: The image.
        blobs: A file for each blob that the registry may lack; it has the others.
        layout: Returns an OCI layout of the content and these blobs, for writers that read one. It
            is written when it is first asked for.
        missing: The blobs that the registry certainly lacks; None where a writer has to ask.
    """

    content: Content
    blobs: Mapping[Digest, Path]
    layout: Callable[[], Path]
    missing: frozenset[Digest] | None = None
