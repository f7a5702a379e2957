"""Whether a program of this machine runs on another one."""

import functools
import re
import struct
from pathlib import Path

from msgspec import Struct

_HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_INTERPRETER = 3
_LITTLE_64 = b"\x7fELF\x02\x01"
_MACHINES = {62: ("x86_64", "amd64"), 183: ("aarch64", "arm64"), 243: ("riscv64",)}
_GLIBC = re.compile(rb"\0GLIBC_(\d+)\.(\d+)")


class Needs(Struct, frozen=True):
    """What a program needs of a machine.

    Attributes:
        machines: The names of its processor, any of which will do; empty when it is unknown.
        glibc: The oldest glibc that will do; None for a static program, which needs none.
    """

    machines: tuple[str, ...]
    glibc: tuple[int, int] | None


@functools.cache
def needs(program: Path) -> Needs:
    """Read a program's ELF header (elf(5)), and the versions of glibc that it names.

    A program that is not a little-endian 64-bit ELF file counts as not portable.
    """
    data = program.read_bytes()
    if not data.startswith(_LITTLE_64):
        return Needs((), None)
    header = _HEADER.unpack_from(data)
    machine, offset, size, count = header[2], header[5], header[9], header[10]
    segments = (_SEGMENT.unpack_from(data, offset + number * size) for number in range(count))
    dynamic = any(segment[0] == _INTERPRETER for segment in segments)
    named = [(int(found[1]), int(found[2])) for found in _GLIBC.finditer(data)] or [(2, 0)]
    return Needs(_MACHINES.get(machine, ()), max(named) if dynamic else None)


def misfit(program: Path, system: str, machine: str, libc: str) -> str:
    """Return why a program does not run on a machine, as part of a sentence; empty when it does.

    Args:
        program: The program.
        system: The machine's kernel, as `uname -s` says it.
        machine: Its processor, as `uname -m` says it.
        libc: Its version of glibc; empty where it has none.
    """
    wanted = needs(program)
    if system != "Linux" or machine not in wanted.machines:
        return f"{program} is not for {system} on {machine}"
    if wanted.glibc is None:
        return ""
    shown = ".".join(map(str, wanted.glibc))
    has = tuple(int(part) for part in libc.split(".")[:2] if part.isdecimal())
    return "" if has >= wanted.glibc else f"{program} needs glibc {shown}, it has {libc or 'none'}"
