"""Errors of a process that has reached a limit of the system, which are not bugs."""

import errno
import os
from collections.abc import Iterator

from dockless.errors import DocklessError, PushError

_LIMITS = {
    errno.EAGAIN: "the number of processes and threads (ulimit -u, or the container's pids limit)",
    errno.EFBIG: "the size of a file (ulimit -f, or that of the file system)",
    errno.EMFILE: "the number of open files (ulimit -n)",
    errno.ENFILE: "the number of open files of the whole system (fs.file-max)",
    errno.ENOMEM: "memory",
}
_RUNTIME = {"can't start new thread": errno.EAGAIN}
_NO_LOCK = "can't allocate"  # lock, read lock
_NO_MEMORY_FOR_MODULE = ("failed to map segment", "cannot allocate memory")  # the dynamic linker's
# OpenSSL's, the last where it has not even memory to say why
_NO_MEMORY_FOR_TLS = ("malloc failure", "library has no ciphers", "unknown error (_ssl")
_NO_FILE_FOR_MODULE = os.strerror(errno.EMFILE).lower()
_MOST_CAUSES = 20
_MISTAKEN = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def limit_reached(error: BaseException) -> PushError | None:
    """Return the error for a limit that was reached; None where there was none.

    Args:
        error: How the command ended; what it was raised from, or during, counts as well.
    """
    return next((_told(found) for each in _chain(error) if (found := _code(each))), None)


def mistaken_for(error: DocklessError) -> PushError | None:
    """Return the error for a limit that was taken for a damaged file, or a program that is missing.

    Args:
        error: How the command ended, in the words of whoever met the limit.
    """
    causes = (each.errno for each in _chain(error) if isinstance(each, OSError))
    return next((_told(each) for each in causes if each in _MISTAKEN), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    at: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if at is not None:
            yield at
            at = at.__cause__ or at.__context__


def _told(found: int) -> PushError:
    return PushError(
        f"This process has reached a limit of the system: {os.strerror(found)}.",
        f"Raise the limit of {_LIMITS[found]}, or free some.",
    )


def _code(error: BaseException) -> int:
    """Return the number of the limit that an error is about; 0 for none."""
    match error:
        case MemoryError():
            return errno.ENOMEM
        case ImportError():
            return _of_module(str(error).lower())
        case RuntimeError():
            return _RUNTIME.get(str(error), errno.ENOMEM if _NO_LOCK in str(error) else 0)
        case OSError() if any(words in str(error).lower() for words in _NO_MEMORY_FOR_TLS):
            return errno.ENOMEM
        case OSError() if error.errno in _LIMITS:
            return error.errno
    return 0


def _of_module(said: str) -> int:
    if any(words in said for words in _NO_MEMORY_FOR_MODULE):
        return errno.ENOMEM
    return errno.EMFILE if _NO_FILE_FOR_MODULE in said else 0
