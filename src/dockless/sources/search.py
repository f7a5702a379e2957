"""The content of a folder, at any depth: archives and layouts, by content, and other files."""

import os
import re
import stat
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from msgspec import Struct, field

from dockless.errors import SourceError
from dockless.oci.manifest import LONGEST_MANIFEST
from dockless.sources.dir_transport import is_dir_transport
from dockless.sources.judging import listed_files, lists_images, promises_archive, why_no_image
from dockless.sources.not_images import recipe, unpacked_archive
from dockless.sources.source_file import SourceFile, reading
from dockless.sources.source_paths import PART, PARTS_ENDING, is_layout

_OF_LAYOUTS = frozenset({"oci-layout", "index.json", "manifest.json", "bundle.lock.json",
                         "repositories", "version"})  # fmt: skip
_HOUSEKEEPING = re.compile(
    r"lost\+found|\.Trash(?:es|-\d+)?|\$RECYCLE\.BIN|System Volume Information|\.Spotlight-V100"
)
"""Folders of file systems and desktops; images in them were deleted."""

_OF_THE_KERNEL = frozenset({"proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2", "debugfs",
                            "tracefs", "securityfs", "configfs", "pstore", "bpf", "mqueue",
                            "binfmt_misc", "fusectl", "efivarfs", "autofs", "rpc_pipefs", "nsfs",
                            "selinuxfs", "hugetlbfs"})  # fmt: skip
_KERNELS = "it holds virtual files of the system"
_MOUNTS = Path("/proc/self/mountinfo")


class FolderContents(Struct):
    """What was found.

    Attributes:
        sources: The archives, layouts and lists of parts.
        errors: What cannot be read, or is damaged, and why.
        others: Files that are not images, and why.
    """

    sources: list[Path] = field(default_factory=list)
    errors: dict[Path, SourceError] = field(default_factory=dict)
    others: dict[Path, str] = field(default_factory=dict)


def search(top: Path) -> FolderContents:
    """Search a folder, and report everything that is skipped.

    Links to files are followed; links to folders only where these are layouts, so that no folder
    is visited twice.
    """
    found = FolderContents()
    mounts = file_systems(_mounts())
    kept = {path for path, kind in mounts.items() if kind in _OF_THE_KERNEL}
    whole = top.resolve()
    if next((each for each in (whole, *whole.parents) if each in mounts), None) in kept:
        found.others[top] = _KERNELS
        return found
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            with reading(f"The folder {folder}"):
                waiting += sorted(_look_at(folder, found, kept), reverse=True)
        except SourceError as error:
            found.errors[folder] = error
    found.sources.sort()
    if not found.sources and not found.errors and (built := recipe(str(top), top)):
        found.errors[top] = built
    return found


def file_systems(mountinfo: str) -> Mapping[Path, str]:
    """Return the kind of file system that is mounted at each place; proc(5)."""
    fields = (line.partition(" - ") for line in mountinfo.splitlines())
    return {
        Path(re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), before.split()[4])): (
            after.split(" ")[0]
        )
        for before, _, after in fields
    }


def _mounts() -> str:
    try:
        return _MOUNTS.read_text(errors="surrogateescape")
    except OSError:  # not Linux
        return ""


def _look_at(folder: Path, found: FolderContents, kept: Collection[Path]) -> Iterator[Path]:
    """Sort what a folder has directly in it; yield the folders that are still to be looked at."""
    layout = is_layout(folder)
    own = _OF_LAYOUTS if layout else frozenset()
    if layout:
        found.sources.append(folder)
    elif is_dir_transport(folder):
        found.sources.append(folder)
        return
    elif unpacked := _unpacked_archive(folder):
        found.errors[folder] = unpacked_archive(str(folder))
        own = _OF_LAYOUTS | unpacked
    files: list[Path] = []
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    for name in names:
        path = folder / name
        if name in own:
            continue
        kind = _kind(path, found)
        if kind == "folder" and not (layout and name in ("blobs", "ingest")):
            if why := _why_not_looked_at(path, kept):
                found.others[path] = why
            else:
                yield path
        elif kind == "file":
            files.append(path)
    _judge(files, found)


def _kind(path: Path, found: FolderContents) -> str:
    """Return `file`, `folder`, or an empty string for anything else."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        why = "a broken symbolic link" if path.is_symlink() else f"unknown ({error.strerror})"
        if promises_archive(path) or not path.is_symlink():
            found.errors[path] = SourceError(f"{path} is {why}.", "Correct or remove it.")
        else:
            found.others[path] = f"it is {why}"
        return ""
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    found.others[path] = "it is neither a file nor a folder"
    return ""


def _why_not_looked_at(folder: Path, kept: Collection[Path]) -> str:
    if _HOUSEKEEPING.fullmatch(folder.name):
        return "it is a system folder for deleted or recovered files"
    if folder in kept:
        return _KERNELS
    if folder.is_symlink() and not is_layout(folder):
        return "it is a link to a folder, which can be given as a source of its own"
    return ""


def _judge(files: Collection[Path], found: FolderContents) -> None:
    """Sort the files of one folder by their content."""
    parts = _parts(files, found)
    for path in files:
        if path in parts:
            continue
        if path.name.endswith(PARTS_ENDING):
            found.sources.append(path)
            continue
        try:
            why = why_no_image(path)
        except SourceError as error:
            found.errors[path] = error
            continue
        if why:
            found.others[path] = why
        else:
            found.sources.append(path)


def _parts(files: Collection[Path], found: FolderContents) -> frozenset[Path]:
    """Return the files that are parts of a bundle, which their list stands for."""
    parts: defaultdict[Path, list[Path]] = defaultdict(list)
    for path in files:
        if part := PART.fullmatch(path.name):
            parts[path.with_name(part["whole"])].append(path)
    known: set[Path] = set()
    for whole, each in parts.items():
        listing = whole.with_name(whole.name + PARTS_ENDING)
        if listing in files:
            known.update(each)
        elif len(each) > 1 and promises_archive(whole):
            known.update(each)
            found.errors[whole] = SourceError(
                f"{each[0]} is a part of a bundle, but {listing.name}, the list of its parts, is "
                "missing.",
                "Copy that file as well.",
            )
    return frozenset(known)


def _unpacked_archive(folder: Path) -> frozenset[str]:
    """Return what belongs to an unpacked archive of `docker save` in a folder; none for no archive.

    A manifest.json alone may be anything's: one of its configs and layers has to be there.
    """
    path = folder / "manifest.json"
    if not os.path.isfile(path):  # noqa: PTH113 - which raises nothing
        return frozenset()
    try:
        with SourceFile(path) as file:
            data = file.read(LONGEST_MANIFEST)
    except SourceError:  # reported when the file itself is read
        return frozenset()
    if not data.lstrip().startswith(b"[") or not lists_images(data):
        return frozenset()
    named = [name for name in listed_files(data) if os.path.lexists(folder / name)]
    return frozenset(name.split("/")[0] for name in named)
