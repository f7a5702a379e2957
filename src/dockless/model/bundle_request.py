"""What is to go into a bundle."""

import re
from pathlib import Path

from msgspec import Struct

from dockless.errors import UsageError
from dockless.oci.platform import Platform

_OTHER_ARCHIVES = re.compile(
    r"\.(?:tar\.\w+|t(?:gz|bz2?|xz|zst)|zip|7z|rar|gz|bz2|xz|zst|iso|img)\Z", re.IGNORECASE
)
"""Endings that promise another file than a bundle is; a folder would be made of that name."""


class BundleRequest(Struct, frozen=True, kw_only=True):
    """What is to go into a bundle, and how it is written.

    Attributes:
        sources: The sources, as for a mirror.
        out: The folder or `.tar` file that is written; `-` for an archive on standard output.
        files: Lists of further sources.
        named: Name for images without a full name: NAME or NAME:TAG; None for none.
        referrers: Whether the referrers of an image are included.
        split: The most bytes of a part of the archive; None for one file.
        since: An older bundle, whose layers are left out; None for none.
        keep_going: Whether what cannot be found or read is left out, in place of the whole bundle.
        force: Whether an older bundle is replaced.
        platforms: Those of each index that are taken; none for all.
    """

    sources: tuple[str, ...]
    out: Path
    files: tuple[Path, ...] = ()
    named: str | None = None
    referrers: bool = True
    split: int | None = None
    since: Path | None = None
    keep_going: bool = False
    force: bool = False
    platforms: tuple[Platform, ...] = ()

    @property
    def is_archive(self) -> bool:
        """Whether a tar is asked for, and not a folder."""
        return self.to_stdout or self.out.name.endswith(".tar")

    @property
    def to_stdout(self) -> bool:
        """Whether the archive goes to standard output."""
        return str(self.out) == "-"

    @property
    def label(self) -> str:
        """What the bundle is called in messages."""
        return "standard output" if self.to_stdout else str(self.out)

    def check(self, *, shown: bool = False) -> None:
        """Raise UsageError where the request contradicts itself, or nothing can come of it.

        Args:
            shown: Whether standard output is a terminal.
        """
        if self.to_stdout and self.split:
            raise UsageError(
                "--split makes several files, and standard output takes one.", "Give -o FILE.tar."
            )
        if _OTHER_ARCHIVES.search(self.out.name):
            raise UsageError(
                f"A bundle is a folder or a .tar file, and {self.out} would be neither.",
                "Give -o FILE.tar: its layers are compressed already.",
            )
        if self.split and not self.is_archive:
            raise UsageError(
                f"--split is for an archive, and {self.out} would be a folder.",
                f"Give -o {self.out}.tar.",
            )
        if not self.sources and not self.files:
            raise UsageError(
                "There is nothing to put into the bundle.", "Give a SOURCE, or a list with -f."
            )
        if not self.out.parent.is_dir():
            raise UsageError(f"There is no folder {self.out.parent} for -o.", "Make it first.")
        if self.to_stdout and shown:
            raise UsageError(
                "The archive would go to the terminal.",
                "Redirect standard output to a file or a pipe, or give -o FILE.tar.",
            )
