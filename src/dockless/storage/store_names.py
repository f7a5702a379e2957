"""The names of what dockless makes in a store: whatever has another name is left alone there."""

import re
import stat
from pathlib import Path

from dockless.oci.digest import Digest

MARK = "CACHEDIR.TAG"
"""The file that marks a store, as the Cache Directory Tagging Specification describes it."""

FLAT = ("heads", "journals", "layers", "links", "locks", "programs", "unflushed")
"""Folders of a store in which there are files only."""

ALGORITHMS = ("sha256", "sha384", "sha512")
"""Folders of blobs; see `Digest`."""

FOLDERS = ("blobs", "runs", *FLAT)
"""Every folder of a store."""

_DRAFT = r"\.(?P<of>.+)\.(?:draft|(?:dockless-)?[0-9a-z_]{8}|[0-9]{5,20})"
_NAMES = {
    "heads": r"[0-9a-f]{64}",
    "journals": r"[0-9a-f]{64}\.jsonl",
    "layers": r"(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})\.(?:none|gzip|zstd)",
    "links": r"(?:[a-z0-9-]+%3A[0-9]+|[^/]*[.%][^/]*|localhost)\.json",
    "locks": r"runs|older|[0-9a-f]{2}|[a-z]+-[0-9a-f-]+|[0-9a-f]{32,64}",
    "programs": r"[0-9a-f]{32}\.json",
    "runs": r"[0-9]+-[0-9a-f]{8}",
}
_STRAY = re.compile(
    r"lost\+found|\.nfs[0-9a-f]+|\.fuse_hidden\w+|\.DS_Store|\._.*|\.snapshot"
    r"|Thumbs\.db|desktop\.ini|\.trial-[0-9a-f]{8}|\.CACHEDIR\.TAG\.dockless-[0-9a-f]{8}"
)


def is_stray(name: str) -> bool:
    """Whether file systems and file managers put something of this name into any folder."""
    return _STRAY.fullmatch(name) is not None


def is_ours(path: Path) -> bool:
    """Whether what is in a folder of a store has a name that dockless gives, or is its draft."""
    name, folder = path.name, path.parent.name
    draft = re.fullmatch(_DRAFT, name)
    if folder == "unflushed":
        return is_blob(Path(*name.split(".")[1:])) if name.count(".") == 2 else False  # noqa: PLR2004 - BOOT.ALGORITHM.HEX
    if folder in _NAMES:
        names = (name, draft["of"]) if draft and folder != "runs" else (name,)
        return any(re.fullmatch(_NAMES[folder], each) for each in names)
    return is_blob(Path(folder, draft["of"] if draft else name))


def is_blob(path: Path) -> bool:
    """Whether the end of a path is that of a blob's file: `ALGORITHM/HEX`."""
    try:
        Digest.parse(f"{path.parent.name}:{path.name}")
    except ValueError:
        return False
    return True


def is_run(folder: Path) -> bool:
    """Whether a folder in `runs/` is that of a run: by its name, and by its lock if it has more.

    Raises:
        OSError: It may not be looked at.
    """
    if not is_ours(folder):
        return False
    try:
        status = (folder / "lock").lstat()
    except FileNotFoundError:
        return not any(folder.iterdir())
    return not stat.S_ISREG(status.st_mode) or status.st_size == 0
