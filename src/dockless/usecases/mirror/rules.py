"""The options of a mirror that are texts, read as rules."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import UsageError
from dockless.model.options import MirrorOptions
from dockless.model.printable import shortened
from dockless.model.renaming import Map, Renaming
from dockless.model.shard import Shard
from dockless.usecases.mirror.given_names import GivenName


class MirrorRules(Struct, frozen=True):
    """The options of a mirror that are texts, read.

    Attributes:
        renaming: Gives each image its target.
        part: The part to mirror: everything, unless a shard is asked for.
        given: Names images that have no name.
    """

    renaming: Renaming
    part: Shard
    given: GivenName


def mirror_rules(to: str, options: MirrorOptions, environment: Mapping[str, str]) -> MirrorRules:
    """Return the rules; raise UsageError when one is wrong.

    Args:
        to: The registry, and what every repository begins with: HOST or HOST/PREFIX.
        options: The options.
        environment: Says which part this is, where the shard is `auto`.
    """
    renaming, part = _renaming(to, options), _part(options.shard, environment)
    return MirrorRules(renaming, part, GivenName.parse(options.named))


def _renaming(to: str, options: MirrorOptions) -> Renaming:
    into, maps = Renaming.into(to), tuple(map(_map, options.maps))
    return replace(into, strip=options.strip, maps=maps, flatten=options.flatten)


def _map(text: str) -> Map:
    try:
        return Map.parse(text)
    except ValueError as error:
        raise UsageError(f"--map {shortened(text)} {error}.", "Write --map 'A/*=B/*'.") from None


def _part(shard: str | None, environment: Mapping[str, str]) -> Shard:
    try:
        return Shard.parse(shard, environment) if shard else Shard(0, 1)
    except ValueError as error:
        given = shortened(shard or "")
        raise UsageError(
            f"--shard {given}: {error}.", "Give it as INDEX/COUNT, such as 0/4."
        ) from None
