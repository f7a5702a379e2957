"""Platforms, as in the `platform` member of an OCI image index."""

from msgspec import Struct

_ALIASES = {
    "x86_64": "amd64",
    "x86-64": "amd64",
    "aarch64": "arm64",
    "i386": "386",
    "armv7": "arm/v7",
}
"""What other programs call processors, as containerd reads it."""

_KNOWN = frozenset(
    f"linux/{each}"
    for each in ("386", "amd64", "arm", "arm64", "arm/v7", "loong64", "mips64le", "ppc64le",
                 "riscv64", "s390x")
)  # fmt: skip


class Platform(Struct, frozen=True):
    """An operating system and a processor: `os/architecture[/variant]`."""

    os: str
    architecture: str
    variant: str = ""

    @classmethod
    def parse(cls, text: str) -> "Platform":
        """Read `linux/arm64/v8`; raise ValueError when it has another shape."""
        parts = text.split("/")
        if not all(parts) or len(parts) not in (2, 3):
            meant = f"linux/{_ALIASES.get(text.lower(), text.lower())}"
            known = f": write {meant}" if meant in _KNOWN else " such as linux/amd64"
            raise ValueError(f"{text!r} is not a platform{known}")
        return cls(*parts)

    def serves(self, wanted: "Platform") -> bool:
        """Whether an image of this platform is what `wanted` asks for.

        A platform asked for without a variant is served by any variant, and arm64 and arm64/v8
        are the same, as containerd's platform matching has it.
        """
        if (self.os, self.architecture) != (wanted.os, wanted.architecture):
            return False
        return not wanted.variant or _variant(self) == _variant(wanted)

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


def _variant(platform: Platform) -> str:
    return platform.variant or ("v8" if platform.architecture == "arm64" else "")
