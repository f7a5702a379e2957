"""Push container images to registries without a logged-in Docker daemon, or any daemon.

What is in `__all__` is the library, which docs/api.md describes; every other name is private. It
is imported when it is first used: the command line, which lives in this package, too, needs little
of it, and most of its time goes into imports.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from dockless.version import __version__

if TYPE_CHECKING:
    from dockless.client.calls import mirror, open_image, push, verify
    from dockless.client.client import Client
    from dockless.errors import (
        AuthError,
        ConflictError,
        DocklessError,
        EngineError,
        ImmutableTagError,
        ManifestRefusedError,
        NetworkError,
        PartialError,
        PolicyError,
        PushError,
        RepositoryMissingError,
        SourceError,
        UsageError,
    )
    from dockless.model.mirrored import MirroredImage, MirrorResult
    from dockless.model.options import MirrorOptions, PushOptions
    from dockless.model.plan import BlobPlan, Plan, PushResult, TagPlan, Writers
    from dockless.model.secret import Credential, Secret
    from dockless.model.verified import Difference, VerifyResult
    from dockless.oci.content import Content
    from dockless.oci.digest import Digest
    from dockless.oci.manifest import Descriptor
    from dockless.oci.platform import Platform
    from dockless.oci.reference import Reference, Repository
    from dockless.ports import Image, Progress, Task
    from dockless.report.callback import ProgressEvent

__all__ = [
    "AuthError",
    "BlobPlan",
    "Client",
    "ConflictError",
    "Content",
    "Credential",
    "Descriptor",
    "Difference",
    "Digest",
    "DocklessError",
    "EngineError",
    "Image",
    "ImmutableTagError",
    "ManifestRefusedError",
    "MirrorOptions",
    "MirrorResult",
    "MirroredImage",
    "NetworkError",
    "PartialError",
    "Plan",
    "Platform",
    "PolicyError",
    "Progress",
    "ProgressEvent",
    "PushError",
    "PushOptions",
    "PushResult",
    "Reference",
    "Repository",
    "RepositoryMissingError",
    "Secret",
    "SourceError",
    "TagPlan",
    "Task",
    "UsageError",
    "VerifyResult",
    "Writers",
    "__version__",
    "mirror",
    "open_image",
    "push",
    "verify",
]

# where each name is, as the imports above say it to type checkers and to the import contracts
_MODULES = {
    "client.calls": ("mirror", "open_image", "push", "verify"),
    "client.client": ("Client",),
    "model.options": ("MirrorOptions", "PushOptions"),
    "model.verified": ("Difference", "VerifyResult"),
    "errors": (
        "AuthError",
        "ConflictError",
        "DocklessError",
        "EngineError",
        "ImmutableTagError",
        "ManifestRefusedError",
        "NetworkError",
        "PartialError",
        "PolicyError",
        "PushError",
        "RepositoryMissingError",
        "SourceError",
        "UsageError",
    ),
    "model.mirrored": ("MirrorResult", "MirroredImage"),
    "model.plan": ("BlobPlan", "Plan", "PushResult", "TagPlan", "Writers"),
    "model.secret": ("Credential", "Secret"),
    "oci.content": ("Content",),
    "oci.digest": ("Digest",),
    "oci.manifest": ("Descriptor",),
    "oci.platform": ("Platform",),
    "oci.reference": ("Reference", "Repository"),
    "ports": ("Image", "Progress", "Task"),
    "report.callback": ("ProgressEvent",),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
