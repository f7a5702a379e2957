"""What is to be mirrored, and where to."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.options import MirrorOptions
from dockless.model.shard import Shard
from dockless.usecases.mirror.rules import MirrorRules, mirror_rules


class MirrorRequest(Struct, frozen=True, kw_only=True):
    """What is mirrored, and where to.

    Attributes:
        sources: The sources, as texts.
        files: Lists of further sources.
        to: The registry, and what every repository begins with: HOST or HOST/PREFIX.
        receipt: The file of the receipt; None for none.
        folder: What relative paths start from.
        options: How.
    """

    sources: tuple[str, ...]
    files: tuple[Path, ...]
    to: str
    receipt: Path | None
    folder: Path
    options: MirrorOptions

    def rules(self, environment: Mapping[str, str]) -> MirrorRules:
        """Return the rules; raise UsageError when one is wrong, or nothing is to be mirrored.

        Args:
            environment: Says which part this is, where the shard is `auto`.
        """
        rules = mirror_rules(self.to, self.options, environment)
        if not self.sources and not self.files:
            raise UsageError("There is nothing to mirror.", "Give a SOURCE, or a list with -f.")
        return rules

    def identity(self, part: Shard) -> tuple[object, ...]:
        """Return what runs of one mirror have in common: arguments and folder.

        Args:
            part: The part that is mirrored.
        """
        options = self.options
        named = (self.to, options.named, options.strip, options.maps, options.flatten)
        # its repr, not its text: older versions found their logs by that
        kept = (*named, options.referrers, repr(part))
        platform: object = tuple(sorted(map(str, options.chosen))) or None
        if len(options.chosen) == 1:  # as older versions found their logs by it
            platform = options.chosen[0]
        return (self.folder, self.sources, self.files, platform, *kept)
