"""What a host has, and the outcome of its push."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from dockless.errors import DocklessError
from dockless.model.builder import BuildPlan
from dockless.model.server import Server
from dockless.oci.digest import Digest

TransferMethod = Literal["invoke", "copy", "relay", "tunnel"]


class RegistryThere(Struct, frozen=True, kw_only=True):
    """How an engine on a host reaches the registry.

    Attributes:
        environment: Variables that lead it there.
        host: The `host:port` that it has there; empty for its own.
    """

    environment: Mapping[str, str] = {}
    host: str = ""


class Facts(Struct, frozen=True, kw_only=True):
    """The facts that a host reports.

    Attributes:
        user: The account on the host.
        home: Its home folder.
        system: The kernel, such as `Linux`.
        machine: The processor, such as `x86_64`.
        libc: The version of glibc; empty where there is none.
        clock: Seconds by which its clock is ahead of ours; 0 where they agree to the second.
        folder: Our private folder there.
        runs: Whether programs can be run from it.
        free: Bytes that are free in it.
        programs: The programs that were found, of those that matter, each with its path.
        container_store: Whether the account has a store of podman and buildah, which make one as
            soon as they are asked for an image.
    """

    user: str
    home: str
    system: str
    machine: str
    libc: str
    clock: float
    folder: str
    runs: bool
    free: int
    programs: dict[str, str]
    container_store: bool = True


class Exported(Struct, frozen=True, kw_only=True):
    """An image in a file or folder of the host.

    Attributes:
        path: Where it is.
        is_layout: Whether it is an OCI layout, else a docker-archive.
        names: Its names where it came from; none for a layout, whose index has them.
        source: What has it by these names, for messages.
    """

    path: str
    is_layout: bool
    names: tuple[str, ...] = ()
    source: str = ""


class HostResult(Struct, frozen=True, kw_only=True):
    """The outcome of one host.

    Attributes:
        server: The host.
        way: The transfer method; empty when none was chosen.
        why: The reason for it, as text.
        digest: The digest of the manifest or index that it pushed; None for none.
        sent: Bytes that went to the registry.
        unchanged: Whether every tag already referred to it.
        seconds: How long it took.
        error: Why it failed; None when all went well.
        residue: The files left there; None when that could not be checked.
        image_id: What a container tool there knows the image by; None where that is not known.
        build: How the image would be built, in a dry run; None for one that is there.
        was_started: Whether anything was tried; not where too many others had failed before.
    """

    server: Server
    way: str = ""
    why: str = ""
    digest: Digest | None = None
    sent: int = 0
    unchanged: bool = False
    seconds: float = 0.0
    error: DocklessError | None = None
    residue: tuple[str, ...] | None = None
    image_id: Digest | None = None
    build: BuildPlan | None = None
    was_started: bool = True
