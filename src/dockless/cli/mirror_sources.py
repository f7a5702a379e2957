"""The images that a mirror finds in its sources."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from dockless.mirror import Found
from dockless.model.errors import SourceError
from dockless.model.platform import Platform
from dockless.sources.open import Opener
from dockless.sources.spec import SourceSpec, parse_source

_ARCHIVES = ("*.tar", "*.tar.*", "*.tgz", "*.tzst")
_LAYOUT_FILES = ("index.json", "oci-layout")


def find(
    opener: Opener,
    sources: Iterable[str],
    folder: Path,
    platform: Platform | None,
    named: str | None,
) -> Iterator[Found]:
    """Yield every image of every source; a folder without a layout stands for its archives."""
    for text in sources:
        for each in _unfolded(text, folder):
            yield from _images(opener, each, folder, platform, named)


def _unfolded(text: str, folder: Path) -> tuple[str, ...]:
    path = folder / text
    if not path.is_dir() or any((path / name).exists() for name in _LAYOUT_FILES):
        return (text,)
    inside = {file for pattern in _ARCHIVES for file in path.rglob(pattern) if file.is_file()}
    layouts = {file.parent for file in path.rglob("oci-layout")}
    if not inside and not layouts:
        raise SourceError(f"The folder {text} has no archive and no layout.", "Check the path.")
    apart = {file for file in inside if not any(file.is_relative_to(each) for each in layouts)}
    return tuple(str(each) for each in sorted(apart | layouts))


def _images(
    opener: Opener, text: str, folder: Path, platform: Platform | None, named: str | None
) -> Iterator[Found]:
    spec = parse_source(text, folder)
    candidates = opener.images(spec, platform)
    size = _size(spec) // max(1, len(candidates))
    for candidate in candidates:
        if spec.selector and spec.selector not in candidate.names:
            continue
        yield Found(spec.label, candidate.names, named or _stem(spec), size, candidate.open)


def _size(spec: SourceSpec) -> int:
    if spec.kind == "archive":
        return spec.path.stat().st_size
    if spec.kind == "layout":
        return sum(file.stat().st_size for file in spec.path.glob("blobs/*/*"))
    return 0


def _stem(spec: SourceSpec) -> str:
    """Return the repository that a name without one belongs to: the source's own name."""
    return spec.path.name.partition(".")[0].lower() if spec.kind != "local" else spec.name
