"""Reading an image back from a registry, to verify that all of it is there."""

from functools import partial

from dockless.errors import PushError
from dockless.oci.content import Content, Presence
from dockless.oci.digest import Digest
from dockless.oci.manifest import MOST_DOCUMENTS, Descriptor, Index, Manifest, parse_document
from dockless.oci.reference import Repository
from dockless.ports import Registry
from dockless.retry import RetryPolicy


def read_back(
    registry: Registry, repository: Repository, root: Digest, retry_policy: RetryPolicy
) -> Content | None:
    """Return an image as the registry has it; None when it has no manifest of this digest.

    Whether the registry has its blobs is not looked at; see `complete`. The platforms are those
    that its indexes tell; an image alone has its own in its config, which is not read.

    Raises:
        PushError: A manifest that an index leads to is missing, or is something else.
    """
    documents: dict[Digest, bytes] = {}
    blobs: dict[Digest, Descriptor] = {}
    children: list[Descriptor] = []
    waiting = [root]
    top: Manifest | Index | None = None
    while waiting:
        digest = waiting.pop()
        if digest in documents:
            continue
        if len(documents) >= MOST_DOCUMENTS:
            raise PushError(f"{root} of {repository} has more than {MOST_DOCUMENTS} manifests.")
        data = retry_policy.call(partial(registry.manifest, repository, digest))
        if data is None and digest == root:
            return None
        document = _parsed(repository, digest, data)
        top = top or document
        documents[digest] = data or b""
        if isinstance(document, Index):
            children += document.manifests
        waiting += [child.digest for child in document.children]
        blobs |= {blob.digest: blob for blob in document.blobs}
    if top is None:
        return None
    descriptor = Descriptor(media_type=top.media_type, digest=root, size=len(documents[root]))
    image_id = top.config.digest if isinstance(top, Manifest) else None
    platforms = tuple(each.platform for each in children if each.platform)
    return Content(
        root=descriptor,
        documents=documents,
        blobs=tuple(blobs.values()),
        image_id=image_id,
        platforms=platforms,
    )


def complete(
    registry: Registry, repository: Repository, content: Content, retry_policy: RetryPolicy
) -> None:
    """Raise PushError when the registry lacks a blob of an image, or has one of another length."""
    faults = blob_faults(registry, repository, content, retry_policy)
    if faults:
        raise PushError(
            f"{faults[0]}.",
            "Push again; if that does not help, the registry is losing data.",
        )


def blob_faults(
    registry: Registry, repository: Repository, content: Content, retry_policy: RetryPolicy
) -> tuple[str, ...]:
    """Return the problems of an image's blobs, as sentences without their full stops.

    The registry is asked by HEAD, which proves that a blob is there and, where the registry says
    so, how long it is; not what is in it.
    """
    answered: dict[Digest, Presence] = {}
    found = retry_policy.call(lambda: registry.existing_blobs(repository, content.blobs, answered))
    return tuple(filter(None, (found.fault(blob, repository) for blob in content.blobs)))


def _parsed(repository: Repository, digest: Digest, data: bytes | None) -> Manifest | Index:
    try:
        return parse_document(data or b"")
    except ValueError:
        raise PushError(
            f"{repository.host} does not have the manifest {digest} of {repository}, or returns "
            "other content.",
            "Push again.",
        ) from None
