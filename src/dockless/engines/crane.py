"""crane's command line, as pure functions."""

from pathlib import Path

from dockless.model.endpoint import Endpoint
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference


def push_argv(layout: Path, target: Reference, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the arguments that push a layout of one image or index."""
    return ("push", *_insecure(endpoint), str(layout), str(target))


def pull_argv(source: Reference, layout: Path, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the arguments that pull an image or index into a layout, unchanged."""
    return ("pull", *_insecure(endpoint), "--format", "oci", str(source), str(layout))


def tag_argv(source: Reference, tag: str, endpoint: Endpoint) -> tuple[str, ...]:
    """Return the arguments that tag the digest of `source`."""
    return ("tag", *_insecure(endpoint), str(source), tag)


def reported_digest(stdout: str) -> Digest | None:
    """Return the digest in the `repository@digest` that crane prints after a push."""
    try:
        return Digest.parse(stdout.strip().rpartition("@")[2])
    except ValueError:
        return None


def _insecure(endpoint: Endpoint) -> tuple[str, ...]:
    return ("--insecure",) if endpoint.plain_http else ()
