"""The versions of everything that matters for a push: of dockless, of what it uses, of the system.

No daemon is started, and no keyring is opened.
"""

import platform
import re
import ssl
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import metadata
from pathlib import Path

from dockless.concurrency import map_concurrently
from dockless.credentials.keyrings import title
from dockless.credentials.user_keyrings import CHOSEN
from dockless.diagnosis import keyring
from dockless.diagnosis.containers import NAMES as TOOLS
from dockless.diagnosis.containers import installed_tool
from dockless.diagnosis.programs import BriefPrograms
from dockless.engines.find import candidates, distrust, own_folder
from dockless.engines.probe import version_by
from dockless.errors import DocklessError, EngineError
from dockless.storage.user_folders import data_folder
from dockless.version import __version__

VersionRow = tuple[str, str, str]

_ENGINES = ("crane", "skopeo")
_ABSENT = "not installed"
_SECONDS = 4.0


def version_rows(environment: Mapping[str, str]) -> list[VersionRow]:
    """Return a row for each: its name, its version, and where it is or what it is for.

    Args:
        environment: The user's, in which programs are looked for.
    """
    looks: list[Callable[[], Iterator[VersionRow]]] = [
        *(partial(_engine, name, environment) for name in _ENGINES),
        *(partial(_tool, name, environment) for name in TOOLS),
        partial(_ssh, environment),
        partial(_keyring, environment),
    ]
    found = map_concurrently(lambda look: list(look()), looks, len(looks))
    return [*_python(), *(row for rows in found for row in rows), *_libraries()]


def _python() -> Iterator[VersionRow]:
    yield "dockless", __version__, str(Path(__file__).parent.parent)
    python = platform.python_implementation()
    yield "Python", f"{platform.python_version()} ({python})", sys.executable
    yield "platform", platform.platform(), " ".join(platform.libc_ver()).strip()
    yield "OpenSSL", ssl.OPENSSL_VERSION.removeprefix("OpenSSL "), "of Python"


def _engine(name: str, environment: Mapping[str, str]) -> Iterator[VersionRow]:
    own = own_folder(environment, data_folder())
    paths = candidates(name, environment.get("PATH", ""), own)
    if not paths:
        yield name, _ABSENT, ""
    for path in paths:
        if distrust(path, own):
            yield name, "not run, as others may change it", str(path)
        else:
            # of its own version it needs nothing that may be a secret
            known = {key: environment[key] for key in ("PATH", "HOME") if key in environment}
            version = version_by(name, path, BriefPrograms(known, _SECONDS))
            yield name, version or "unknown", str(path)


def _tool(name: str, environment: Mapping[str, str]) -> Iterator[VersionRow]:
    found = installed_tool(BriefPrograms(environment, _SECONDS), name)
    if found.version is not None:
        yield name, found.version or "unknown", found.failed


def _ssh(environment: Mapping[str, str]) -> Iterator[VersionRow]:
    programs, version = BriefPrograms(environment, _SECONDS), ""
    if programs.has("ssh"):
        try:
            version = programs.run(("ssh", "-V")).stderr.partition(",")[0].strip()
        except EngineError:
            version = "unknown"
    yield "ssh", version.removeprefix("OpenSSH_") or _ABSENT, "for --remote"


def _keyring(environment: Mapping[str, str]) -> Iterator[VersionRow]:
    try:
        found = keyring.look(environment, environment.get(CHOSEN, ""), terminal=False)
    except DocklessError as error:
        yield "keyring", "none", error.what
        return
    name = title(found.choice) if found.choice else "none"
    yield "keyring", name, found.chosen or found.hidden


def _libraries() -> Iterator[VersionRow]:
    """Yield the libraries that dockless requires, and the optional ones that are there."""
    try:
        required = metadata.requires("dockless") or []
    except metadata.PackageNotFoundError:
        required = []
    for each in sorted(dict.fromkeys(required), key=str.lower):
        name = re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0]
        optional = "extra ==" in each
        try:
            yield name, metadata.version(name), "optional" if optional else ""
        except metadata.PackageNotFoundError:
            if not optional:
                yield name, _ABSENT, ""
