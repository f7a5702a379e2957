"""What is known of the engines' versions: what is installed, and the bad ones."""

import re

from msgspec import Struct

_CRANE = "0.21.9"
_CRANE_URL = "https://github.com/google/go-containerregistry/releases/download"
_CRANE_SHA256 = {
    "Linux_x86_64": "5c16d8ddb971cb1d5e6ed8b1e743da8224414eeba2c2762d8f1a61b2f095699e",
    "Linux_arm64": "1f4c647b7bb260ab5435661df5b526cf59950ebf95201790db7183ac189cbcbd",
    "Darwin_x86_64": "f31075b3375f79b406a600e090d5c4778b3c6598a01c817dc7898c05c7c00a56",
    "Darwin_arm64": "11cc3640e53473eb0d8c501068573e52a259f4d82177e6dd11b7bacb8955459e",
}
_MACHINES = {"amd64": "x86_64", "aarch64": "arm64"}


class Release(Struct, frozen=True):
    """An archive that an engine's authors published.

    Attributes:
        version: The engine's version.
        url: Where the archive is.
        sha256: The archive's checksum, in lower-case hexadecimal.
    """

    version: str
    url: str
    sha256: str


class GoSource(Struct, frozen=True, kw_only=True):
    """An engine's source, as a module of Go.

    Attributes:
        version: The engine's version.
        module: The module's path.
        package: The program's package, relative to the module's root.
        checksum: The module's `h1:` sum, as a go.sum has it (golang.org/x/mod/sumdb/dirhash).
        go: The oldest Go that builds it, as its go.mod says.
        stamped: The variables of the source that take the version, as the authors' releases do.
    """

    version: str
    module: str
    package: str
    checksum: str
    go: tuple[int, int]
    stamped: tuple[str, ...]


CRANE_SOURCE = GoSource(
    version="0.22.1",
    module="github.com/google/go-containerregistry",
    package="./cmd/crane",
    checksum="h1:RZuuSYhTvlDvtsK+NkutoCZ//C0X2ebLK8X8l3ULs84=",
    go=(1, 25),
    stamped=("cmd/crane/cmd.Version", "pkg/v1/remote/transport.Version"),
)


def crane_release(system: str, machine: str) -> Release | None:
    """Return crane's pinned release for a machine, or None when there is none.

    Args:
        system: `Linux` or `Darwin`, as `platform.system()` has it.
        machine: The processor, as `platform.machine()` has it.
    """
    platform = f"{system}_{_MACHINES.get(machine, machine)}"
    sha256 = _CRANE_SHA256.get(platform)
    if sha256 is None:
        return None
    url = f"{_CRANE_URL}/v{_CRANE}/go-containerregistry_{platform}.tar.gz"
    return Release(_CRANE, url, sha256)


class Quirk(Struct, frozen=True):
    """A fault of an engine's older versions, and what dockless does about it.

    Attributes:
        engine: `crane` or `skopeo`.
        below: The first version without the fault, or the first not known to have it.
        text: The fault, and why it does no harm here.
    """

    engine: str
    below: tuple[int, ...]
    text: str


QUIRKS = (
    Quirk("skopeo", (1, 9, 4), "misreads gzipped docker-archives: it gets only OCI layouts"),
    Quirk("skopeo", (1, 11), "also reads ~/.docker: it gets an empty HOME"),
    Quirk("skopeo", (1, 18), "exits 0 on wrong usage: the digest that it reports is checked"),
    Quirk("crane", (0, 21, 7), "refuses ./-prefixed tars: it gets only OCI layouts"),
)


def quirks(name: str, version: str) -> tuple[str, ...]:
    """Return what is wrong with this version of an engine; nothing when it is unknown."""
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    if numbers is None:
        return ()
    known = tuple(int(number) for number in numbers[0].split("."))
    return tuple(quirk.text for quirk in QUIRKS if quirk.engine == name and known < quirk.below)
