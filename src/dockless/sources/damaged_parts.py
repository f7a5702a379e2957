"""The parts of the bundles of a mirror, compared with their lists."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.errors import SourceError
from dockless.model.counts import counted
from dockless.ports import Progress
from dockless.sources.parts import problems, read_parts
from dockless.sources.source_paths import PARTS_ENDING


def damaged_parts(
    sources: Iterable[str], folder: Path, progress: Progress
) -> Iterator[tuple[str, SourceError]]:
    """Yield each list, and an error for each part that does not match it.

    Every byte of the parts is read. An image whose blobs are intact is pushed nevertheless.

    Args:
        sources: What the sources of the images are called: their paths, where they are files.
        folder: What relative paths start from.
        progress: Where long work is shown.
    """
    for source in dict.fromkeys(each for each in sources if each.endswith(PARTS_ENDING)):
        parts = read_parts(folder / source)
        size = sum(part.size for part in parts)
        task = progress.start(f"comparing {counted(len(parts), 'part')} with {source}", size)
        try:
            yield from ((source, problem) for problem in problems(parts))
            task.complete()
        finally:
            task.finish()
