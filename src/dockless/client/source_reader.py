"""The images of one source, and what a registry has of them, as a session reads them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from dockless.client.session import Session
from dockless.errors import DocklessError, SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import parse_document
from dockless.oci.reference import Reference, Repository
from dockless.sources.archive import Candidate, select, with_tag
from dockless.sources.files import reading
from dockless.sources.oci_layout import CarriedImage
from dockless.sources.spec import SourceSpec, parse_source
from dockless.usecases.mirror.run import SourceImage

_ENDINGS = (".sig", ".att", ".sbom")
_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}")


class SessionReader:
    """Reads sources by a session, as a `SourceReader`."""

    def __init__(self, work: Session) -> None:
        self._work = work

    def reach(self, repository: Repository) -> None:
        """See that a registry responds; raise NetworkError or AuthError where it does not."""
        self._work.reading(repository)

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return every tag of a repository, `host/path`; none when there is no such repository."""
        place = Reference.parse(repository).repository
        return self._work.reading(place).tags(place)

    def has(self, name: str) -> bool:
        """Whether a registry has an image; each pulling program has its own message for none."""
        reference = with_tag(Reference.parse(name))
        try:
            client = self._work.reading(reference.repository)
            asked = reference.digest or reference.tag
            return client.tag(reference.repository, str(asked)) is not None
        except DocklessError:
            return True

    def attached(
        self, repository: Repository, digest: Digest, note: Callable[[str], None]
    ) -> Sequence[Reference]:
        """Return the signatures, attestations and SBOMs that a registry has of a manifest.

        cosign tags them after the image's digest; the OCI's referrers name it as their subject.
        """
        client = self._work.reading(repository)
        tags = (f"{digest.algorithm}-{digest.hex}{ending}" for ending in _ENDINGS)
        tagged = [Reference(repository, tag) for tag in tags if client.tag(repository, tag)]
        referrers = client.referrers(repository, digest, note)
        return [*tagged, *(Reference(repository, digest=each.digest) for each in referrers)]

    def images(self, text: str, folder: Path, named: str, origin: str) -> tuple[SourceImage, ...]:
        """Return the images of a source; see the port.

        Raises:
            DocklessError: The source is missing, damaged, or has no image.
        """
        spec = parse_source(text, folder)
        with self._work.deleting():
            return tuple(_images(self._work, spec, named, origin))


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
