"""Debian's crane, unpacked for one user: no root, and nothing of the system is changed.

apt-get is run on a private state: its own lists, cache and sources, and the `forky` suite on the
mirrors that the machine itself uses. Debian's archive key, not the mirror, is what is trusted: no
setting of the machine or of the environment lets apt take what that key has not signed, and the
package is compared with the signed index before anything of it is unpacked.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from dockless.engines.tampering import tampered
from dockless.errors import EngineError
from dockless.processes.run import run
from dockless.processes.search import find_program

_SUITE = "forky"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_SECONDS = 180.0
_CHUNK = 1 << 20

# every way in which apt takes what is not signed, or signed too weakly; how old a signed index may
# be stays the machine's to say, whose mirror may be a snapshot
_UNSIGNED = {
    "APT::Get::AllowUnauthenticated": "false",
    "APT::Get::Force-Yes": "false",
    "APT::Get::allow-downgrades": "false",
    "APT::Authentication::TrustCDROM": "false",
    "Acquire::AllowInsecureRepositories": "false",
    "Acquire::AllowWeakRepositories": "false",
    "Acquire::AllowDowngradeToInsecureRepositories": "false",
}
# the same for each source, where it goes before the settings for all of them
_OF_A_SOURCE = "allow-insecure=no allow-weak=no allow-downgrade-to-insecure=no"
_URI = re.compile(r"^'[^']*' (?P<name>\S+\.deb) \d+ SHA256:(?P<sha256>[0-9a-f]{64})$", re.MULTILINE)

# A release's main suite; security, updates and other vendors' suites have more in their names.
_MAIN_SUITE = re.compile(r"[a-z]+")


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
    environment = _without_apts_own(environment)
    apt_get, dpkg = (_program(name, environment) for name in ("apt-get", "dpkg"))
    if not keyring.exists():
        raise EngineError(f"Debian's package cannot be checked: there is no {keyring}.")
    mirrors = _mirrors(apt_get, environment)
    private = _private_state(scratch, mirrors, keyring)
    # With several mirrors, `update` fails when one of them lacks the suite; `download` decides.
    updated = run((apt_get, *private, "update"), environment, timeout=_SECONDS)
    fetched = run(
        (apt_get, *private, "download", "crane"), environment, timeout=_SECONDS, cwd=scratch
    )
    package = next(scratch.glob("crane_*.deb"), None)
    if fetched.code != 0 or package is None:
        raise EngineError(
            f"Debian's package cannot be obtained: {_reason(updated.stderr, fetched.stderr)}."
        )
    listed = run(
        (apt_get, *private, "--print-uris", "download", "crane"), environment, timeout=_SECONDS
    )
    _compare(package, listed.stdout.decode(errors="replace"))
    unpacked = run((dpkg, "-x", str(package), str(scratch / "root")), environment, timeout=_SECONDS)
    program = scratch / "root/usr/bin/crane"
    if unpacked.code != 0 or not program.is_file():
        raise EngineError(f"{package.name} cannot be unpacked: {_reason(unpacked.stderr)}.")
    return program, package.name.split("_")[1]


def _without_apts_own(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without what names other settings for apt and dpkg."""
    own = ("APT_", "DPKG_")
    return {name: text for name, text in environment.items() if not name.startswith(own)}


def _compare(package: Path, listed: str) -> None:
    """See that a package has the SHA-256 that apt knows from the signed index.

    Args:
        package: The file.
        listed: What `apt-get --print-uris download` says of it.

    Raises:
        TamperedError: It has another one, or the index has none.
    """
    found = _URI.search(listed)
    if found is None:
        raise tampered(f"{package.name} has no SHA-256 in Debian's signed index.")
    seen = hashlib.sha256()
    with package.open("rb") as file:
        while chunk := file.read(_CHUNK):
            seen.update(chunk)
    if seen.hexdigest() != found["sha256"]:
        raise tampered(
            f"{package.name} has the SHA-256 {seen.hexdigest()}, but Debian's signed index has "
            f"{found['sha256']}."
        )


def _program(name: str, environment: Mapping[str, str]) -> str:
    found = find_program(name, environment.get("PATH", ""))
    if found is None:
        raise EngineError(f"Debian's package cannot be used here: {name} does not exist.")
    return found


def _mirrors(apt_get: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the URIs that the machine takes its main suite from, as apt itself reads them."""
    asked = ("--no-release-info", "--format", "$(COMPONENT) $(RELEASE) $(REPO_URI)")
    listed = run((apt_get, "indextargets", *asked, "Identifier: Packages"), environment)
    targets = [line.split(" ", 2) for line in listed.stdout.decode(errors="replace").splitlines()]
    uris = [
        uri
        for component, suite, uri in targets
        if component == "main" and _MAIN_SUITE.fullmatch(suite)
    ]
    if not uris:
        raise EngineError(
            "Debian's package cannot be obtained: apt's sources name no Debian mirror."
        )
    return tuple(dict.fromkeys(uris))


def _private_state(scratch: Path, mirrors: tuple[str, ...], keyring: Path) -> tuple[str, ...]:
    """Prepare folders and sources for apt in `scratch`, and return the options that name them."""
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True)
    status, sources = scratch / "status", scratch / "sources.list"
    status.touch()
    sources.write_text(
        "".join(
            f"deb [signed-by={keyring} {_OF_A_SOURCE}] {uri} {_SUITE} main\n" for uri in mirrors
        )
    )
    options = {
        "Dir::State": scratch / "state",
        "Dir::State::status": status,
        "Dir::Cache": scratch / "cache",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Acquire::Languages": "none",
        "Acquire::Retries": "1",
        "Acquire::http::Timeout": "20",
        "Acquire::https::Timeout": "20",
        # As root, apt would hand the work to a user who may not enter our folder.
        "APT::Sandbox::User": "root",
    }
    return tuple(f"-o{key}={value}" for key, value in (options | _UNSIGNED).items())


def _reason(*outputs: str) -> str:
    """Return the first complaint in a program's output, without passwords in URIs."""
    lines = [line for output in outputs for line in output.splitlines() if line.strip()]
    serious = [line for line in lines if line.startswith(("E: ", "W: ", "dpkg"))]
    line = (serious or lines or ["no reason given"])[0]
    return re.sub(r"://[^/@\s]*@", "://", line).strip().rstrip(".")
