"""crane, built from its source by the machine's Go, which is trusted as little as possible.

The source comes as a module's zip from the user's GOPROXY. Its `h1:` sum is computed
here and compared with the pinned one, so neither the proxy nor any setting of Go need be trusted.
What was checked is unpacked here and built as the main module: then its own go.sum, which is part
of the zip, holds for every dependency, and `-mod=readonly` keeps Go from adding to it.

Go's sum database is therefore not asked (GOSUMDB=off), and since nothing else would check a
toolchain that Go downloads for itself, it may not (GOTOOLCHAIN=local): a Go that is too old is an
error with the version that is needed.
"""

import base64
import hashlib
import re
import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from msgspec import Struct

from dockless.engines.releases import GoSource
from dockless.engines.tampering import tampered
from dockless.errors import EngineError
from dockless.model.printable import bounded
from dockless.oci.untrusted_json import parse_json
from dockless.processes.group import run_in_group
from dockless.processes.run import NETWORK_VARIABLES
from dockless.processes.search import find_program

_LIMIT = 200 << 20
_CHUNK = 1 << 20
_ASK_SECONDS, _FETCH_SECONDS, _BUILD_SECONDS = 60.0, 600.0, 3600.0
_KEPT = ("PATH", *NETWORK_VARIABLES)
_CHANGED = ("checksum mismatch", "SECURITY ERROR")


class _Go(Struct, frozen=True):
    """The machine's Go.

    Attributes:
        program: Its path.
        version: What it calls itself, such as `go1.26.8`.
        environment: All that it is given from now on.
    """

    program: str
    version: str
    environment: Mapping[str, str]


def build_crane(
    scratch: Path, source: GoSource, environment: Mapping[str, str], note: Callable[[str], None]
) -> Path:
    """Fetch crane's source, check it, and build it.

    Args:
        scratch: An empty folder for all that is written here.
        source: What is built.
        environment: The caller's, with its PATH.
        note: Called with one line for each step.

    Returns:
        The program inside `scratch`.

    Raises:
        TamperedError: The source, or that of a dependency, is not what its checksum stands for.
        EngineError: There is no Go that can build it, or it cannot be had.
    """
    go = _find(scratch, source, environment)
    note(f"Fetching the source of crane {source.version} through {go.version}'s module proxy.")
    archive = _fetch(go, scratch, source)
    actual = module_sum(archive)
    if actual != source.checksum:
        raise tampered(
            f"The source of crane {source.version} has the checksum {actual}, but "
            f"{source.checksum} was expected."
        )
    folder = scratch / "source"
    _unpack(archive, f"{source.module}@v{source.version}", folder)
    note("Its checksum is right. Building it, which takes a minute or two.")
    return _build(go, scratch, source, folder)


def module_sum(archive: Path) -> str:
    """Return the `h1:` sum of a module's zip: the SHA-256 of a list of its files' SHA-256.

    Raises:
        EngineError: It is not a zip, or a damaged one.
    """
    lines = []
    try:
        with zipfile.ZipFile(archive) as opened:
            if sum(entry.file_size for entry in opened.infolist()) > _LIMIT:
                raise EngineError(f"{archive.name} unpacks to more than {_LIMIT >> 20} MiB.")
            for name in sorted(opened.namelist()):
                if "\n" in name:  # it could stand for several lines of the list, as for Go
                    raise EngineError(f"{archive.name} has a file name with a line break.")
                digest = hashlib.sha256()
                with opened.open(name) as file:
                    while chunk := file.read(_CHUNK):
                        digest.update(chunk)
                lines.append(f"{digest.hexdigest()}  {name}\n")
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        raise EngineError(f"{archive.name} is damaged: {error}.") from None
    whole = hashlib.sha256("".join(lines).encode()).digest()
    return f"h1:{base64.b64encode(whole).decode()}"


def clean_environment(scratch: Path, proxy: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that Go is given: nothing of the user's but how to reach the proxy.

    Args:
        scratch: Where everything is written that Go writes.
        proxy: The user's GOPROXY.
        environment: The caller's.
    """
    netrc = environment.get("NETRC") or str(Path(environment.get("HOME", "/"), ".netrc"))
    return {key: environment[key] for key in _KEPT if environment.get(key)} | {
        "HOME": str(scratch / "home"),
        "NETRC": netrc,  # a login for the module proxy, by the path of its file
        "TMPDIR": str(scratch / "tmp"),
        "GOPATH": str(scratch / "go"),
        "GOMODCACHE": str(scratch / "modules"),
        "GOCACHE": str(scratch / "cache"),
        "GOENV": "off",
        "GOFLAGS": "-modcacherw",  # else its folders are read-only, and hard to remove
        "GOPROXY": proxy,
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "GO111MODULE": "on",
        "CGO_ENABLED": "0",
        "LC_ALL": "C",
    }


def _find(scratch: Path, source: GoSource, environment: Mapping[str, str]) -> _Go:
    """Find Go, and ask it for its version and the user's module proxy."""
    wanted = ".".join(map(str, source.go))
    remedy = f"Install Go {wanted} or newer, or run `dockless tools install` without --from go."
    program = find_program("go", environment.get("PATH", ""))
    if program is None:
        raise EngineError("crane cannot be built: there is no go on PATH.", remedy)
    for folder in ("home", "tmp"):
        (scratch / folder).mkdir()
    # else Go reads that of a folder above, which may ask for another version of Go
    (scratch / "go.mod").write_text("module scratch\n")
    # the one question for which the user's settings count
    asked = clean_environment(scratch, environment.get("GOPROXY", ""), environment)
    asked["GOENV"] = _settings_file(environment)
    argv = (program, "env", "GOVERSION", "GOPROXY")
    done = run_in_group(argv, asked, timeout=_ASK_SECONDS, cwd=scratch)
    version, _, proxy = done.stdout.decode(errors="replace").strip().partition("\n")
    if done.code or not version:
        said = _reason(done.stderr) or "it is too old to print its version"
        raise EngineError(f"{program} cannot build crane: {said}.", remedy)
    numbers = re.match(r"go(\d+)\.(\d+)", version)  # one made from a commit may have none
    if numbers and (int(numbers[1]), int(numbers[2])) < source.go:
        raise EngineError(
            f"{program} is {version}, and crane {source.version} needs Go {wanted}.", remedy
        )
    return _Go(program, version, clean_environment(scratch, proxy, environment))


def _settings_file(environment: Mapping[str, str]) -> str:
    """Return the path of the file in which `go env -w` keeps what a user sets."""
    if chosen := environment.get("GOENV"):
        return chosen
    home = Path(environment.get("HOME") or "/")
    if sys.platform == "darwin":
        return str(home / "Library/Application Support/go/env")
    return str(Path(environment.get("XDG_CONFIG_HOME") or home / ".config", "go/env"))


def _fetch(go: _Go, scratch: Path, source: GoSource) -> Path:
    """Have Go fetch the module's zip, and return where that is."""
    argv = (go.program, "mod", "download", "-json", f"{source.module}@v{source.version}")
    done = run_in_group(argv, go.environment, timeout=_FETCH_SECONDS, cwd=scratch)
    try:
        told = parse_json(done.stdout)
        path, complaint = told.get("Zip"), str(told.get("Error", ""))
    except (ValueError, AttributeError, RecursionError):
        path, complaint = None, ""
    if done.code or not isinstance(path, str):
        said = _reason(complaint) or _reason(done.stderr) or "go printed no reason"
        raise EngineError(
            f"The source of crane {source.version} cannot be downloaded: {said}.",
            "Check the value of `go env GOPROXY`, and whether it can be reached.",
        )
    return Path(path)


def _unpack(archive: Path, top: str, folder: Path) -> None:
    """Unpack a module's zip, whose names all begin with `top`, into a new folder."""
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            inside = PurePosixPath(entry.filename.removeprefix(f"{top}/"))
            if not entry.filename.startswith(f"{top}/") or ".." in inside.parts:
                raise EngineError(f"{archive.name} holds {entry.filename!r}, outside of {top}.")
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(entry) as packed, target.open("xb") as file:
                shutil.copyfileobj(packed, file)


def _build(go: _Go, scratch: Path, source: GoSource, folder: Path) -> Path:
    program = scratch / "crane"
    stamps = (f"-X {source.module}/{each}={source.version}" for each in source.stamped)
    argv = (
        *(go.program, "build", "-mod=readonly", "-modcacherw", "-trimpath", "-buildvcs=false"),
        f"-ldflags=-s -w {' '.join(stamps)}",
        *("-o", str(program), source.package),
    )
    done = run_in_group(argv, go.environment, timeout=_BUILD_SECONDS, cwd=folder)
    if any(words in done.stderr for words in _CHANGED):
        raise tampered(
            f"A dependency of crane {source.version} was changed: {_reason(done.stderr)}."
        )
    if done.code or not program.is_file():
        said = _reason(done.stderr) or f"go ended with status {done.code}"
        raise EngineError(f"crane {source.version} cannot be built: {said}.")
    return program


def _reason(output: str) -> str:
    """Return the complaint in Go's output, without passwords in URLs."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    serious = [line for line in lines if not line.startswith(("go: downloading ", "#"))]
    chosen = next((line for line in serious if any(word in line for word in _CHANGED)), None)
    line = chosen or next(iter(serious or lines), "")
    return bounded(re.sub(r"://[^/@\s]*@", "://", line).rstrip(".:"))
