"""Files that are written under a name of their own, and then get their name in one step."""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path

from dockless.processes.regular import open_regular, write_all
from dockless.storage.folders import is_regular, listed, rename

_TRIES = 100


@contextlib.contextmanager
def draft_of(path: Path, mode: int = 0o600) -> Iterator[tuple[int, Path]]:
    """Yield a new file next to another, open for writing; it is gone after the block.

    Its name is one that no other file has, so that whatever lies there stays.

    Args:
        path: The file whose place it will take.
        mode: Its mode, less the umask.

    Raises:
        OSError: It cannot be made.
    """
    descriptor, draft = open_draft(path, mode)
    try:
        yield descriptor, draft
    finally:
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(descriptor), draft.lstat()):
                draft.unlink()
        os.close(descriptor)


def write_draft(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Give a file of the store new content in one step, whatever stands there.

    Raises:
        OSError: That is not possible; what was there stays.
    """
    with draft_of(path, mode) as (descriptor, draft):
        write_all(descriptor, data)
        rename(draft, path)


def open_draft(path: Path, mode: int) -> tuple[int, Path]:
    """Make a new file next to another; return it open for writing, and its path.

    Raises:
        OSError: It cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for last in (*[False] * _TRIES, True):
        draft = path.with_name(f".{path.name}.dockless-{os.urandom(4).hex()}")
        try:
            return os.open(draft, flags, mode), draft
        except FileExistsError:
            if last:
                raise
    raise FileExistsError(path)


def sweep_drafts(path: Path) -> None:
    """Remove the drafts of a file that killed processes left, which are locked while they live."""
    name = re.compile(rf"\.{re.escape(path.name)}\.dockless-[0-9a-f]{{8}}")
    for draft in listed(path.parent):
        if name.fullmatch(draft.name) and is_regular(draft):
            with contextlib.suppress(OSError), open_regular(draft, follow=False) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                draft.unlink()
