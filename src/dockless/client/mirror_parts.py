"""The parts of the bundles of a mirror, compared with their lists."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.ports import Progress
from dockless.report.text import counted
from dockless.sources.parts import problems, read_parts
from dockless.sources.spec import PARTS_ENDING
from dockless.usecases.mirror.run import Lost


def damaged_parts(sources: Iterable[str], folder: Path, progress: Progress) -> Iterator[Lost]:
    """Yield an error for each part that does not match its list.

    Every byte of them is read. An image whose blobs are intact is pushed nevertheless.

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
            yield from (Lost(source, "", problem) for problem in problems(parts))
            task.complete()
        finally:
            task.finish()
