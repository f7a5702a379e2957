"""What is to go into a bundle."""

from pathlib import Path

from msgspec import Struct

from dockless.errors import UsageError


class BundleRequest(Struct, frozen=True, kw_only=True):
    """What is to go into a bundle, and how it is written.

    Attributes:
        sources: The sources, as for a mirror.
        out: The folder or `.tar` file that is written.
        files: Lists of further sources.
        named: Name for images without a full name: NAME or NAME:TAG; None for none.
        referrers: Whether the referrers of an image are included.
        split: The most bytes of a part of the archive; None for one file.
        since: An older bundle, whose layers are left out; None for none.
        keep_going: Whether what cannot be found or read is left out, in place of the whole bundle.
    """

    sources: tuple[str, ...]
    out: Path
    files: tuple[Path, ...] = ()
    named: str | None = None
    referrers: bool = True
    split: int | None = None
    since: Path | None = None
    keep_going: bool = False

    @property
    def is_archive(self) -> bool:
        """Whether a tar is asked for, and not a folder."""
        return self.out.name.endswith(".tar")

    def check(self) -> None:
        """Raise UsageError where the request contradicts itself, or nothing can come of it."""
        if self.split and not self.is_archive:
            raise UsageError("--split is for an archive.", "Give -o FILE.tar.")
        if not self.sources and not self.files:
            raise UsageError(
                "There is nothing to put into the bundle.", "Give a SOURCE, or a list with -f."
            )
        if not self.out.parent.is_dir():
            raise UsageError(f"There is no folder {self.out.parent}.", "Make it first.")
