"""The headers of tar archives, checked before anything acts on them."""

import contextlib
import tarfile
from collections.abc import Collection, Container, Iterator
from functools import partial
from typing import IO

from dockless.errors import SourceError
from dockless.oci.manifest import LONGEST_MANIFEST
from dockless.sources.safe_names import link_target, safe_name

_MOST_MEMBERS = 65_536
_LONGEST_CHAIN = 32
_CHAIN = "dockless_chain"
_LARGEST_MEMBER = 1 << 53
ENTRY_POINTS = ("manifest.json", "index.json")


class Header(tarfile.TarInfo):
    """A header that is checked before tarfile acts on it, and afterwards.

    tarfile reads an extended header into memory whatever length it claims, goes backwards, for
    ever, when a length is negative, and calls itself for every extended header before a file.
    """

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        extended = (
            tarfile.XHDTYPE,
            tarfile.XGLTYPE,
            tarfile.GNUTYPE_LONGNAME,
            tarfile.GNUTYPE_LONGLINK,
        )
        is_extended = self.type in extended
        if self.size < 0 or (is_extended and self.size > LONGEST_MANIFEST):
            raise tarfile.ReadError(f"a header claims {self.size} bytes")
        chain = vars(archive)
        chain[_CHAIN] = chain.get(_CHAIN, 0) + 1 if is_extended else 0
        if chain[_CHAIN] > _LONGEST_CHAIN:
            raise tarfile.ReadError(f"more than {_LONGEST_CHAIN} extended headers in a row")
        parsed: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc] # tarfile's hook
        chain[_CHAIN] = 0
        # what an extended header says counts more than the header's own field
        if not 0 <= parsed.size <= _LARGEST_MEMBER:
            raise tarfile.ReadError("an extended header claims an impossible size")
        return parsed


def opened(file: IO[bytes]) -> tarfile.TarFile:
    """Return the archive in an uncompressed file, whose first header is read.

    Raises:
        tarfile.TarError: It is not an archive.
    """
    with header_errors():
        return tarfile.open(fileobj=file, mode="r:", tarinfo=Header)


def members(
    archive: tarfile.TarFile, label: str, folders: set[str] | None = None
) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Yield what is not a folder, each under its safe name, each name once.

    Args:
        archive: The archive.
        label: Its name in messages.
        folders: Gets the safe names of its folders.
    """
    seen: set[str] = set()
    for count, member in enumerate(iter(partial(_next, archive), None)):
        archive.members = []  # type: ignore[attr-defined] # or tarfile keeps every one of them
        if count >= _MOST_MEMBERS:
            raise SourceError(
                f"{label} has more than {_MOST_MEMBERS} files, more than any image archive.",
                "Give an archive made by 'docker save', 'podman save' or skopeo.",
            )
        name = safe_name(member.name, label)
        if member.isdir():
            if folders is not None:
                folders.add(name)
            continue
        if name in seen:
            raise SourceError(
                f"{label} has two files named {name!r}.",
                "Save the image again, into a new file: it is ambiguous which of the two is meant.",
            )
        seen.add(name)
        if name in ENTRY_POINTS and member.size > LONGEST_MANIFEST:
            raise too_large(label, name, member.size)
        yield name, member


def _next(archive: tarfile.TarFile) -> tarfile.TarInfo | None:
    with header_errors():
        return archive.next()


@contextlib.contextmanager
def header_errors() -> Iterator[None]:
    """Turn what tarfile's own parsing of numbers and texts raises into its ReadError."""
    try:
        yield
    except (ValueError, OverflowError, IndexError, KeyError, TypeError, RecursionError) as error:
        raise tarfile.ReadError(f"a header cannot be read ({error})") from None


@contextlib.contextmanager
def tar_errors(label: str, head: bytes = b"") -> Iterator[None]:
    """Turn tarfile's errors for a damaged archive into a SourceError.

    Args:
        label: Its name in messages.
        head: How it begins, which tells what else it may be.
    """
    try:
        yield
    except tarfile.ReadError as error:
        from dockless.sources.not_images import empty, refused_kind  # noqa: PLC0415 - rare

        if "empty file" in str(error):
            raise empty(label) from None
        if "unexpected end of data" in str(error):
            raise SourceError(f"{label} is truncated.", "Create or copy it again.") from None
        raise refused_kind(label, head) or SourceError(
            f"{label} is not a readable tar archive: {error}.",
            "Give an archive made by 'docker save', 'podman save' or skopeo.",
        ) from None
    except tarfile.TarError as error:
        raise SourceError(f"{label} is damaged: {error}.", "Create or copy it again.") from None


def is_plain_file(member: tarfile.TarInfo) -> bool:
    """Whether a member's data stands in the archive as it is, one piece."""
    return member.isreg() and not member.issparse()


class Links:
    """The links of an archive, by name.

    Attributes:
        fault: What is wrong with the first member that no image archive has.
    """

    def __init__(self) -> None:
        self.fault: SourceError | None = None
        self._targets: dict[str, str] = {}

    @property
    def names(self) -> Collection[str]:
        """The names of the links."""
        return self._targets

    def add(self, name: str, member: tarfile.TarInfo, label: str) -> None:
        """Take in a member that is no plain file."""
        self._targets[name] = name
        try:
            self._targets[name] = _target(name, member, label)
        except SourceError as error:
            self.fault = self.fault or error

    def refuse_faulty(self, archive: Container[object]) -> None:
        """Raise what is wrong with a member of an image archive; others may have any.

        Args:
            archive: The names in it.

        Raises:
            SourceError: It has an image, and a member that no such archive has.
        """
        if self.fault and any(name in archive for name in ENTRY_POINTS):
            raise self.fault

    def follow(self, name: str) -> str:
        """Return the name at the end of the chain; a chain that closes on itself has none."""
        visited: set[str] = set()
        while name in self._targets and name not in visited:
            visited.add(name)
            name = self._targets[name]
        return name


def _target(name: str, member: tarfile.TarInfo, label: str) -> str:
    """Return where a link leads; raise SourceError for another member, or if that is outside."""
    if member.issym() or member.islnk():
        return link_target(name, member.linkname, label, hard=member.islnk())
    if member.issparse():
        raise SourceError(
            f"{label} has {name!r} as a sparse file, without its zeros.",
            "Pack it again without tar's option --sparse (-S).",
        )
    raise SourceError(
        f"{label} has {name!r}, which is neither a file nor a link.",
        "Give an archive made by 'docker save', 'podman save' or skopeo.",
    )


def too_large(label: str, name: str, size: int) -> SourceError:
    """Return the error for a manifest or config of impossible size, in bytes."""
    return SourceError(
        f"{label}: {name} claims {size} bytes; manifests and configs have at most "
        f"{LONGEST_MANIFEST}.",
        "Nothing was pushed: such an archive is damaged or an attack.",
    )
