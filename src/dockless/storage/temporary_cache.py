"""A folder of stores for one run, where the user's is deleted again and again."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dockless.errors import LostCopyError


@contextlib.contextmanager
def temporary_cache(lost: LostCopyError) -> Iterator[Path]:
    """Yield a folder of stores that nobody else knows, which is removed with the block.

    Args:
        lost: Why the user's cannot be used, which is raised where no folder can be made.
    """
    with contextlib.ExitStack() as stack:
        try:
            made = tempfile.TemporaryDirectory(prefix="dockless-", ignore_cleanup_errors=True)
            folder = stack.enter_context(made)
        except OSError:
            raise lost from None
        yield Path(folder)
