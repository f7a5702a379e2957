"""crane and skopeo as writers of images."""

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from dockless.engines import crane, skopeo
from dockless.engines.runner import Runner
from dockless.engines.shell import path_of
from dockless.errors import (
    AuthError,
    NetworkError,
    PushError,
    RepositoryMissingError,
    SourceError,
    UnexplainedError,
)
from dockless.model.endpoint import Endpoint, Trust
from dockless.oci.content import Content, StagedImage
from dockless.oci.digest import Digest
from dockless.oci.manifest import INDEXES, Index, parse_document
from dockless.oci.reference import Reference, Repository
from dockless.ports import Task, Written
from dockless.storage.disk_errors import full_disk
from dockless.storage.file_links import place

_SYSTEM_CERTIFICATES = "/etc/ssl/certs"


class AuthFile(Protocol):
    """Passes the credential of this push to a child process only."""

    def __call__(self) -> contextlib.AbstractContextManager[int]:
        """Yield an open file that the child inherits."""


class EngineGrant(Struct, frozen=True):
    """A `Grant` as one run of an engine reads it.

    Attributes:
        authfile: Gives the credential; the file may contain none.
        anonymous: Whether there is no credential.
        ends: The moment, on the clock of `time.monotonic`, when it expires at the registry.
    """

    authfile: AuthFile
    anonymous: bool
    ends: float = math.inf


class Access(Struct, frozen=True):
    """How an engine reaches the registry.

    Attributes:
        endpoint: The registry.
        grant: Gives the credential for the next run of the engine.
    """

    endpoint: Endpoint
    grant: Callable[[], EngineGrant]


class Crane:
    """crane, as a `ports.ImageWriter`."""

    name = tagger = "crane"

    def __init__(self, program: Path, runner: Runner, access: Access) -> None:
        self._program = program
        self._runner = runner
        self._access = access

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        """Write an image by digest, and check the digest that crane reports."""
        root = image.content.root.digest
        target = Reference(repository, digest=root)
        argv = crane.push_argv(image.layout(), target, self._access.endpoint)
        _compare(self.name, crane.reported_digest(self._run(argv, sending)), root)
        return Written(writer=self.name)

    def pull(self, source: Reference, layout: Path) -> None:
        """Pull an image or index into a new layout, unchanged."""
        with _missing(source):
            self._run(crane.pull_argv(source, layout, self._access.endpoint), None)

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image, which the repository has by its digest."""
        source = Reference(repository, digest=content.root.digest)
        self._run(crane.tag_argv(source, tag, self._access.endpoint), None)

    def _run(self, argv: tuple[str, ...], sending: Task | None) -> str:
        folder = certificates(self._runner.home, self._access.endpoint.trust)
        trust = {"SSL_CERT_DIR": f"{folder}:{_SYSTEM_CERTIFICATES}"} if folder else {}
        grant = self._access.grant()
        with grant.authfile() as descriptor, _until_it_ends(self._access, grant):
            extra = {"REGISTRY_AUTH_FILE": path_of(descriptor)} | trust
            return self._runner.run(self._program, argv, extra, {descriptor}, sending)


class Skopeo:
    """skopeo, as a `ports.ImageWriter`.

    Args:
        program: The skopeo to run.
        runner: Runs it.
        access: How it gets at the registry.
        policy: The signature policy of this machine; None when there is none.
    """

    name = tagger = "skopeo"

    def __init__(self, program: Path, runner: Runner, access: Access, policy: Path | None) -> None:
        self._program = program
        self._runner = runner
        self._access = access
        self._policy = policy

    def write(self, image: StagedImage, repository: Repository, sending: Task) -> Written:
        """Write an image by digest, and check the digests that skopeo reports."""
        layout = image.layout()
        with full_disk(self._runner.home):
            folder = _dir_form(layout, self._runner.home / "dir")
        for digest in image.content.children_first():
            data = image.content.documents[digest]
            with full_disk(self._runner.home):
                (folder / "manifest.json").write_bytes(data)
            with self._files() as (files, descriptor):
                files.digest.unlink(missing_ok=True)
                argv = skopeo.push_argv(
                    folder,
                    Reference(repository, digest=digest),
                    self._access.endpoint,
                    files,
                    is_index=isinstance(parse_document(data), Index),
                )
                self._run(argv, descriptor, sending)
            _compare(self.name, _read_digest(files.digest), digest)
        return Written(writer=self.name)

    def pull(self, source: Reference, layout: Path) -> None:
        """Pull an image or index into a new layout, unchanged."""
        with self._files() as (files, descriptor):
            argv = skopeo.pull_argv(source, layout, self._access.endpoint, files)
            self._run(argv, descriptor)

    def tag(self, content: Content, repository: Repository, tag: str) -> None:
        """Tag the image, which the repository has by its digest."""
        root = content.root
        source = Reference(repository, digest=root.digest)
        with self._files() as (files, descriptor):
            argv = skopeo.tag_argv(
                source,
                source.tagged(tag),
                self._access.endpoint,
                files,
                is_index=root.media_type in INDEXES,
            )
            self._run(argv, descriptor)

    def _run(self, argv: tuple[str, ...], descriptor: int, sending: Task | None = None) -> None:
        home = self._runner.home
        logins = home / skopeo.LOGINS_PATH
        with full_disk(home):
            logins.parent.mkdir(parents=True, exist_ok=True)
            logins.write_text(skopeo.LOGINS)
        extra = skopeo.logins_environment(str(home))
        self._runner.run(self._program, argv, extra, {descriptor}, sending)

    @contextlib.contextmanager
    def _files(self) -> Iterator[tuple[skopeo.SkopeoFiles, int]]:
        folder = certificates(self._runner.home, self._access.endpoint.trust)
        grant = self._access.grant()
        with grant.authfile() as descriptor:
            authfile = None if grant.anonymous else path_of(descriptor)
            digest = self._runner.home / "digest"
            yield (
                skopeo.SkopeoFiles(
                    authfile=authfile, certificates=folder, policy=self._policy, digest=digest
                ),
                descriptor,
            )


@contextlib.contextmanager
def _missing(source: Reference) -> Iterator[None]:
    """Turn the error for a missing image into a SourceError."""
    try:
        yield
    except PushError as error:
        said = error.what.lower().replace("_", " ")
        if isinstance(error, RepositoryMissingError) or "manifest unknown" in said:
            raise SourceError(f"{source} does not exist.", "Check the name and the tag.") from error
        raise


@contextlib.contextmanager
def _until_it_ends(access: Access, grant: EngineGrant) -> Iterator[None]:
    """Make a refusal due to an expired token retryable: the next run gets a new one."""
    try:
        yield
    except AuthError as error:
        if time.monotonic() < grant.ends:
            raise
        raise NetworkError(
            f"The token for {access.endpoint.host} expired during the push.", error.remedy
        ) from None


def certificates(home: Path, trust: Trust) -> Path | None:
    """Return a folder with the certificates, named as containers-certs.d(5) wants them."""
    if trust == Trust():
        return None
    folder = home / "certificates"
    if not folder.exists():
        folder.mkdir(mode=0o700)
        for number, path in enumerate(trust.ca_files):
            place(path, folder / f"{number}.crt")
        if trust.client_cert and trust.client_key:
            place(trust.client_cert, folder / "client.cert")
            place(trust.client_key, folder / "client.key")
    return folder


def _dir_form(layout: Path, folder: Path) -> Path:
    """Return the layout's blobs as the folder that skopeo's `dir:` reads."""
    folder.mkdir(exist_ok=True)
    (folder / "version").write_text("Directory Transport Version: 1.1\n")
    for blob in layout.glob("blobs/*/*"):
        file = folder / blob.name
        if file.exists() and not file.samefile(blob):  # of an attempt with a damaged copy
            file.unlink()
        if not file.exists():
            place(blob, file)
    return folder


def _read_digest(path: Path) -> Digest | None:
    try:
        return Digest.parse(path.read_text().strip())
    except (OSError, ValueError):
        return None


def _compare(engine: str, reported: Digest | None, wanted: Digest) -> None:
    if reported != wanted:
        raise UnexplainedError(
            f"{engine} reports that it pushed {reported or 'nothing'}, not {wanted}.",
            "Try the other engine with --engine.",
        )
