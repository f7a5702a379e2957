"""The images that a mirror finds in its sources, and the errors of the others."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import DocklessError, NetworkError, PushError, SourceError
from dockless.model.counts import counted
from dockless.model.listed import Listed, SyncRegistry
from dockless.oci.manifest import MOST_DOCUMENTS
from dockless.oci.reference import REGISTRY, Reference
from dockless.ports import SourceImage
from dockless.usecases.mirror.given_names import GivenName, all_named
from dockless.usecases.mirror.mirror_ports import SourceReader, SourceReaders
from dockless.usecases.mirror.run import Lost

_MOST_NOTES = 20


class Wishes(Struct, frozen=True, kw_only=True):
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


class _SourceWish(Struct, frozen=True):
    """One source: a file, a layout, or an image of a registry or container tool."""

    text: str
    origin: str
    registry: SyncRegistry | None = None


def find(
    readers: SourceReaders, sources: Iterable[Listed], wishes: Wishes
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

    def __init__(self, readers: SourceReaders, wishes: Wishes) -> None:
        self._readers = readers
        self._wishes = wishes
        self._silent: dict[tuple[SyncRegistry | None, str], NetworkError] = {}

    def expanded(self, source: Listed) -> Iterator[_SourceWish | Lost]:
        """Expand a source: the tags of a rule, the archives of a folder, or itself."""
        wanted = source.wanted
        if wanted is None:
            yield from self._unfolded(source)
            return
        try:
            tags: tuple[str, ...] = ()
            if wanted.choice:
                tags = self._reading(wanted.registry, wanted.repository).tags(wanted.repository)
                if not tags:
                    raise SourceError(
                        f"{wanted.repository} does not exist, or has no tags.",
                        "Check its name and registry in the list.",
                    )
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
            yield _SourceWish(f"{REGISTRY}{name}", place, wanted.registry)

    def _unfolded(self, source: Listed) -> Iterator[_SourceWish | Lost]:
        text, origin = source.text, source.origin
        if source.error:
            yield _lost(text, "", source.error, origin)
            return
        folder = self._wishes.folder / text
        # the os module's function takes what may not be looked at for absent, and pathlib's raises
        if text.startswith(REGISTRY) or not os.path.isdir(folder):  # noqa: PTH112
            yield _SourceWish(text, origin)
            return
        found = self._readers.search(folder)
        self._tell(found.others)
        for path, error in found.errors.items():
            yield _lost(str(path), "", error, origin)
        for each in found.sources:
            yield _SourceWish(text if each == folder else str(each), origin)
        if not found.sources and not found.errors:
            nothing = SourceError(
                f"{text} is a folder without an image archive or an OCI layout in it.",
                "Give the folder that they are in, or list the sources in a file, with -f.",
            )
            yield _lost(text, "", nothing, origin)

    def _tell(self, others: Mapping[Path, str]) -> None:
        for path in list(others)[:_MOST_NOTES]:
            self._wishes.note(f"Skipped, not an image: {path}: {others[path]}.")
        if len(others) > _MOST_NOTES:
            rest = counted(len(others) - _MOST_NOTES, "other")
            self._wishes.note(f"Skipped, not images: {rest}.")

    def images(self, asked: _SourceWish) -> Iterator[SourceImage | Lost]:
        """Yield the images of one source, and what cannot be found of them."""
        wishes, name = self._wishes, asked.text.removeprefix(REGISTRY)
        of_registry = asked.text.startswith(REGISTRY)
        work = self._readers.reader(asked.registry)
        try:
            work = self._reading(asked.registry, name if of_registry else "")
            images = work.images(asked.text, wishes.folder, wishes.given.repository, asked.origin)
        except DocklessError as error:
            if of_registry and isinstance(error, PushError) and not work.has(name):
                error = SourceError(f"{name} does not exist.", "Check the name and the tag.")
            yield _lost(name, name if of_registry else "", error, asked.origin)
            return
        if not of_registry:
            if images and (fault := images[0].lock_fault):
                yield replace(_lost(name, "", fault, asked.origin), is_image=False)
            for each in all_named(images, wishes.given, wishes.note, referrers=wishes.referrers):
                yield replace(each, error=_placed(each)) if isinstance(each, Lost) else each
            return
        for image in images:
            yield image
            if wishes.referrers:
                yield from self._beside(work, image)

    def _reading(self, registry: SyncRegistry | None, name: str) -> SourceReader:
        """Return what reads the sources; see that the registry of a name answers, if it has one.

        Raises:
            NetworkError: It does not, or did not before.
        """
        work = self._readers.reader(registry)
        try:
            repository = Reference.parse(name).repository
        except ValueError:  # which is reported when it is opened
            return work
        if error := self._silent.get((registry, repository.host)):
            raise error
        try:
            work.reach(repository)
        except NetworkError as error:
            self._silent[registry, repository.host] = error
            raise
        return work

    def _beside(
        self, work: SourceReader, image: SourceImage, seen: set[Reference] | None = None
    ) -> Iterator[SourceImage | Lost]:
        """Yield the signatures, attestations and SBOMs that a registry has of an image.

        They may have referrers themselves. Each is visited once.
        """
        repository = Reference.parse(image.names[0]).repository
        seen = set() if seen is None else seen
        # one whose content is unknown is damaged, and fails when it is pushed
        for digest in image.content.documents if image.content else ():
            seen.add(Reference(repository, digest=digest))
            try:
                beside = work.attached(repository, digest, self._wishes.note)
            except DocklessError as error:
                what = f"The referrers of {image.names[0]} cannot be listed: {error.what}"
                error = type(error)(what, error.remedy)
                yield _lost(image.source, image.names[0], error, image.origin)
                continue
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
        self, work: SourceReader, reference: Reference, origin: str, seen: set[Reference]
    ) -> Iterator[SourceImage | Lost]:
        """Yield the referrers of an image, and their referrers."""
        try:
            found = work.images(f"{REGISTRY}{reference}", self._wishes.folder, "", origin)
        except DocklessError as error:
            yield _lost(str(reference), str(reference), error, origin)
            return
        for each in found:
            yield each
            yield from self._beside(work, each, seen)


def _lost(source: str, name: str, error: DocklessError, origin: str) -> Lost:
    lost = Lost(source=source, name=name, error=error, origin=origin)
    return replace(lost, error=_placed(lost))


def _placed(lost: Lost) -> DocklessError:
    """Return the error with the position in the list."""
    if not lost.origin:
        return lost.error
    return type(lost.error)(f"{lost.origin}: {lost.error.what}", lost.error.remedy)
