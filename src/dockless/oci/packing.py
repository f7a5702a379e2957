"""How layers are compressed, and how that is chosen."""

from typing import Literal

from msgspec import Struct

Compression = Literal["none", "gzip", "zstd"]

_MB = 1_000_000


class Packing(Struct, frozen=True, kw_only=True):
    """The compression for uncompressed layers.

    Attributes:
        compression: The format.
        level: The encoder's: 1 to 3 for gzip (isal), 1 to 22 for zstd.
        kept: Further formats: a layer that is known in one of them stays as it is.
        why: The reason for the choice; empty when it was given explicitly.
    """

    compression: Compression
    level: int
    kept: tuple[Compression, ...] = ()
    why: str = ""

    def __str__(self) -> str:
        level = "" if self.compression == "none" else f", level {self.level}"
        return f"{self.compression}{level}{f' ({self.why})' if self.why else ''}"


_USUAL: dict[Compression, int] = {"none": 0, "gzip": 1, "zstd": 3}
GZIP = Packing(compression="gzip", level=_USUAL["gzip"])


def asked(compression: Compression) -> Packing:
    """Return a format with its usual level."""
    return Packing(compression=compression, level=_USUAL[compression])


class _Level(Struct, frozen=True):
    """The effect of a level on the files of a Linux system, with one core.

    Attributes:
        level: The level.
        speed: Bytes a second that go in.
        ratio: Bytes that come out for each.
    """

    level: int
    speed: float
    ratio: float


# Measured on an AMD EPYC with 523 MB of the files of /usr. More gains little for much time.
_LEVELS: dict[Compression, tuple[_Level, ...]] = {
    "gzip": (
        _Level(1, 327 * _MB, 0.388),
        _Level(2, 311 * _MB, 0.384),
        _Level(3, 135 * _MB, 0.377),
    ),
    "zstd": (
        _Level(1, 293 * _MB, 0.370),
        _Level(2, 227 * _MB, 0.353),
        _Level(3, 155 * _MB, 0.337),
        _Level(5, 72 * _MB, 0.326),
        _Level(6, 58 * _MB, 0.318),
        _Level(9, 33 * _MB, 0.311),
    ),
}


def chosen(link: float | None, cores: int, *, zstd: bool, where: str) -> Packing:
    """Choose for a registry: a format that it accepts, and the level that finishes first.

    Compression and upload go side by side, so the slower of the two is what a push takes.

    Args:
        link: Bytes a second that went to the registry before; None when nothing did.
        cores: How many compress.
        zstd: Whether the registry and its readers support it.
        where: What to call the registry.
    """
    compression: Compression = "zstd" if zstd else "gzip"
    kept: tuple[Compression, ...] = ("gzip", "zstd") if zstd else ("gzip",)
    if link is None:
        why = f"the upload speed to {where} is not known yet"
        return Packing(compression=compression, level=_USUAL[compression], kept=kept, why=why)

    def seconds_a_byte(level: _Level) -> float:
        return max(1 / (level.speed * cores), level.ratio / link)

    best = min(_LEVELS[compression], key=seconds_a_byte)
    return Packing(
        compression=compression,
        level=best.level,
        kept=kept,
        why=f"{link / _MB:.3g} MB/s to {where}",
    )
