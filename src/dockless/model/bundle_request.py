"""What is to go into a bundle."""

import re
from pathlib import Path

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.output_path import check_folder_of
from dockless.oci.platform import Platform

_OTHER_ARCHIVES = re.compile(
    r"\.(?:tar\.\w+|t(?:gz|bz2?|xz|zst)|zip|7z|rar|gz|bz2|xz|zst|iso|img)\Z", re.IGNORECASE
)
"""Endings that promise another file than a bundle is; a folder would be made of that name."""

_ENDING = re.compile(r"[^.].*\.[a-z]\w{0,7}", re.IGNORECASE)
"""A name with an ending as files have it; `disk-1.2` has a version."""

_FOLDER_ENDINGS = ("/", "/.", "/..")


class BundleRequest(Struct, frozen=True, kw_only=True):
    """What is to go into a bundle, and how it is written.

    Attributes:
        sources: The sources, as for a mirror.
        output: The folder or `.tar` file that is written, as it was typed: `x.tar/` is a folder;
            `-` for an archive on standard output.
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
    output: str
    files: tuple[Path, ...] = ()
    named: str | None = None
    referrers: bool = True
    split: int | None = None
    since: Path | None = None
    keep_going: bool = False
    force: bool = False
    platforms: tuple[Platform, ...] = ()

    @property
    def out(self) -> Path:
        """The path of what is written."""
        return Path(self.output)

    @property
    def is_archive(self) -> bool:
        """Whether a tar is asked for, and not a folder."""
        return self.to_stdout or (not self._names_folder and self.out.name.lower().endswith(".tar"))

    @property
    def _names_folder(self) -> bool:
        """Whether it can be nothing but a folder, whatever its ending."""
        return self.output.endswith(_FOLDER_ENDINGS)

    @property
    def to_stdout(self) -> bool:
        """Whether the archive goes to standard output."""
        return self.output == "-"

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
        if not self.output.strip():
            raise UsageError("-o is empty.", "Give -o FOLDER or -o FILE.tar.")
        self._check_ending()
        if self.split and not self.is_archive:
            raise UsageError(
                f"--split is for an archive, and {self.out} would be a folder.",
                f"Give -o {str(self.out).removesuffix('.tar')}.tar.",
            )
        if not self.sources and not self.files:
            raise UsageError(
                "There is nothing to put into the bundle.", "Give a SOURCE, or a list with -f."
            )
        check_folder_of(self.out, "-o")
        if self.to_stdout and shown:
            raise UsageError(
                "The archive would go to the terminal.",
                "Redirect standard output to a file or a pipe, or give -o FILE.tar.",
            )

    def _check_ending(self) -> None:
        if self._names_folder or self.is_archive:
            return
        neither = f"A bundle is a folder or a .tar file, and {self.out} would be neither."
        if _OTHER_ARCHIVES.search(self.out.name):
            raise UsageError(neither, "Give -o FILE.tar: its layers are compressed already.")
        if _ENDING.fullmatch(self.out.name) and not self.out.exists():
            raise UsageError(
                neither,
                f"Give -o {self.out.with_suffix('.tar')}, or -o {self.out}/ for a folder of that "
                "name.",
            )
