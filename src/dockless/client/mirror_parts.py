"""The parts of the bundles of a mirror, compared with their lists."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.ports import Progress
from dockless.report.text import counted
from dockless.sources.parts import problems, read_parts
from dockless.sources.spec import PARTS_ENDING
from dockless.usecases.mirror.run import Lost


def damaged_parts(sources: Iterable[str], folder: Path, progress: Progress) -> Iterator[Lost]:
    """Yield what is lost with each part that is not what its list says.

    Every byte of them is read. An image whose blobs are whole arrives all the same.

    Args:
        sources: What the sources of the images are called: their paths, where they are files.
        folder: What relative paths start from.
        progress: Told of what takes long.
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
