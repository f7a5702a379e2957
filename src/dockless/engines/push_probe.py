"""The push probe: one small image, pushed by a program to a registry in memory.

The help pages (`engines.probe`) show what a program offers; this tests what it does. The
image is written, and the program started, exactly as for a real push. No proxy is used, there is
no credential, and nothing is written outside a private folder.
"""

import contextlib
import gzip
import io
import os
import re
import signal
import tarfile
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from dockless.engines.failures import last_words
from dockless.engines.probe_registry import registry
from dockless.engines.probe_repository import ProbeRepository
from dockless.engines.probe_result import ProbeResult, one_line
from dockless.engines.program_writers import Access, Crane, EngineGrant, Skopeo
from dockless.engines.runner import Limits, Runner
from dockless.engines.shell import Ended, Shell
from dockless.errors import DocklessError, EngineError, PolicyError
from dockless.model.endpoint import Endpoint
from dockless.oci.content import Content, StagedImage, single
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    OCI_CONFIG,
    OCI_MANIFEST,
    Descriptor,
    compact_json,
    image_manifest,
    layer_media_type,
)
from dockless.oci.reference import Repository
from dockless.ports import Task
from dockless.storage.oci_layout import write_layout

SECONDS = 20.0
"""How long a program may take; one that passes takes a third of a second."""

_OF_THE_MACHINE = re.compile(
    r"cannot allocate memory|out of memory|resource temporarily unavailable|too many open files"
    r"|failed to (?:reserve|create new OS thread)|cannot map|no space left|quota exceeded",
    re.IGNORECASE,
)
"""What the C library and Go 1.24 to 1.26 say where a limit of the machine was reached."""

_PATH = "dockless/probe"
_TAG = "probe"
_DIED = 128
_NOT_ROOT = "65534"


def probe_push(
    name: str,
    path: Path,
    policy: Path | None,
    environment: Mapping[str, str],
    folder: Path,
) -> ProbeResult:
    """Have a program push and tag a small image, and check the result.

    Args:
        name: `crane` or `skopeo`.
        path: The program.
        policy: skopeo's signature policy; None when there is none. crane has none.
        environment: The caller's.
        folder: Where a private folder may be made for this.

    Raises:
        EngineError: The probe cannot be made on this machine, which says nothing of the program.
    """
    moment = time.time()
    try:
        with tempfile.TemporaryDirectory(prefix="probe-", dir=folder) as scratch:
            trial = _TriedProgram(
                name=name, path=path, policy=policy, environment=environment, scratch=Path(scratch)
            )
            reason = one_line(trial.push(SECONDS))
    except OSError as error:
        raise EngineError(
            f"Whether {path} can push cannot be tried: {error.strerror or error}.",
            f"Check that {folder} is writable, and that there is a loopback interface.",
        ) from None
    return ProbeResult(not reason, reason, moment)


class _TriedProgram(Struct, frozen=True, kw_only=True):
    """A program, and where it is tried."""

    name: str
    path: Path
    policy: Path | None
    environment: Mapping[str, str]
    scratch: Path

    def push(self, seconds: float) -> str:
        """Return why the program cannot push within this number of seconds; empty when it can."""
        deadline = time.monotonic() + seconds
        content, blobs = _image()
        files = _written(self.scratch, blobs)
        layout = partial(write_layout, self.scratch / "layout", content, files)
        image = StagedImage(content=content, blobs=files, layout=layout)
        repository = ProbeRepository(path=_PATH)
        with registry(repository) as host, contextlib.closing(_Listening()) as shell:
            engine = self._engine(host, Limits(deadline, stall=seconds), shell)
            target = Repository.of(host, _PATH)
            try:
                engine.write(image, target, _Untold())
                engine.tag(content, target, _TAG)
            except PolicyError as error:
                # the administrator's word, and no fault of the program
                raise EngineError(
                    f"Whether {self.path} can push cannot be tried. {error.what}"
                ) from None
            except DocklessError as error:
                if time.monotonic() >= deadline:
                    return f"{self.name} did not end within {seconds:.0f} seconds."
                said = _last_words(self.name, shell.ended)
                # what is not about the program is about the shell that starts it
                its_own = shell.ended or str(self.path) in error.what
                if not its_own or _OF_THE_MACHINE.search(said):
                    raise EngineError(
                        f"Whether {self.path} can push cannot be tried. {said or error.what}"
                    ) from None
                return said or error.what
        return _difference(self.name, repository, content, blobs)

    def _engine(self, host: str, limits: Limits, shell: Shell) -> Crane | Skopeo:
        environment = {
            key: text
            for key, text in self.environment.items()
            if not key.lower().endswith("_proxy")
        }
        runner = _ContainedRunner(environment, self.scratch / "home", host, limits, shell)
        no_login = partial(_no_login, self.scratch / "auth.json")
        access = Access(
            Endpoint(host=host, plain_http=True), lambda: EngineGrant(no_login, anonymous=True)
        )
        if self.name == "skopeo":
            return Skopeo(self.path, runner, access, self.policy)
        return Crane(self.path, runner, access)


class _ContainedRunner(Runner):
    """Makes root's skopeo keep its blob cache in its home, not in /var/lib/containers.

    skopeo has no option for that; but it does not use root's folders where this variable, which
    Podman sets, names another user (containers/image, `internal/rootless`).
    """

    def run(
        self,
        program: Path,
        arguments: tuple[str, ...],
        extra: Mapping[str, str],
        descriptors: set[int],
        sending: Task | None = None,
    ) -> str:
        """Run an engine to its end, and return its stdout."""
        extra = {**extra, "_CONTAINERS_ROOTLESS_UID": _NOT_ROOT}
        return super().run(program, arguments, extra, descriptors, sending)


class _Listening(Shell):
    """Remembers how the last program ended.

    Attributes:
        ended: How; None when it was not started, or had to be ended.
    """

    ended: Ended | None = None

    def run(
        self,
        argv: Sequence[str],
        environment: Mapping[str, str],
        descriptors: Collection[int],
        look: Callable[[int], None],
    ) -> Ended:
        """Run a program to its end."""
        self.ended = None
        self.ended = super().run(argv, environment, descriptors, look)
        return self.ended


class _Untold:
    """Progress that is not shown, as a `ports.Task`."""

    def advance(self, count: int) -> None:
        """Do nothing."""

    def complete(self) -> None:
        """Do nothing."""

    def finish(self) -> None:
        """Do nothing."""


@contextlib.contextmanager
def _no_login(path: Path) -> Iterator[int]:
    """Yield an open authfile without a login."""
    path.write_bytes(compact_json({"auths": {}}))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.set_inheritable(descriptor, True)  # noqa: FBT003  # the signature is Python's
        yield descriptor
    finally:
        os.close(descriptor)


def _image() -> tuple[Content, Mapping[Digest, bytes]]:
    """Return an image of one small layer, and its blobs: the config and the layer."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("probe")
        entry.size = len(_PATH)
        tar.addfile(entry, io.BytesIO(_PATH.encode()))
    diff_id = Digest.of(packed.getvalue())
    layer = gzip.compress(packed.getvalue(), mtime=0)
    config = compact_json(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [str(diff_id)]},
        }
    )
    layers = (_descriptor(layer_media_type("gzip"), layer),)
    manifest = image_manifest(_descriptor(OCI_CONFIG, config), layers)
    content = single(_descriptor(OCI_MANIFEST, manifest), manifest, config)
    return content, {Digest.of(data): data for data in (config, layer)}


def _descriptor(media_type: str, data: bytes) -> Descriptor:
    return Descriptor(media_type=media_type, digest=Digest.of(data), size=len(data))


def _written(scratch: Path, blobs: Mapping[Digest, bytes]) -> Mapping[Digest, Path]:
    folder = scratch / "blobs"
    folder.mkdir()
    for digest, data in blobs.items():
        (folder / digest.hex).write_bytes(data)
    return {digest: folder / digest.hex for digest in blobs}


def _last_words(name: str, ended: Ended | None) -> str:
    """Return why a program failed, in its own words; empty when it said nothing of the kind."""
    if ended is None or not ended.status:
        return ""
    said = last_words(ended.stderr.decode(errors="replace"))
    number = ended.status - _DIED
    if number in {each.value for each in signal.Signals}:
        return f"{name} was terminated by {signal.Signals(number).name}. {said}".strip()
    return said or f"{name} ended with status {ended.status} and printed nothing."


def _difference(
    name: str, repository: ProbeRepository, content: Content, blobs: Mapping[Digest, bytes]
) -> str:
    """Return in what the registry differs from what the program was to push; empty for nothing."""
    differs = [
        what
        for what, came, wanted in (
            ("manifest", repository.manifests, dict(content.documents)),
            ("config and layer", repository.blobs, dict(blobs)),
            ("tag", repository.tags, {_TAG: content.root.digest}),
        )
        if came != wanted
    ]
    if not differs:
        return ""
    came = ", the ".join(differs)
    return f"{name} reports success, but in the registry the {came} are not those of the image."
