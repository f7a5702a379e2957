"""How a registry is reached: the options that every command with a registry has."""

import os
from pathlib import Path

from msgspec import Struct

FilePath = str | os.PathLike[str]
"""A path, as callers of the library give it."""


class RegistryAccess(Struct, frozen=True, kw_only=True):
    """How a registry is reached.

    Attributes:
        insecure: Whether plain HTTP is used; for loopback addresses it always is.
        ca_file: A PEM file of one more certificate authority.
        cert_dir: A folder with *.crt, and *.cert with *.key for a client certificate.
        insecure_realms: Token services, HOST[:PORT], that get passwords without TLS.
    """

    insecure: bool = False
    ca_file: FilePath | None = None
    cert_dir: FilePath | None = None
    insecure_realms: tuple[str, ...] = ()


def path_of(given: FilePath | None) -> Path | None:
    """Return a path that is given, None for none."""
    return None if given is None else Path(given)
