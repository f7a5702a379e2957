"""Files that exist in memory only, for one child to read."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dockless.model.secret import Secret


@contextmanager
def in_memory(content: Secret) -> Iterator[int]:
    """Yield a file descriptor that a child inherits and opens as `/dev/fd/N`; close it afterwards.

    On Linux it is a sealed memfd, which can be read any number of times. Elsewhere it is a pipe,
    which can be read once, and takes no more than its buffer holds (16 KiB on macOS).
    """
    data = content.reveal().encode()
    descriptor = _memfd(data) if sys.platform == "linux" else _pipe(data)
    try:
        os.set_inheritable(descriptor, True)  # noqa: FBT003  # the signature is Python's
        yield descriptor
    finally:
        os.close(descriptor)


if sys.platform == "linux":
    _SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL

    def _memfd(data: bytes) -> int:
        descriptor = os.memfd_create("authfile", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        with os.fdopen(descriptor, "wb", closefd=False) as file:
            file.write(data)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, _SEALS)
        return descriptor


def _pipe(data: bytes) -> int:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # too much is an error, not a wait for ever
    with os.fdopen(writer, "wb") as file:
        file.write(data)
    return reader
