"""Tell configs and layers apart."""

from dockless.model.content import Content
from dockless.model.digest import Digest
from dockless.model.manifest import Descriptor, Manifest, parse_document
from dockless.model.plan import Plan


def config_digests(content: Content) -> frozenset[Digest]:
    """Return the digests of the blobs that a manifest names as its config.

    The media type does not tell, since artifacts have configs of any type.
    """
    documents = (parse_document(data) for data in content.documents.values())
    return frozenset(
        document.config.digest for document in documents if isinstance(document, Manifest)
    )


def missing_layers(plan: Plan) -> tuple[Descriptor, ...]:
    """Return the layers that the registry lacks."""
    configs = config_digests(plan.content)
    return tuple(blob for blob in plan.missing if blob.digest not in configs)
