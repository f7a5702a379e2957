"""The images that a mirror finds in its sources."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from dockless.cli.lists import Listed
from dockless.cli.readers import Readers
from dockless.cli.session import Session
from dockless.mirror import Found, whole_names
from dockless.model.digest import Digest
from dockless.model.errors import SourceError, UsageError
from dockless.model.manifest import MOST_DOCUMENTS, parse_document
from dockless.model.reference import Reference
from dockless.sources.oci import CarriedImage
from dockless.sources.spec import REGISTRY, SourceSpec, parse_source

_ARCHIVES = ("*.tar", "*.tar.*", "*.tgz", "*.tzst")
_PART = re.compile(r"\.\d{3}$")
_ENDINGS = (".sig", ".att", ".sbom")
_LAYOUT_FILES = ("index.json", "oci-layout")


def find(
    readers: Readers, sources: Iterable[Listed], folder: Path, named: str | None, *, referrers: bool
) -> Iterator[Found]:
    """Yield every image of every source; a folder without a layout stands for its archives.

    Args:
        readers: Open them.
        sources: What is asked for.
        folder: What relative paths start from.
        named: The repository of names that are a tag only; None for the source's own name.
        referrers: Whether signatures and whatever else refers to an image come along.
    """
    for source in sources:
        try:
            yield from _of(readers, source, folder, named, referrers=referrers)
        except (SourceError, UsageError) as error:
            if source.origin:
                error.what = f"{source.origin}: {error.what}"
            raise


def _of(
    readers: Readers, source: Listed, folder: Path, named: str | None, *, referrers: bool
) -> Iterator[Found]:
    work = readers.of(source.wanted.registry if source.wanted else None)
    for each in _texts(work, source, folder):
        images = tuple(_images(work, parse_source(each, folder), named))
        if each.startswith(REGISTRY):
            for image in images:
                yield image
                if referrers:
                    yield from _beside(work, image)
        else:
            yield from _with_subjects(images, referrers=referrers)


def _texts(work: Session, source: Listed, folder: Path) -> tuple[str, ...]:
    wanted = source.wanted
    if wanted is None:
        return _unfolded(source.text, folder)
    repository = Reference.parse(wanted.repository).repository
    tags = work.registry(repository, reading=True).client.tags(repository) if wanted.choice else ()
    names = wanted.references(tags)
    if not names:
        raise SourceError(f"No tag of {repository} is what the list asks for.", "Check the rule.")
    return tuple(f"{REGISTRY}{name}" for name in names)


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


def _beside(work: Session, image: Found, seen: set[Reference] | None = None) -> Iterator[Found]:
    """Yield the signatures, attestations and SBOMs that a registry has of an image.

    cosign tags them after the image's digest; the OCI's referrers name it as their subject. They
    may have referrers themselves.
    """
    repository = Reference.parse(image.names[0]).repository
    client = work.registry(repository, reading=True).client
    seen = set() if seen is None else seen
    for digest in image.open().content().documents:
        seen.add(Reference(repository, digest=digest))
        tags = (f"{digest.algorithm}-{digest.hex}{ending}" for ending in _ENDINGS)
        beside = [Reference(repository, tag) for tag in tags if client.tag(repository, tag)]
        referrers = client.referrers(repository, digest)
        beside += (Reference(repository, digest=each.digest) for each in referrers)
        for reference in beside:
            if reference in seen:
                continue
            seen.add(reference)
            if len(seen) > MOST_DOCUMENTS:
                raise SourceError(
                    f"More than {MOST_DOCUMENTS} manifests refer to {image.names[0]}.",
                    "Leave them out with --no-referrers.",
                )
            for found in _images(work, SourceSpec("registry", name=str(reference)), None):
                yield found
                yield from _beside(work, found, seen)


def _with_subjects(images: tuple[Found, ...], *, referrers: bool) -> Iterator[Found]:
    """Yield the images of a layout; one without a name that refers to another goes beside it."""
    homes: dict[Digest, list[str]] = {}
    subjects: dict[Digest, Digest] = {}
    for image in images:
        documents = image.content.documents if image.content else {}
        whole = _repositories(image)
        for digest, data in documents.items():
            homes.setdefault(digest, []).extend(whole)
            subject = parse_document(data).subject
            if subject and not whole:
                subjects[digest] = subject
    for image in images:
        root = image.content.root.digest if image.content and not image.names else None
        if root not in subjects:
            yield image
        elif referrers:
            near = _homes(root, homes, subjects)
            yield replace(image, names=tuple(dict.fromkeys(f"{home}@{root}" for home in near)))


def _repositories(image: Found) -> list[str]:
    try:
        return [str(replace(name, tag="", digest=None)) for name in whole_names(image)]
    except ValueError:  # the plan says which name has no place
        return []


def _homes(
    digest: Digest, homes: Mapping[Digest, list[str]], subjects: Mapping[Digest, Digest]
) -> list[str]:
    """Return the repositories of a manifest: its own, or its subject's."""
    own = homes.get(digest, [])
    return own or (_homes(subjects[digest], homes, subjects) if digest in subjects else [])


def _images(work: Session, spec: SourceSpec, named: str | None) -> Iterator[Found]:
    candidates = work.opener.images(spec, work.platform, CarriedImage)
    size = spec.path.stat().st_size // max(1, len(candidates)) if spec.kind == "archive" else 0
    for candidate in candidates:
        if spec.selector and spec.selector not in candidate.names:
            continue
        found = Found(
            spec.label,
            candidate.names,
            named or _stem(spec),
            size,
            candidate.open,
            listing=candidate.listing,
        )
        yield _looked_into(found) if candidate.packed else found


def _looked_into(found: Found) -> Found:
    """Add what the image consists of; a damaged one fails when it is pushed."""
    try:
        image = found.open()
        content = image.content()
    except SourceError:
        return found
    size = sum(blob.size for blob in content.blobs)
    return replace(found, size=size, content=content, open=lambda: image)


def _stem(spec: SourceSpec) -> str:
    """Return the repository that a name without one belongs to: the source's own name."""
    return spec.path.name.partition(".")[0].lower() if spec.kind != "local" else spec.name
