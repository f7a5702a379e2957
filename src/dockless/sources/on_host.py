"""The image on a host, put into a file or folder there which an engine can push."""

import shlex
from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from dockless.errors import EngineError, PushError, SourceError
from dockless.model.host import Exported
from dockless.model.pins import pinned
from dockless.model.printable import bounded
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, Index, parse_document
from dockless.oci.untrusted_json import parse_json
from dockless.ports import Steps
from dockless.processes.programs import Programs
from dockless.processes.run import Finished
from dockless.sources.container_tools import ContainerTool
from dockless.sources.local_images import LocalImage
from dockless.sources.spec_there import SourceThere
from dockless.sources.stored_image import incomplete
from dockless.storage.decompression import MAGIC_BYTES, sniff

_UNPACK = {"gzip": "gzip", "bzip2": "bzip2", "xz": "xz", "zstd": "zstd"}


class HostShell(Programs, Protocol):
    """Programs and files of a host, and scripts for its POSIX shell."""

    @property
    def host(self) -> str:
        """The host's name, for errors."""

    def work(self, argv: Sequence[str], *, stdout: str = "") -> Finished:
        """Run a program that may take long; its output goes to this file there, or is returned."""

    def script(self, script: str, stdin: bytes = b"", timeout: float | None = 60) -> Finished:
        """Run a script of dockless to its end, within this number of seconds; None for no limit."""


class HostImage(Struct, frozen=True, kw_only=True):
    """The image on a host: what a container tool has, or a path.

    Attributes:
        tool: The tool that has it; None for a path.
        local: The image as that tool has it; None for a path.
        source: The path; None for a tool's image.
        shell: Runs the tool's programs, with `--sudo` as root; None for a path.
    """

    tool: ContainerTool | None = None
    local: LocalImage | None = None
    source: SourceThere | None = None
    shell: HostShell | None = None

    @property
    def image_id(self) -> Digest | None:
        """The digest that a container tool there knows it by.

        None for one in a file or folder, and where the name pins another digest, that of a
        manifest: then only what is pushed shows whether it agrees.
        """
        local = self.local
        return local.image_id if local and pinned(local.name) in (None, local.image_id) else None


def export(found: HostImage, shell: HostShell, folder: str, progress: Steps) -> Exported:
    """Put a host's image where an engine there can read it.

    Args:
        found: The image.
        shell: The host.
        folder: Our private folder there.
        progress: Where the saving is shown.

    Raises:
        SourceError: The image cannot be saved or read.
        EngineError: Only relay can push it.
    """
    source, archive = found.source, f"{folder}/image.tar"
    if found.tool and found.local:
        if found.local.is_list:
            raise EngineError(
                f"{found.local.name} is a list of images, which an engine there cannot push.",
                "Push with --via relay.",
            )
        progress.step(f"Saving {found.local.name} with {found.tool.name} on the host")
        _save(found.tool, found.local, found.shell or shell, archive)
        if root := _stored_root(archive, found.local.image_id, shell):
            return _unpacked(archive, found.local, root, shell)
        has = f"{found.tool.name} on {shell.host}"
        return Exported(path=archive, is_layout=False, names=(found.local.name,), source=has)
    if source is None:
        raise SourceError("There is no image.")
    if source.kind == "layout":
        return Exported(path=source.path, is_layout=True)
    path, names = _plain(source.path, archive, shell)
    return Exported(path=path, is_layout=False, names=names, source=source.path)


def _save(tool: ContainerTool, local: LocalImage, shell: HostShell, archive: str) -> None:
    done = shell.work(tool.save_argv(local), stdout=archive)
    if not done.code:
        return
    shell.script(f"rm -f {shlex.quote(archive)}")
    why = bounded(done.stderr.splitlines()[-1]) if done.stderr else "no reason given."
    what = f"'{tool.name} save' of {local.name} failed on {shell.host}: {why}"
    if _is_full(done):  # which relay does not mind
        raise EngineError(what, "Free some space there, or push with --via relay.")
    raise SourceError(what)


def _stored_root(archive: str, image_id: Digest, shell: HostShell) -> Descriptor | None:
    """Return an archive's manifest or index if it has the image's ID, as of containerd's store."""
    listed = shell.script(f"tar -xOf {shlex.quote(archive)} index.json", timeout=None)
    try:
        index = parse_document(listed.stdout)
    except ValueError:
        return None
    roots = index.manifests if isinstance(index, Index) else ()
    return roots[0] if [root.digest for root in roots] == [image_id] else None


def _unpacked(archive: str, local: LocalImage, root: Descriptor, shell: HostShell) -> Exported:
    """Return an archive as the layout that it is: from the archive an engine makes another image.

    Crane leaves out all platforms but one, and writes a manifest of its own.
    """
    folder = f"{archive}.unpacked"
    shell.script(f"mkdir {shlex.quote(folder)}")
    done = shell.work(("tar", "-xf", archive, "-C", folder))
    shell.script(f"rm -f {shlex.quote(archive)}")
    if done.code:
        raise EngineError(
            f"{local.name} cannot be unpacked on {shell.host}: {bounded(done.stderr)}",
            "Push with --via relay.",
        )
    if error := incomplete(_Unpacked(shell, folder), local, root):
        raise error
    return Exported(path=folder, is_layout=True)


class _Unpacked:
    """A layout's files on a host, as `Documents`."""

    def __init__(self, shell: HostShell, folder: str) -> None:
        self._shell = shell
        self._folder = folder
        listed = shell.script(f"cd {shlex.quote(folder)} && find blobs -type f")
        self._names = frozenset(listed.stdout.decode(errors="replace").splitlines())

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def document(self, name: str) -> bytes:
        """Return a small file."""
        path = f"{self._folder}/{name}"
        done = self._shell.run(("cat", path))
        if done.code:
            raise PushError(f"{path} cannot be read on {self._shell.host}: {bounded(done.stderr)}")
        return done.stdout


def _plain(path: str, archive: str, shell: HostShell) -> tuple[str, tuple[str, ...]]:
    """Return a docker-archive as it is, or unpacked as `archive`, and the names in it."""
    head = shell.run(("head", "-c", str(MAGIC_BYTES), path))
    if head.code:
        raise SourceError(f"{path} cannot be read on {shell.host}: {bounded(head.stderr)}")
    packed = sniff(head.stdout)
    if packed != "none":
        done = shell.work((_UNPACK[packed], "-dc", path), stdout=archive)
        if done.code:
            shell.script(f"rm -f {shlex.quote(archive)}")
            raise SourceError(f"{path} cannot be unpacked: {bounded(done.stderr)}")
        path = archive
    # by either name, of which tar finds one
    argv = f"tar -xOf {shlex.quote(path)} manifest.json ./manifest.json"
    listed = shell.script(argv, timeout=None).stdout
    if not listed:
        raise EngineError(
            f"{path} is not a docker-archive, the only archive that an engine there can push."
        )
    return path, _names(listed)


def _names(listed: bytes) -> tuple[str, ...]:
    """Return the names in an archive's manifest.json; none where an engine will refuse it."""
    try:
        found = parse_json(listed)
        return tuple(str(name) for entry in found for name in entry.get("RepoTags") or ())
    except (ValueError, TypeError, AttributeError):
        return ()


def _is_full(done: Finished) -> bool:
    return "no space left" in done.stderr.lower()
