"""Files that get their final name, as the kernel tells it: none is missed, none counted twice."""

import contextlib
import ctypes
import os
import struct
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

_MOVED_TO = 0x80
_NONBLOCK = os.O_NONBLOCK
_HEADER = struct.Struct("iIII")
_BUFFER_BYTES = 1 << 20


@contextlib.contextmanager
def renames_into(folder: Path) -> Iterator[Callable[[], Counter[str]]]:
    """Watch a folder that exists; yield what returns how often each name was given so far."""
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init1(_NONBLOCK)
    if watch < 0 or libc.inotify_add_watch(watch, os.fsencode(folder), _MOVED_TO) < 0:
        raise OSError(ctypes.get_errno(), "inotify cannot watch", str(folder))
    seen: Counter[str] = Counter()

    def count() -> Counter[str]:
        with contextlib.suppress(BlockingIOError):
            while data := os.read(watch, _BUFFER_BYTES):
                seen.update(_names(data))
        return seen

    try:
        yield count
    finally:
        os.close(watch)


def _names(data: bytes) -> Iterator[str]:
    while data:
        length = _HEADER.unpack_from(data)[3]
        yield os.fsdecode(data[_HEADER.size : _HEADER.size + length].rstrip(b"\0"))
        data = data[_HEADER.size + length :]
