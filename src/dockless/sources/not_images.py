"""What a file or an archive is that is not an image, and what to do instead."""

import os
import re
from collections.abc import Collection
from pathlib import Path

from dockless.errors import SourceError
from dockless.sources.source_paths import ARCHIVE_ENDINGS, STANDARD_INPUT

_ROOT = frozenset({"bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt",
                   "proc", "root", "run", "sbin", "srv", "sys", "tmp", "usr", "var",
                   ".dockerenv"})  # fmt: skip
"""What a Linux root file system has at its top (Filesystem Hierarchy Standard 3.0)."""

_ENTRY_POINTS = ("index.json", "manifest.json")
_LONGEST_CHARACTER = 4
_UNPACK = "Unpack it, and push the archive or layout that is in it."
_DECOMPRESS = "Decompress it first; gzip, zstd, xz and bzip2 can be pushed as they are."
_DOWNLOAD = "Get the file again, and look at what the server says."
_KINDS = (
    (rb"version https://git-lfs", "a Git LFS pointer", "Fetch the file with 'git lfs pull'."),
    (rb"PK\x03\x04|PK\x05\x06", "a zip archive", _UNPACK),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z archive", _UNPACK),
    (rb"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (rb"!<arch>\n", "a Debian package, or another ar archive", _UNPACK),
    (rb"\x04\x22\x4d\x18", "compressed with lz4", _DECOMPRESS),
    (rb"LZIP", "compressed with lzip", _DECOMPRESS),
    (rb"\x1f\x9d", "compressed with compress", _DECOMPRESS),
    (rb"QFI\xfb", "a disk image of QEMU", "A container image is needed, not a machine's disk."),
    (rb"hsqs", "a SquashFS file system", "Give an archive made by 'docker save' or skopeo."),
    (rb"\s*<(?i:!doctype html|html)", "a web page, perhaps one for logging in", _DOWNLOAD),
    (rb"\s*<\?xml", "an XML document, perhaps an error of a server", _DOWNLOAD),
    (rb"\s*[{\[]", "a JSON document", "Give the folder or the archive that it belongs to."),
)  # fmt: skip
_RECIPE = re.compile(
    r"(?:[\w-]+\.)?(?:Dockerfile|Containerfile)(?:\.[\w.-]+)?|(?:docker-)?compose\.ya?ml"
)
"""Names of files that images are built from."""


def recipe(label: str, path: Path) -> SourceError | None:
    """Return the error for a file that images are built from, or a folder with one; else None.

    Args:
        label: Its name in messages.
        path: The file or folder.
    """
    is_folder, names = os.path.isdir(path), [path.name]  # noqa: PTH112 - which raises nothing
    if is_folder:
        try:
            names = sorted(os.listdir(path))  # noqa: PTH208 - names, not paths
        except OSError:  # which is reported where it is read
            return None
    name = next(filter(_RECIPE.fullmatch, names), "")
    if not name:
        return None
    folder = label if is_folder else os.path.dirname(label) or "."  # noqa: PTH120 - text
    what = f"has a {name}" if is_folder else "is what an image is built from"
    there = "" if os.path.normpath(folder) == "." else f"cd {folder} && "
    return SourceError(
        f"{label} is not an image: it {what}.",
        f"Build and push the image, without a SOURCE: {there}dockless push --build",
    )


def empty(label: str) -> SourceError:
    """Return the error for a file or stream of no bytes."""
    if label == STANDARD_INPUT:
        return SourceError(
            "Standard input is empty: the command before the pipe wrote nothing.",
            "Check that command.",
        )
    return SourceError(f"{label} is empty.", "Create or copy it again.")


def refused_kind(label: str, head: bytes) -> SourceError | None:
    """Return the error for a file that is known to be something else than an image.

    Args:
        label: Its name in messages.
        head: Its first bytes, 32 or more.
    """
    for begins, what, remedy in _KINDS:
        if re.match(begins, head):
            return SourceError(f"{label} is not an image archive: it is {what}.", remedy)
    if not _is_text(head):
        return None
    remedy = "Give an archive made by 'docker save', 'podman save' or skopeo."
    if label != STANDARD_INPUT and not any(ending in label for ending in ARCHIVE_ENDINGS):
        remedy = (
            "If it is a list of sources, give it to `dockless mirror` or `dockless bundle create` "
            f"as -f {label}."
        )
    return SourceError(f"{label} is a text file, not an image archive.", remedy)


def _is_text(head: bytes) -> bool:
    """Whether a file that begins so is a text, in UTF-8; its last character may be cut."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - _LONGEST_CHARACTER + 1:
            return False
        text = head[: error.start].decode()
    return bool(text) and all(each.isprintable() or each.isspace() for each in text)


def unpacked_archive(label: str) -> SourceError:
    """Return the error for a folder with what `docker save` writes to an archive."""
    return SourceError(
        f"{label} is an unpacked archive of 'docker save'.",
        f"Pack it again, as in: tar -C {label} -cf image.tar .",
    )


def no_image(label: str, names: Collection[str]) -> SourceError:
    """Return the error for an archive or a folder without an image at its top.

    Args:
        label: Its name in messages.
        names: The paths in it.
    """
    tops = {name.partition("/")[0] for name in names}
    inner = {name.partition("/")[0] for name in names if name.partition("/")[2] in _ENTRY_POINTS}
    if len(inner) == 1:
        (folder,) = inner
        return SourceError(
            f"{label} has its image in {folder}/, and not at its top.",
            f"Unpack it, and pack what is in that folder: tar -C {folder} -cf image.tar .",
        )
    if "Chart.yaml" in names or any(name.endswith("/Chart.yaml") for name in names):
        return SourceError(
            f"{label} is not an image: it is a Helm chart.", "Push it with 'helm push'."
        )
    if len(tops & _ROOT) * 2 > len(tops):
        return SourceError(
            f"{label} is not an image: it is a root file system, as 'docker export' writes it.",
            "Save the image itself with 'docker save', or make one of the files with "
            "'docker import'.",
        )
    return SourceError(
        f"{label} is not an image: it has neither manifest.json nor index.json.",
        "Give an archive made by 'docker save', 'podman save' or skopeo, or an OCI layout.",
    )
