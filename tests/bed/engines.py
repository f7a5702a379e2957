"""The engines that are here, of every version: what `make test` needs, and what else there is."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bed.tools import SYSTEM_PATH, tools_folder

_MATRIX = Path(__file__).parents[2] / ".cache" / "matrix"
_NAMES = ("crane", "skopeo")


@dataclass(frozen=True, slots=True)
class Program:
    """An engine.

    Attributes:
        name: `crane` or `skopeo`.
        label: What tells it from the others of this name.
        path: The program.
    """

    name: str
    label: str
    path: Path

    def alone(self, folder: Path) -> Path:
        """Make a folder with this program and no other; return it."""
        folder.mkdir()
        (folder / self.name).symlink_to(self.path)
        return folder


def programs() -> tuple[Program, ...]:
    """Return crane and skopeo as `make test` has them, and all others that are here.

    These are the ones in the matrix's cache, and in the folders of `DOCKLESS_TEST_ENGINES`.
    """
    return tuple(_programs())


def _programs() -> Iterator[Program]:
    search = f"{tools_folder()}{os.pathsep}{SYSTEM_PATH}"
    for name in _NAMES:
        found = shutil.which(name, path=search)
        yield Program(name, name, Path(found or name))
    more = [Path(each) for each in os.environ.get("DOCKLESS_TEST_ENGINES", "").split(":") if each]
    for folder in (*sorted(_MATRIX.glob("*/bin")), *more):
        for name in _NAMES:
            if (folder / name).exists():
                yield Program(name, folder.parent.name, folder / name)
