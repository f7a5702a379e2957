"""Install crane for one user, without root: all of it, or nothing."""

import errno
import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from msgspec import Struct

from dockless.engines import debian, golang
from dockless.engines.find import others_may_write
from dockless.engines.probe import Abilities, probe
from dockless.engines.probe_result import ProbeResult
from dockless.engines.releases import GoSource, Release
from dockless.engines.tampering import TamperedError, tampered
from dockless.errors import DocklessError, EngineError
from dockless.processes.regular import open_regular
from dockless.processes.scratch import scratch as work_folder
from dockless.transport.download import client, fetch

_LIMIT = 100 << 20
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_FOLDER_REMEDY = "Set DOCKLESS_TOOLS_DIR to a folder that this user may write to."

EngineProbe = Callable[[str, Path, Path | None, Mapping[str, str], Path], ProbeResult]
"""See `push_probe.probe_push`."""


class Installation(Struct, frozen=True, kw_only=True):
    """Where crane is installed, and how progress is reported.

    Attributes:
        folder: Where it is installed; made when it does not exist.
        environment: The caller's.
        note: Called with one line for each step.
        check: Sees that the program pushes, before it is put in its place.
    """

    folder: Path
    environment: Mapping[str, str]
    note: Callable[[str], None]
    check: EngineProbe


class Installed(Struct, frozen=True):
    """A program that was put in its place.

    Attributes:
        path: Where it is.
        probe: What its push probe found: it passed.
    """

    path: Path
    probe: ProbeResult


def install(wanted: Installation, release: Release | None) -> Installed:
    """Install crane: its authors' release, else Debian's package.

    Args:
        wanted: Where to.
        release: The release for this machine, or None.

    Returns:
        The program, which was run to see that it can push.

    Raises:
        TamperedError: The release's checksum is wrong; the other way is not tried then.
        EngineError: The folder cannot be written to, or neither way works here.
    """
    with _scratch(wanted.folder):
        pass  # it can be written to: else each way would fail for the same reason
    failures = []
    for way in (_from_release, _from_debian):
        try:
            with _scratch(wanted.folder) as scratch:
                return _place(wanted, way(wanted, release, scratch), scratch)
        except TamperedError:
            raise
        except DocklessError as error:
            wanted.note(error.what)
            failures.append(error.what)
    raise EngineError(
        f"crane could not be installed. {' '.join(failures)}",
        "Download crane or its release archive on another machine, copy it here, and run "
        "`dockless tools install --from FILE --sha256 HEX`; or put crane or skopeo on PATH.",
    )


def install_file(wanted: Installation, file: Path, sha256: str) -> Installed:
    """Install crane from a file: the program itself, or the release's `.tar.gz`.

    Args:
        wanted: Where to.
        file: The file.
        sha256: The file's checksum, in lower-case hexadecimal.

    Raises:
        TamperedError: The file has another checksum.
        EngineError: The file cannot be read, or what is in it cannot push.
    """
    with _scratch(wanted.folder) as scratch:
        copy = scratch / "file"
        wanted.note(f"Installing crane from {file}.")
        _write_checked(_chunks(file), copy, sha256, str(file))
        with copy.open("rb") as opened:
            packed = opened.read(len(_GZIP)) == _GZIP
        program = _extract(copy, scratch) if packed else copy
        return _place(wanted, program, scratch, str(file))


def install_from_go(wanted: Installation, source: GoSource) -> Installed:
    """Install crane by building its source with the machine's Go; see `golang`.

    Raises:
        TamperedError: The source is not what the pinned checksum stands for.
        EngineError: There is no Go that can build it, or what it built cannot push.
    """
    with _scratch(wanted.folder) as scratch:
        program = golang.build_crane(scratch, source, wanted.environment, wanted.note)
        return _place(wanted, program, scratch)


def _from_release(wanted: Installation, release: Release | None, scratch: Path) -> Path:
    if release is None:
        raise EngineError("No release of crane is known for this kind of machine.")
    wanted.note(f"Downloading crane {release.version} from {release.url}.")
    archive = scratch / "archive"
    chunks = fetch(partial(client, wanted.environment), release.url)
    _write_checked(chunks, archive, release.sha256, release.url)
    return _extract(archive, scratch)


def _from_debian(wanted: Installation, _: Release | None, scratch: Path) -> Path:
    wanted.note("Taking crane from Debian's package archive instead.")
    program, version = debian.unpack_crane(scratch, wanted.environment)
    wanted.note(f"Unpacked Debian's crane {version}.")
    return program


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder next to the installation folder."""
    try:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        if why := others_may_write(folder):
            raise EngineError(
                f"crane is not installed in {folder}, which {why}: other users could replace it.",
                f"Run `chmod go-w` on it if it is yours. {_FOLDER_REMEDY}",
            )
        with work_folder(folder, ".install-") as made:
            yield made
    except OSError as error:
        what = f"crane cannot be installed in {folder}: {error.strerror or error}."
        raise EngineError(what, _FOLDER_REMEDY) from None


def _chunks(file: Path) -> Iterator[bytes]:
    try:
        with open_regular(file) as opened:
            while chunk := opened.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise EngineError(f"{file} cannot be read: {error.strerror}.") from None


def _write_checked(chunks: Iterable[bytes], target: Path, sha256: str, origin: str) -> None:
    """Write the chunks to a new file; raise TamperedError unless they have the checksum."""
    seen, size = hashlib.sha256(), 0
    with target.open("xb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > _LIMIT:
                raise tampered(
                    f"{origin} has more than {_LIMIT >> 20} MiB, more than any release of crane."
                )
            seen.update(chunk)
            file.write(chunk)
    if seen.hexdigest() != sha256:
        raise tampered(f"{origin} has the SHA-256 {seen.hexdigest()}, but {sha256} was expected.")


def _extract(archive: Path, scratch: Path) -> Path:
    """Take the one file named `crane` out of a `.tar.gz`."""
    program = scratch / "crane"
    try:
        with tarfile.open(archive, "r:gz") as tar:
            member = next((entry for entry in tar if entry.name == "crane"), None)
            packed = tar.extractfile(member) if member and member.isreg() else None
            if member is None or packed is None or member.size > _LIMIT:
                raise EngineError("The archive holds no program named crane.")
            with program.open("xb") as file:
                shutil.copyfileobj(packed, file)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise EngineError(f"The archive is damaged: {error}.") from None
    return program


def _place(
    wanted: Installation, program: Path, scratch: Path, name: str = "This crane"
) -> Installed:
    """See that the program can push, then give it its name in one step, to last.

    Args:
        wanted: Where to.
        program: The program, in the scratch folder.
        scratch: The scratch folder, of which messages say nothing.
        name: What messages call the program.
    """
    program.chmod(0o755)
    abilities = probe("crane", program, wanted.environment)
    if abilities.unusable:
        raise _unfit(abilities, name)
    tried = wanted.check("crane", program, None, wanted.environment, scratch)
    if not tried.passed:
        raise EngineError(
            f"This crane cannot push, and was not installed: {tried.reason}",
            "Get another version of it with `dockless tools install --from FILE --sha256 HEX`, or "
            "install your system's skopeo package.",
        )
    _sync(program)
    target = wanted.folder / "crane"
    program.replace(target)
    _sync(wanted.folder)
    return Installed(target, tried)


def _unfit(abilities: Abilities, name: str) -> EngineError:
    """Return the error for a program that cannot push by what it says of itself."""
    why = abilities.unusable.replace(str(abilities.path), name)
    if os.strerror(errno.ENOEXEC) in why:
        why = f"{name} is not a program for this kind of machine."
    elif not abilities.features:
        told = why if "too old" not in why else "its help lists none of crane's commands."
        why = f"{name} is not a crane program that runs here: {told}"
    return EngineError(why, "Give a crane program or the release's archive.")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
