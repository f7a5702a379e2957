"""What a host has, and the ways in which it can push."""

from typing import Literal

from msgspec import Struct

from dockless.errors import DocklessError
from dockless.model.server import Server
from dockless.oci.digest import Digest

Way = Literal["invoke", "copy", "relay", "tunnel"]


class Facts(Struct, frozen=True):
    """What a host says of itself.

    Attributes:
        user: The account that we are there.
        home: Its home folder.
        system: The kernel, such as `Linux`.
        machine: The processor, such as `x86_64`.
        libc: The version of glibc; empty where there is none.
        clock: Seconds since 1970.
        folder: Our private folder there.
        runs: Whether programs may be run from it.
        free: Bytes that are free in it.
        programs: The programs that were found, of those that matter, each with its path.
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


class HostResult(Struct, frozen=True):
    """What became of one host.

    Attributes:
        server: The host.
        way: How it pushed; empty when it did not come to that.
        why: Why this way, in words.
        digest: The digest of the manifest or index that it brought; None for none.
        sent: Bytes that went to the registry.
        unchanged: Whether every tag named it already.
        seconds: How long it took.
        error: Why it failed; None when all went well.
        residue: What of ours was left there; None when nobody could look.
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
