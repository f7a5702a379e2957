"""The images that a mirror finds in its sources, and the errors of the others."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.client.mirror_names import GivenName, all_named
from dockless.client.readers import Readers
from dockless.client.session import Session
from dockless.client.source_lists import Listed
from dockless.config.skopeo_sync import SyncRegistry
from dockless.errors import DocklessError, NetworkError, PushError, SourceError
from dockless.oci.manifest import MOST_DOCUMENTS, parse_document
from dockless.oci.reference import Reference
from dockless.report.text import counted
from dockless.sources.archive import Candidate, select, with_tag
from dockless.sources.files import reading
from dockless.sources.oci_layout import CarriedImage
from dockless.sources.search import search
from dockless.sources.spec import REGISTRY, SourceSpec, parse_source
from dockless.usecases.mirror.run import Lost, SourceImage

_ENDINGS = (".sig", ".att", ".sbom")
_MOST_NOTES = 20
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")


class Wishes(Struct, frozen=True):
    """How images are taken from their sources.

    Attributes:
        folder: What relative paths start from.
        given: What images without a name are called.
        referrers: Whether the referrers of an image are included.
        note: Called with a line about files that are not images.
    """

    folder: Path
    given: GivenName
    referrers: bool
    note: Callable[[str], None]


class _Asked(Struct, frozen=True):
    """One source: a file, a layout, or an image of a registry or container tool."""

    text: str
    origin: str
    registry: SyncRegistry | None = None


def find(
    readers: Readers, sources: Iterable[Listed], wishes: Wishes
) -> Iterator[SourceImage | Lost]:
    """Yield every image of every source, and what cannot be found or read in its place.

    A folder stands for every archive and layout in it.

    Args:
        readers: Open them.
        sources: What is asked for.
        wishes: How they are taken.
    """
    work = _Finder(readers, wishes)
    for source in sources:
        for each in work.expanded(source):
            yield from (each,) if isinstance(each, Lost) else work.images(each)


class _Finder:
    """Finds images; a registry that does not respond is not asked again."""

    def __init__(self, readers: Readers, wishes: Wishes) -> None:
        self._readers = readers
        self._wishes = wishes
        self._silent: dict[tuple[SyncRegistry | None, str], NetworkError] = {}

    def expanded(self, source: Listed) -> Iterator[_Asked | Lost]:
        """Expand a source: the tags of a rule, the archives of a folder, or itself."""
        wanted = source.wanted
        if wanted is None:
            yield from self._unfolded(source)
            return
        try:
            tags: tuple[str, ...] = ()
            if wanted.choice:
                repository = Reference.parse(wanted.repository).repository
                client = self._reading(wanted.registry, wanted.repository)
                tags = client.registry(repository, reading=True).client.tags(repository)
            names = wanted.references(tags)
            if not names:
                raise SourceError(
                    f"No tag of {wanted.repository} matches the list.", "Check the rule."
                )
        except DocklessError as error:
            yield _lost(wanted.repository, "", error, source.origin)
            return
        places = wanted.places or (source.origin,) * len(names)
        for name, place in zip(names, places, strict=True):
            yield _Asked(f"{REGISTRY}{name}", place, wanted.registry)

    def _unfolded(self, source: Listed) -> Iterator[_Asked | Lost]:
        text, origin = source.text, source.origin
        folder = self._wishes.folder / text
        # the os module's function takes what may not be looked at for absent, and pathlib's raises
        if text.startswith(REGISTRY) or not os.path.isdir(folder):  # noqa: PTH112
            yield _Asked(text, origin)
            return
        found = search(folder)
        self._tell(found.others)
        for path, error in found.errors.items():
            yield _lost(str(path), "", error, origin)
        for each in found.sources:
            yield _Asked(text if each == folder else str(each), origin)
        if not found.sources and not found.errors:
            nothing = SourceError(f"The folder {text} has no archive and no layout.", "Check it.")
            yield _lost(text, "", nothing, origin)

    def _tell(self, others: dict[Path, str]) -> None:
        for path in list(others)[:_MOST_NOTES]:
            self._wishes.note(f"Skipped, not an image: {path}: {others[path]}.")
        if len(others) > _MOST_NOTES:
            rest = counted(len(others) - _MOST_NOTES, "other")
            self._wishes.note(f"Skipped, not images: {rest}.")

    def images(self, asked: _Asked) -> Iterator[SourceImage | Lost]:
        """Yield the images of one source, and what cannot be found of them."""
        wishes, name = self._wishes, asked.text.removeprefix(REGISTRY)
        of_registry = asked.text.startswith(REGISTRY)
        work = self._readers.of(asked.registry)
        try:
            work = self._reading(asked.registry, name if of_registry else "")
            spec = parse_source(asked.text, wishes.folder)
            with work.deleting():
                images = tuple(_images(work, spec, wishes.given.repository, asked.origin))
        except DocklessError as error:
            if of_registry and isinstance(error, PushError) and self._is_absent(work, name):
                error = SourceError(f"{name} does not exist.", "Check the name and the tag.")
            yield _lost(name, name if of_registry else "", error, asked.origin)
            return
        if not of_registry:
            if images and (fault := images[0].lock_fault):
                yield _lost(name, "", fault, asked.origin)
            for each in all_named(images, wishes.given, wishes.note, referrers=wishes.referrers):
                yield replace(each, error=_placed(each)) if isinstance(each, Lost) else each
            return
        for image in images:
            yield image
            if wishes.referrers:
                yield from self._beside(work, image)

    def _reading(self, registry: SyncRegistry | None, name: str) -> Session:
        """Return what reads the sources; see that the registry of a name answers, if it has one.

        Raises:
            NetworkError: It does not, or did not before.
        """
        work = self._readers.of(registry)
        try:
            repository = Reference.parse(name).repository
        except ValueError:  # which is said when it is opened
            return work
        if error := self._silent.get((registry, repository.host)):
            raise error
        try:
            work.registry(repository, reading=True)
        except NetworkError as error:
            self._silent[registry, repository.host] = error
            raise
        return work

    def _is_absent(self, work: Session, name: str) -> bool:
        """Whether an image does not exist; each pulling program has its own message for it."""
        reference = with_tag(Reference.parse(name))
        client = work.registry(reference.repository, reading=True).client
        try:
            asked = reference.digest or reference.tag
            return client.tag(reference.repository, str(asked)) is None
        except DocklessError:
            return False

    def _beside(
        self, work: Session, image: SourceImage, seen: set[Reference] | None = None
    ) -> Iterator[SourceImage | Lost]:
        """Yield the signatures, attestations and SBOMs that a registry has of an image.

        cosign tags them after the image's digest; the OCI's referrers name it as their subject.
        They may have referrers themselves. Each is visited once.
        """
        repository = Reference.parse(image.names[0]).repository
        client = work.registry(repository, reading=True).client
        seen = set() if seen is None else seen
        # one whose content is unknown is damaged, and fails when it is pushed
        for digest in image.content.documents if image.content else ():
            seen.add(Reference(repository, digest=digest))
            try:
                tags = (f"{digest.algorithm}-{digest.hex}{ending}" for ending in _ENDINGS)
                beside = [Reference(repository, tag) for tag in tags if client.tag(repository, tag)]
                referrers = client.referrers(repository, digest, self._wishes.note)
            except DocklessError as error:
                what = f"The referrers of {image.names[0]} cannot be listed: {error.what}"
                error = type(error)(what, error.remedy)
                yield _lost(image.source, image.names[0], error, image.origin)
                continue
            beside += (Reference(repository, digest=each.digest) for each in referrers)
            for reference in beside:
                if reference in seen:
                    continue
                seen.add(reference)
                if len(seen) > MOST_DOCUMENTS:
                    too_many = SourceError(
                        f"More than {MOST_DOCUMENTS} manifests refer to {image.names[0]}.",
                        "Omit them with --no-referrers.",
                    )
                    yield _lost(image.source, image.names[0], too_many, image.origin)
                    return
                yield from self._referring(work, reference, image.origin, seen)

    def _referring(
        self, work: Session, reference: Reference, origin: str, seen: set[Reference]
    ) -> Iterator[SourceImage | Lost]:
        """Yield the referrers of an image, and their referrers."""
        spec = SourceSpec("registry", name=str(reference))
        try:
            found = tuple(_images(work, spec, "", origin))
        except DocklessError as error:
            yield _lost(str(reference), str(reference), error, origin)
            return
        for each in found:
            yield each
            yield from self._beside(work, each, seen)


def _lost(source: str, name: str, error: DocklessError, origin: str) -> Lost:
    lost = Lost(source, name, error, origin)
    return replace(lost, error=_placed(lost))


def _placed(lost: Lost) -> DocklessError:
    """Return the error with the position in the list."""
    if not lost.origin:
        return lost.error
    return type(lost.error)(f"{lost.origin}: {lost.error.what}", lost.error.remedy)


def _images(work: Session, spec: SourceSpec, named: str, origin: str) -> Iterator[SourceImage]:
    candidates = work.opener.images(spec, work.platform, CarriedImage)
    if not candidates:
        raise SourceError(f"{spec.label} contains no image.", "Create or copy it again.")
    size = 0
    if spec.kind == "archive":
        with reading(spec.label):
            size = spec.path.stat().st_size // len(candidates)
    short, fault = _locked(candidates[0])
    if spec.selector:
        candidates = [select(candidates, spec.selector, spec.label)]
    for candidate in candidates:
        found = SourceImage(
            spec.label,
            _local_names(spec) if spec.kind == "local" else _short(candidate.names, short),
            named or _stem(spec),
            size,
            candidate.open,
            listing=candidate.listing,
            origin=origin,
            lock_fault=fault,
        )
        locked = _short(candidate.locked, short)
        yield _looked_into(found, locked) if candidate.packed else found


def _locked(candidate: Candidate) -> tuple[Mapping[str, str], SourceError | None]:
    """Return the short names of a bundle's images by their full ones, and what is wrong with it.

    A bundle's index has full names only, and an image is to have the same name at the target as
    without a bundle.
    """
    try:
        lock = candidate.lock()
    except SourceError as error:
        return {}, error
    return {each.name: each.short for each in lock.images if each.short} if lock else {}, None


def _short(names: tuple[str, ...], short: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(short.get(name, name) for name in names)


def _local_names(spec: SourceSpec) -> tuple[str, ...]:
    """Return the name that an image of a container tool was asked for by; none for its ID."""
    if _ID.fullmatch(spec.name):
        return ()
    whole = ":" in spec.name or "/" in spec.name
    return (spec.name if whole else f"{spec.name}:latest",)


def _looked_into(found: SourceImage, locked: tuple[str, ...]) -> SourceImage:
    """Add what the image consists of; a damaged one fails when it is pushed.

    One that is named in its bundle's lock file only gets that name, but for what has a subject.
    """
    try:
        image = found.open()
        content = image.content()
    except SourceError:
        return found
    size = sum(blob.size for blob in content.blobs)
    refers = parse_document(content.documents[content.root.digest]).subject
    names = found.names or (() if refers else locked)
    return replace(found, names=names, size=size, content=content, open=lambda: image)


def _stem(spec: SourceSpec) -> str:
    """Return the repository that a name without one belongs to: the source's own name."""
    return spec.path.name.partition(".")[0].lower() if spec.kind != "local" else ""
