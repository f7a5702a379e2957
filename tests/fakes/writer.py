"""A writer of images to the registry in memory."""

from dockless.errors import PushError
from dockless.oci.content import Content, StagedImage
from dockless.oci.reference import Repository
from dockless.ports import Task, Written
from dockless.storage.oci_layout import blob_path
from fakes.journal import Journal
from fakes.registry import FakeRegistry


class FakeWriter:
    """The writer, as a `ports.ImageWriter`; it writes nothing that lacks a part, as real ones.

    Attributes:
        images: What it was to write, each time.
    """

    name = tagger = "fake"

    def __init__(self, registry: FakeRegistry, journal: Journal | None = None) -> None:
        self._registry = registry
        self._journal = journal or Journal()
        self.images: list[StagedImage] = []

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        """Write what a layout of the image holds."""
        self.images.append(image)
        content, layout = image.content, image.layout()
        self._journal.step("push")
        held = self._registry.repositories[repository]
        for blob in content.blobs:
            if blob.digest not in held.blobs or blob.digest in held.lengths:
                path = blob_path(layout, blob.digest)
                if not path.exists() or not blob.digest.matches(path.read_bytes()):
                    raise PushError(f"The layout lacks {blob.digest}.")
                sending.advance(blob.size)
                held.blobs.add(blob.digest)
                held.lengths.pop(blob.digest, None)
        for digest in content.children_first():
            held.manifests[digest] = blob_path(layout, digest).read_bytes()
        return Written(writer=self.name)

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Make the tag name the image."""
        self._journal.step(f"move {tag}")
        held = self._registry.repositories[repository]
        root = content.root
        if root.digest not in held.manifests:
            raise PushError(f"{repository} lacks {root.digest}.")
        held.tags[tag] = root.digest
