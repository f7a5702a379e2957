"""Lists of sources: a text file with a source a line, or the YAML of `skopeo sync`."""

from pathlib import Path

from dockless.model.errors import UsageError
from dockless.settings import synclist

_YAML = (".yml", ".yaml")


def listed(files: tuple[Path, ...]) -> tuple[str, ...]:
    """Return the sources that these lists name, in order.

    Raises:
        UsageError: A list cannot be read.
    """
    return tuple(text for path in files for text in _of(path))


def _of(path: Path) -> tuple[str, ...]:
    if path.suffix in _YAML:
        return tuple(f"docker://{reference}" for reference in synclist.read(path))
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"The list {path} cannot be read.", "Give a text file.") from None
    return tuple(text for line in lines if (text := line.partition("#")[0].strip()))
