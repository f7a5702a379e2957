"""Errors of a process that has reached a limit of the system, which are not bugs."""

import errno
import os

from dockless.errors import PushError

_LIMITS = {
    errno.EAGAIN: "the number of processes and threads (ulimit -u, or the container's pids limit)",
    errno.EFBIG: "the size of a file (ulimit -f, or that of the file system)",
    errno.EMFILE: "the number of open files (ulimit -n)",
    errno.ENFILE: "the number of open files of the whole system (fs.file-max)",
    errno.ENOMEM: "memory",
}
_NO_THREAD = "can't start new thread"
_NO_MEMORY_FOR_MODULE = ("failed to map segment", "cannot allocate memory")  # the dynamic linker's
_MOST_CAUSES = 20


def limit_reached(error: BaseException) -> PushError | None:
    """Return the error for a limit that was reached; None where there was none.

    Args:
        error: How the command ended; what it was raised from, or during, counts as well.
    """
    at: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if at is None:
            break
        if found := _code(at):
            return PushError(
                f"This process has reached a limit of the system: {os.strerror(found)}.",
                f"Raise the limit of {_LIMITS[found]}, or free some.",
            )
        at = at.__cause__ or at.__context__
    return None


def _code(error: BaseException) -> int:
    """Return the number of the limit that an error is about; 0 for none."""
    if isinstance(error, MemoryError):
        return errno.ENOMEM
    if isinstance(error, ImportError) and any(
        words in str(error).lower() for words in _NO_MEMORY_FOR_MODULE
    ):
        return errno.ENOMEM
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return errno.EAGAIN
    if isinstance(error, OSError) and error.errno in _LIMITS:
        return error.errno
    return 0
