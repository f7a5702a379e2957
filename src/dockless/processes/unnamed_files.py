"""Files without a name, for what a program says: gone with the last process that has them open."""

import os
import tempfile
from typing import IO


def unnamed_file() -> IO[bytes]:
    """Return a new file without a name, in memory where no folder can be written to.

    Raises:
        OSError: There is neither; no more files may be open.
    """
    try:
        return tempfile.TemporaryFile()
    except OSError:
        if not hasattr(os, "memfd_create"):
            raise
        return os.fdopen(os.memfd_create("unnamed"), "w+b")
