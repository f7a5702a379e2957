"""Locks between the processes of this machine; the lock of a killed process is free."""

import contextlib
import errno
import fcntl
import os
import stat
import time
from pathlib import Path
from typing import IO

from dockless.errors import NetworkError

_LOCK_TRIES = 10
_LOOK_SECONDS = 0.05


def lock_file(path: Path, *, wait: bool = True, until: float | None = None) -> IO[bytes]:
    """Return a file that is locked until it is closed; no link is followed, and nothing changed.

    Args:
        path: The file; made if it is not there.
        wait: Whether to wait for another holder.
        until: The moment, on the clock of `time.monotonic`, when waiting ends; None for none.

    Raises:
        BlockingIOError: Another process has it, and it is not waited for.
        OSError: It is a link or a folder, or cannot be made.
        NetworkError: `until` has come.
    """
    left = _LOCK_TRIES
    while True:
        left -= 1
        lock = open(path, "r+b", opener=_open)  # noqa: SIM115 - whoever locks closes it
        try:
            if wait:
                _wait_for(lock, until)
            else:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # a deleted one locks nobody out; some file systems assign new inode numbers
            if not left or _is_at(path, lock):
                return lock
        except BaseException:
            lock.close()
            raise
        lock.close()


def _wait_for(lock: IO[bytes], until: float | None) -> None:
    """Wait until a lock is ours; a signal ends that, and so does `until`.

    Raises:
        NetworkError: That moment has come.
    """
    if until is None:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return
    while True:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        if time.monotonic() >= until:
            raise NetworkError(
                "Another dockless process is working on the same data and did not finish within "
                "--timeout.",
                "Wait for it, or give it more time.",
                passing=False,
            )
        time.sleep(_LOOK_SECONDS)


def _is_at(path: Path, lock: IO[bytes]) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.lstat())
    except FileNotFoundError:
        return False


def _open(path: str, flags: int) -> int:
    # a FIFO that is opened for reading and writing waits for nobody, and Linux lets that be done
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", path)
    return descriptor
