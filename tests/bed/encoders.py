"""How many encoders a run of dockless makes, whichever of its parts makes them.

A `sitecustomize` on PYTHONPATH counts in the process itself, at the libraries that compress.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bed.dockless import Dockless

_SCRIPT = """
import zlib
from pathlib import Path

import zstandard
from isal import isal_zlib

log = Path(__file__).with_name("made")

def count(module, name):
    real = getattr(module, name)
    def made(*arguments, **options):
        with log.open("a") as file:
            file.write(f"{module.__name__}.{name}\\n")
        return real(*arguments, **options)
    setattr(module, name, made)

for module, name in (
    (isal_zlib, "compressobj"), (isal_zlib, "compress"),
    (zstandard, "ZstdCompressor"), (zlib, "compressobj"), (zlib, "compress"),
):
    count(module, name)
"""


def counted(program: Dockless, folder: Path) -> tuple[Dockless, Callable[[], list[str]]]:
    """Return dockless that counts, and what returns the encoders that were made so far.

    Args:
        program: dockless.
        folder: Where the count is kept; it is made.
    """
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_SCRIPT)
    log = folder / "made"

    def made() -> list[str]:
        return log.read_text().splitlines() if log.exists() else []

    return replace(program, extra={**program.extra, "PYTHONPATH": str(folder)}), made
