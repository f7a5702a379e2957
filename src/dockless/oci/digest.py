"""Digests, as the OCI image-spec defines them in descriptor.md."""

import hashlib
import re
from typing import Protocol

from msgspec import Struct

_HEX_LENGTH = {"sha256": 64, "sha384": 96, "sha512": 128}
ALGORITHMS = tuple(_HEX_LENGTH)
"""Those that a digest may have here; a registry need support sha256 only."""
_DIGEST = re.compile(r"(?P<algorithm>[a-z0-9]+(?:[+._-][a-z0-9]+)*):(?P<hex>[0-9a-f]+)")

_LONGEST_SHOWN = 200


class Hasher(Protocol):
    """The part of a `hashlib` object that is used here."""

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        """Take more bytes in."""

    def hexdigest(self) -> str:
        """Return the digest so far, in lower-case hexadecimal."""


class Digest(Struct, frozen=True, order=True):
    """The digest of a blob: `algorithm:hex`.

    Attributes:
        algorithm: `sha256`, `sha384` or `sha512`.
        hex: The encoded part, lower-case hexadecimal of the algorithm's length.
    """

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> "Digest":
        """Read `sha256:…`; raise ValueError when it is not a digest we can check."""
        found = _DIGEST.fullmatch(text)
        if found is None or _HEX_LENGTH.get(found["algorithm"]) != len(found["hex"]):
            raise ValueError(f"{text[:_LONGEST_SHOWN]!r} is not a digest")
        return cls(found["algorithm"], found["hex"])

    @classmethod
    def of(cls, data: bytes) -> "Digest":
        """Return the sha256 digest of these bytes."""
        return cls("sha256", hashlib.sha256(data).hexdigest())

    def referrers_tag(self) -> str:
        """Return the referrers tag of this manifest, for registries without the referrers API.

        As the distribution-spec has it under 'Referrers Tag Schema'.
        """
        return f"{self.algorithm[:32]}-{self.hex[:64]}"

    def hasher(self) -> Hasher:
        """Return a new hash object of this digest's algorithm."""
        return hashlib.new(self.algorithm)

    def matches(self, data: bytes) -> bool:
        """Whether these bytes have this digest."""
        return hashlib.new(self.algorithm, data).hexdigest() == self.hex

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
