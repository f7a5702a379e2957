"""The file that `--digest-file` names: it replaces digests, and nothing else.

skopeo, podman and crane write over whatever is there. An image's archive, a list or a key that was
given by mistake would be lost so; what they themselves wrote is replaced here, too.
"""

import errno
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from dockless.errors import PushError, UsageError
from dockless.oci.digest import Digest
from dockless.processes import pipes
from dockless.storage.output_files import refuse_stream

_LARGEST_BYTES = 1 << 20
_LINE = re.compile(rb"(?:[^\s@]+@)?[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}")


def check(path: Path) -> None:
    """See, before anything is pushed, that a file may be written.

    Raises:
        UsageError: It exists and holds something other than digests, or cannot be written.
    """
    refuse_stream(path, "--digest-file")
    try:
        kind = stat.S_IFMT(path.stat().st_mode)
        if _is_open_already(path) and not pipes.may_write(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        if kind == stat.S_IFDIR or (kind == stat.S_IFREG and not _is_open_already(path)):
            os.close(_opened(path, 0))
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", "Give --digest-file another path."
        ) from None


def write(path: Path, digests: Sequence[Digest]) -> None:
    """Write one digest per line.

    A device or a pipe, such as /dev/stderr, is written as it is; a pipe without a reader is not
    waited for.

    Raises:
        PushError: That is not possible.
        UsageError: The file was replaced by something other than digests in the meantime.
        NetworkError: The reader of a pipe stopped, and the command's time is over.
    """
    try:
        descriptor = _opened(path, os.O_CREAT)
        with os.fdopen(descriptor, "wb") as file:
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and not _is_open_already(path):
                file.truncate(0)
            data = b"".join(f"{digest}\n".encode() for digest in digests)
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                pipes.write(descriptor, data, str(path))
            else:
                os.set_blocking(descriptor, True)
                file.write(data)
    except OSError as error:
        unread = error.errno == errno.ENXIO
        why = "no process reads from that pipe" if unread else error.strerror
        raise PushError(f"{path} cannot be written: {why}.", "The push itself was done.") from None


def _is_open_already(path: Path) -> bool:
    """Whether a path stands for a file that is open, as /dev/stdout and /dev/fd/3 do."""
    return path.absolute().parts[1:2] in (("dev",), ("proc",))


def _opened(path: Path, flags: int) -> int:
    """Open a file for writing, once it is known to hold digests or nothing.

    Raises:
        UsageError: It holds something else.
        OSError: It cannot be opened.
    """
    checked = not _is_open_already(path) and (not path.exists() or path.is_file())
    flags |= os.O_NONBLOCK | os.O_NOCTTY
    if not checked:
        return pipes.open_to_write(path, os.O_APPEND | flags)
    descriptor = os.open(path, os.O_RDWR | flags, 0o666)
    try:
        _refuse_other_files(path, os.pread(descriptor, _LARGEST_BYTES + 1, 0))
        os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_other_files(path: Path, data: bytes) -> None:
    if len(data) > _LARGEST_BYTES or not all(map(_LINE.fullmatch, data.split())):
        raise UsageError(
            f"{path} exists and holds something other than digests.",
            "Give --digest-file another path, or move that file.",
        )
