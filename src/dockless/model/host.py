"""What a host has, and the ways in which it can push."""

from dataclasses import dataclass
from typing import Literal

Way = Literal["invoke", "copy", "relay", "tunnel"]


@dataclass(frozen=True, slots=True)
class Facts:
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
