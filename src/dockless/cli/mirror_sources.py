"""The images that a mirror finds in its sources."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from dockless.cli.session import Session
from dockless.mirror import Found
from dockless.model.errors import SourceError
from dockless.model.reference import Reference
from dockless.sources.spec import REGISTRY, SourceSpec, parse_source

_ARCHIVES = ("*.tar", "*.tar.*", "*.tgz", "*.tzst")
_PART = re.compile(r"\.\d{3}$")
_ENDINGS = (".sig", ".att", ".sbom")
_LAYOUT_FILES = ("index.json", "oci-layout")


def find(
    work: Session, sources: Iterable[str], folder: Path, named: str | None, *, referrers: bool
) -> Iterator[Found]:
    """Yield every image of every source; a folder without a layout stands for its archives.

    Args:
        work: Opens them.
        sources: What the user typed.
        folder: What relative paths start from.
        named: The repository of names that are a tag only; None for the source's own name.
        referrers: Whether what cosign keeps beside an image of a registry comes along.
    """
    for text in sources:
        for each in _unfolded(text, folder):
            for image in _images(work, parse_source(each, folder), named):
                yield image
                if referrers and each.startswith(REGISTRY):
                    yield from _beside(work, image)


def _unfolded(text: str, folder: Path) -> tuple[str, ...]:
    if text.startswith(REGISTRY):
        return (text,)
    path = folder / text
    if not path.is_dir() or any((path / name).exists() for name in _LAYOUT_FILES):
        return (text,)
    inside = {
        file
        for pattern in _ARCHIVES
        for file in path.rglob(pattern)
        if file.is_file() and not _PART.search(file.name)
    }
    layouts = {file.parent for file in path.rglob("oci-layout")}
    if not inside and not layouts:
        raise SourceError(f"The folder {text} has no archive and no layout.", "Check the path.")
    apart = {file for file in inside if not any(file.is_relative_to(each) for each in layouts)}
    return tuple(str(each) for each in sorted(apart | layouts))


def _beside(work: Session, image: Found) -> Iterator[Found]:
    """Yield the signatures, attestations and SBOMs that cosign tags after an image's digest."""
    reference = Reference.parse(image.names[0])
    digest = image.open().content().root.digest
    for ending in _ENDINGS:
        tag = f"{digest.algorithm}-{digest.hex}{ending}"
        if work.knock(reference.repository).client.tag(reference.repository, tag):
            spec = SourceSpec("registry", name=str(reference.tagged(tag)))
            yield from _images(work, spec, None)


def _images(work: Session, spec: SourceSpec, named: str | None) -> Iterator[Found]:
    candidates = work.opener.images(spec, work.platform)
    size = spec.path.stat().st_size // max(1, len(candidates)) if spec.kind == "archive" else 0
    for candidate in candidates:
        if spec.selector and spec.selector not in candidate.names:
            continue
        found = Found(spec.label, candidate.names, named or _stem(spec), size, candidate.open)
        yield _looked_into(found) if candidate.packed else found


def _looked_into(found: Found) -> Found:
    """Add what the image consists of; a damaged one fails when it is pushed."""
    try:
        image = found.open()
        blobs = image.content().blobs
    except SourceError:
        return found
    digests = frozenset(blob.digest for blob in blobs)
    size = sum(blob.size for blob in blobs)
    return replace(found, size=size, blobs=digests, open=lambda: image)


def _stem(spec: SourceSpec) -> str:
    """Return the repository that a name without one belongs to: the source's own name."""
    return spec.path.name.partition(".")[0].lower() if spec.kind != "local" else spec.name
