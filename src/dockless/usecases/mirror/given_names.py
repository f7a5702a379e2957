"""The names of images that have none in their source."""

from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import DocklessError, SourceError, UsageError
from dockless.model.pins import WrongPinError
from dockless.oci.digest import Digest
from dockless.oci.manifest import parse_document
from dockless.oci.reference import Name
from dockless.ports import SourceImage
from dockless.usecases.mirror.run import Lost, check_pins, whole_names


class GivenName(Struct, frozen=True):
    """The value of `--as`.

    Attributes:
        repository: Repository name for images that have only a tag or no name; empty to name it
            after the source.
        tag: The tag of images without a full name; empty for the one that they have, or else none,
            so that they go by digest.
        by_source: Whether what has no name goes by digest to the repository named like its source;
            else it is lost.
    """

    repository: str = ""
    tag: str = ""
    by_source: bool = True

    @classmethod
    def parse(cls, text: str | None) -> "GivenName":
        """Read NAME or NAME:TAG; raise UsageError when it is neither."""
        if not text:
            return cls()
        try:
            name = Name.parse(text)
        except ValueError as error:
            raise UsageError(
                f"--as {text} is not a name: {error}.", "Give it as NAME:TAG."
            ) from None
        if name.digest:
            raise UsageError(f"--as {text} has a digest.", "Give it as NAME:TAG.")
        return cls(str(replace(name, tag="")), name.tag)


def all_named(
    images: tuple[SourceImage, ...],
    given: GivenName,
    note: Callable[[str], None],
    *,
    referrers: bool,
) -> Iterator[SourceImage | Lost]:
    """Yield the images of an archive or layout, each with a name.

    One without a name that has a subject goes to the subject's repository, and any other to its
    repository by digest, or with the tag that was given. That tag is also for one that has a tag or
    a digest only.

    Args:
        images: The images of one source.
        given: The name for images without one.
        note: Called with a line for each image that gets one.
        referrers: Whether referrers are included.
    """
    homes: dict[Digest, list[str]] = {}
    subjects: dict[Digest, Digest] = {}
    images = tuple(_renamed(image, given) for image in images)
    for image in images:
        documents = image.content.documents if image.content else {}
        whole = _repositories(image)
        for digest, data in documents.items():
            homes.setdefault(digest, []).extend(whole)
            subject = parse_document(data).subject
            if subject and not whole:
                subjects[digest] = subject
    for position, image in enumerate(images):
        root = image.content.root.digest if image.content else None
        near = _homes(root, homes, subjects) if root in subjects and not image.names else []
        if image.fault:
            place = f"@{position}"
            yield Lost(source=image.source, name=place, error=image.fault, origin=image.origin)
        elif image.names:
            yield image
        elif not near:
            yield _named(image, position, given, note)
        elif referrers:
            yield replace(image, names=tuple(dict.fromkeys(f"{home}@{root}" for home in near)))


def _renamed(image: SourceImage, given: GivenName) -> SourceImage:
    """Give an image that has a tag or a digest only the name that was given, if it has a tag."""
    if not given.tag or not image.names or not all(map(_is_partial, image.names)):
        return image
    try:
        check_pins(image)
    except WrongPinError:  # it keeps its name, of which the plan says so
        return image
    return replace(image, names=(f"{given.repository}:{given.tag}",))


def _is_partial(text: str) -> bool:
    if ":" not in text and "/" not in text:
        return True
    try:
        name = Name.parse(text)
    except ValueError:  # the plan says so
        return False
    return name.digest is not None and not name.tag


def _named(
    image: SourceImage, position: int, given: GivenName, note: Callable[[str], None]
) -> SourceImage | Lost:
    if given.tag:
        return replace(image, names=(f"{image.bare}:{given.tag}",))
    place = f"@{position}"
    if not given.by_source:
        nameless = SourceError(
            f"An image of {image.source} has no name.",
            "Give --to HOST[/PREFIX], or push it by itself, as "
            f"{image.source}:{place} with --image HOST/NAME:TAG.",
        )
        return Lost(source=image.source, name=place, error=nameless, origin=image.origin)
    try:
        opened = image.open()
        content = opened.content()
    except DocklessError as error:
        return Lost(source=image.source, name=place, error=error, origin=image.origin)
    name = f"{image.bare}@{content.root.digest}"
    note(f"An image of {image.source} has no name there; it is named {name}.")
    return replace(image, names=(name,), content=content, open=lambda: opened)


def _repositories(image: SourceImage) -> list[str]:
    try:
        return [str(replace(name, tag="", digest=None)) for name in whole_names(image)]
    except ValueError:  # the plan says which name has no place
        return []


def _homes(
    digest: Digest | None, homes: Mapping[Digest, list[str]], subjects: Mapping[Digest, Digest]
) -> list[str]:
    """Return the repositories of a manifest: its own, or its subject's."""
    while digest and digest in subjects and not homes.get(digest):  # none leads back to itself
        digest = subjects[digest]
    return homes.get(digest, []) if digest else []
