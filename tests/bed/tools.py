"""Where the bed finds programs that Debian 12 has no package for."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

_CHECKOUT = Path(__file__).parents[2]
CACHE = _CHECKOUT / ".cache"
_PLUGINS = "usr/libexec/docker/cli-plugins"
SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_SLOWLY = """#!/bin/sh
sleep 0.4
exec '{program}' "$@"
"""


def tools_folder() -> Path:
    """Return the folder into which `make test` lets `dockless tools install` put crane."""
    return Path(os.environ.get("DOCKLESS_TOOLS_DIR", CACHE / "tools"))


def crane() -> Path:
    """Return the path of crane, which `make test` put there."""
    return _found("crane", tools_folder())


def modern_dockerd() -> Path:
    """Return the path of a dockerd whose `docker save` writes an OCI layout, too."""
    return _found("dockerd", CACHE / "debian" / "docker.io" / "usr" / "sbin")


def buildx() -> Path:
    """Return the path of docker's plugin for BuildKit."""
    return _found("docker-buildx", CACHE / "debian" / "docker-buildx" / _PLUGINS)


def slow_programs(folder: Path, names: Iterable[str]) -> str:
    """Return a PATH on which programs take their time to start, so that a watch sees each."""
    folder.mkdir()
    search = f"{tools_folder()}:{SYSTEM_PATH}"
    for name in names:
        script = folder / name
        script.write_text(_SLOWLY.format(program=shutil.which(name, path=search)))
        script.chmod(0o755)
    return f"{folder}:{SYSTEM_PATH}"


def _found(name: str, folder: Path) -> Path:
    path = shutil.which(name, path=str(folder))
    if path is None:
        raise LookupError(f"{name} is not in {folder}; `make tools` puts it there")
    return Path(path)
