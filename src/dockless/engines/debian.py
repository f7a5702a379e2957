"""Debian's crane, unpacked for one user: no root, and nothing of the system is changed.

apt-get is run with a configuration, lists, a cache and sources of its own, which have the `forky`
suite on the mirrors that the machine itself uses. Debian's archive key, not the mirror, is what is
trusted: no setting of the machine or of the environment lets apt take what that key has not signed,
and the package is compared with the signed index before anything of it is unpacked. gpgv, which
checks signatures, is found on PATH, as apt itself and every other program is.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from dockless.engines.private_apt import complaint, needed, private_apt
from dockless.engines.tampering import tampered
from dockless.errors import EngineError
from dockless.processes.run import run

_SUITE = "forky"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SECONDS = 180.0

# apt prints the strongest digest that the index has
_URI = re.compile(
    r"^'[^']*' \S+\.deb \d+ SHA(?P<bits>256|512):(?P<digest>[0-9a-f]{64}|[0-9a-f]{128})$",
    re.MULTILINE,
)


def unpack_crane(
    scratch: Path, environment: Mapping[str, str], keyring: Path = _KEYRING
) -> tuple[Path, str]:
    """Fetch Debian's crane package and unpack it.

    Args:
        scratch: An empty folder for all that is written here.
        environment: The caller's, with its PATH.
        keyring: The keys that must have signed the suite.

    Returns:
        The program inside `scratch`, and the package's version.

    Raises:
        TamperedError: What arrived is not what the signed index has.
        EngineError: This machine is not a Debian, or the package cannot be had.
    """
    if not keyring.exists():
        raise EngineError(f"Debian's package cannot be checked: there is no {keyring}.")
    apt = private_apt(scratch, _SUITE, keyring, environment)
    dpkg_deb = needed("dpkg-deb", environment)
    # With several mirrors, `update` fails when one of them lacks the suite; `download` decides.
    updated = apt.run("update")
    # what is there already is not listed
    listed = apt.run("--print-uris", "download", "crane").stdout.decode(errors="replace")
    fetched = apt.run("download", "crane")
    package = next(scratch.glob("crane_*.deb"), None)
    if fetched.code != 0 or package is None:
        raise EngineError(
            f"Debian's package cannot be obtained: {complaint(updated.stderr, fetched.stderr)}."
        )
    _compare(package, listed)
    # not dpkg, which has settings of the machine
    argv = (dpkg_deb, "-x", str(package), str(scratch / "root"))
    unpacked = run(argv, apt.environment, timeout=_SECONDS, alone=True)
    program = scratch / "root/usr/bin/crane"
    if unpacked.code != 0 or not program.is_file():
        raise EngineError(f"{package.name} cannot be unpacked: {complaint(unpacked.stderr)}.")
    return program, package.name.split("_")[1]


def _compare(package: Path, listed: str) -> None:
    """See that a package has the SHA-256 or SHA-512 that apt knows from the signed index.

    Args:
        package: The file.
        listed: What `apt-get --print-uris download` says of it.

    Raises:
        TamperedError: It has another one, or the index has none.
    """
    found = _URI.search(listed)
    if found is None:
        raise tampered(f"{package.name} has no SHA-256 or SHA-512 in Debian's signed index.")
    with package.open("rb") as file:
        seen = hashlib.file_digest(file, f"sha{found['bits']}").hexdigest()
    if seen != found["digest"]:
        raise tampered(
            f"{package.name} has the SHA-{found['bits']} {seen}, but Debian's signed index has "
            f"{found['digest']}."
        )
