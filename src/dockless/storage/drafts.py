"""Files that are written under a name of their own, and then get their name in one step."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from dockless.storage.folders import rename

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
    descriptor, draft = _opened(path, mode)
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


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes to a file.

    Raises:
        OSError: They cannot be written.
    """
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _opened(path: Path, mode: int) -> tuple[int, Path]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    for last in (*[False] * _TRIES, True):
        draft = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
        try:
            return os.open(draft, flags, mode), draft
        except FileExistsError:
            if last:
                raise
    raise FileExistsError(path)
