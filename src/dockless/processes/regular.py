"""Small files that are named by others, read only if regular: a FIFO would block."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def open_regular(path: Path, *, follow: bool = True) -> BufferedReader:
    """Open a file for reading.

    Args:
        path: The file.
        follow: Whether it may be a symbolic link to one.

    Raises:
        OSError: It cannot be opened, or is a FIFO, a device, a socket, a folder, or a link that is
            not followed.
    """
    # without waiting for a writer, and without letting a terminal become ours
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY
    descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW)
    try:
        _refuse_others(os.fstat(descriptor).st_mode)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def _refuse_others(mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")


def read_regular(path: Path, *, follow: bool = True) -> bytes:
    """Return what is in a file; raise OSError as `open_regular` does."""
    with open_regular(path, follow=follow) as file:
        return file.read()


def read_given(path: Path) -> bytes:
    """Return what is in a file that was named on the command line.

    That may be a pipe which is open already, as in `--from <(grep shop list)` or of `/dev/stdin`;
    its opener writes to it. Other pipes and devices are refused as by `open_regular`.

    Raises:
        OSError: It cannot be read.
    """
    if path.absolute().parts[1:2] in (("dev",), ("proc",)):
        status = path.stat()
        if stat.S_ISFIFO(status.st_mode) or os.path.realpath(path) == os.devnull:
            return path.read_bytes()
    return read_regular(path)


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes to a file.

    Raises:
        OSError: They cannot be written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
