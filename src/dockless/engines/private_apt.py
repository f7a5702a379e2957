"""apt with a configuration, sources, lists and a cache of its own, in one folder.

Of the machine's configuration only the mirrors count, and how to reach them: it may move folders,
run commands before and after, and replace the program that checks signatures (apt.conf(5)).
"""

import re
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from msgspec import Struct

from dockless.errors import EngineError
from dockless.model.printable import bounded
from dockless.processes.run import Finished, run
from dockless.processes.search import find_program

_SECONDS = 180.0

# every way in which apt takes what is not signed, or signed too weakly
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

# how a mirror is reached, for all hosts or one; and how old a signed index may be, since the
# machine's mirror may be a snapshot
_KEPT = re.compile(
    r"^(?P<key>Acquire::https?(?:::[\w.-]+)?::(?:Proxy(?:::[\w.:-]+)?|CaInfo|CaPath|SslCert|SslKey)"
    r'|Acquire::Check-Valid-Until) "(?P<value>[^"\n]*)";$',
    re.MULTILINE,
)
# A release's main suite; security, updates and other vendors' suites have more in their names.
_TARGET = re.compile(r"main [a-z]+ (?P<uri>\S.*) \.")
_OF_URIS = "!#$&'()*+,/:;=?@~"


class PrivateApt(Struct, frozen=True, kw_only=True):
    """Such an apt.

    Attributes:
        program: apt-get.
        options: What names its folders, and forbids what is not signed.
        environment: The caller's, with its own configuration.
        folder: Where it downloads to.
    """

    program: str
    options: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path

    def run(self, *arguments: str) -> Finished:
        """Run apt-get, and return its output, whatever its exit status."""
        argv = (self.program, *self.options, *arguments)
        return run(argv, self.environment, timeout=_SECONDS, cwd=self.folder, alone=True)


def private_apt(
    folder: Path, suite: str, keyring: Path, environment: Mapping[str, str]
) -> PrivateApt:
    """Return an apt for one suite on the machine's own mirrors.

    Args:
        folder: An empty one for all that apt writes.
        suite: The suite, such as `forky`.
        keyring: The keys that must have signed the suite.
        environment: The caller's, with its PATH.

    Raises:
        EngineError: There is no apt, or the machine's sources name no Debian mirror.
    """
    apt_get, apt_config = (needed(name, environment) for name in ("apt-get", "apt-config"))
    own = ("APT_", "DPKG_")
    environment = {key: text for key, text in environment.items() if not key.startswith(own)}
    # the machine's configuration counts for these two questions; they change and start nothing
    aside = (
        "-oDir::Cache::pkgcache=",
        "-oDir::Cache::srcpkgcache=",
        f"-oDir::Bin::dpkg={needed('dpkg', environment)}",
    )
    mirrors = _mirrors((apt_get, *aside), environment)
    dumped = run((apt_config, *aside, "dump"), environment).stdout.decode(errors="replace")
    configuration = folder / "apt.conf"
    configuration.touch(mode=0o600)  # a proxy's URL may have a password
    configuration.write_text(
        'Dir::Etc::main "/dev/null";\nDir::Etc::parts "/dev/null";\n'
        + "".join(f'{each["key"]} "{each["value"]}";\n' for each in _KEPT.finditer(dumped))
    )
    return PrivateApt(
        program=apt_get,
        options=_options(folder, mirrors, suite, keyring),
        environment={**environment, "APT_CONFIG": str(configuration)},
        folder=folder,
    )


def needed(name: str, environment: Mapping[str, str]) -> str:
    """Return the path of a program; raise EngineError where it does not exist."""
    found = find_program(name, environment.get("PATH", ""))
    if found is None:
        raise EngineError(f"Debian's package cannot be used here: {name} does not exist.")
    return found


def _mirrors(apt_get: tuple[str, ...], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the URIs that the machine takes its main suite from, as apt itself reads them."""
    asked = ("--no-release-info", "--format", "$(COMPONENT) $(RELEASE) $(REPO_URI) .")
    listed = run((*apt_get, "indextargets", *asked, "Identifier: Packages"), environment)
    # apt decodes URIs, so that there may be any character in one: a line break ends it early
    found = map(_TARGET.fullmatch, listed.stdout.decode(errors="replace").split("\n"))
    uris = [target["uri"] for target in found if target]
    if not uris:
        why = "apt's sources name no Debian mirror"
        if listed.code or "E: " in listed.stderr:
            why = complaint(listed.stderr)
        raise EngineError(f"Debian's package cannot be obtained: {why}.")
    return tuple(dict.fromkeys(uris))


def complaint(*outputs: str) -> str:
    """Return the first complaint in a program's output, without passwords in URIs."""
    lines = [line for output in outputs for line in output.splitlines() if line.strip()]
    serious = [line for line in lines if line.startswith(("E: ", "W: ", "dpkg"))]
    line = (serious or lines or ["no reason given"])[0]
    return bounded(re.sub(r"://\S*@", "://", line).strip().rstrip("."))


def _options(folder: Path, mirrors: tuple[str, ...], suite: str, keyring: Path) -> tuple[str, ...]:
    """Prepare folders and sources for apt, and return the options that name them."""
    for each in ("state/lists/partial", "cache/archives/partial", "log"):
        (folder / each).mkdir(parents=True)
    status, sources = folder / "status", folder / "sources.list"
    status.touch()
    sources.touch(mode=0o600)  # a mirror's URI may have a password
    sources.write_text(
        "".join(
            f"deb [signed-by={keyring} {_OF_A_SOURCE}] {quote(uri, safe=_OF_URIS)} {suite} main\n"
            for uri in mirrors
        )
    )
    options = {
        "Dir::State": folder / "state",
        "Dir::State::lists": folder / "state/lists",
        "Dir::State::status": status,
        "Dir::Cache": folder / "cache",
        "Dir::Cache::archives": folder / "cache/archives",
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "Dir::Log": folder / "log",
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
