"""Lists of sources: a text file with a source a line, or the YAML of `skopeo sync`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dockless.model.errors import UsageError
from dockless.settings import synclist
from dockless.settings.synclist import Wanted

_YAML = (".yml", ".yaml")


@dataclass(frozen=True, slots=True)
class Listed:
    """A source that is asked for.

    Attributes:
        text: What was typed; empty for images of a list of `skopeo sync`.
        origin: Where it stands, `file:line:column`; empty on the command line.
        wanted: What a list of `skopeo sync` asks for.
    """

    text: str
    origin: str = ""
    wanted: Wanted | None = None


def listed(sources: tuple[str, ...], files: tuple[Path, ...]) -> tuple[Listed, ...]:
    """Return the sources of the command line and those that its lists name, in order.

    Raises:
        UsageError: A list cannot be read.
    """
    return (*map(Listed, sources), *(each for path in files for each in _of(path)))


def _of(path: Path) -> Iterator[Listed]:
    if path.suffix in _YAML:
        yield from (Listed("", each.origin, each) for each in synclist.read(path))
        return
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"The list {path} cannot be read.", "Give a text file.") from None
    for number, line in enumerate(lines, 1):
        if text := line.partition("#")[0].strip():
            yield Listed(text, f"{path}:{number}:{line.index(text) + 1}")
