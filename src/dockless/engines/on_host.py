"""crane and skopeo on another host, from which they push by digest; tags are updated from here.

The credential goes there over standard input, as the authfile `/dev/stdin`; nothing of it is in
an argument, a variable or a file of that host.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from dockless.engines import crane, skopeo
from dockless.engines.failures import failure
from dockless.errors import PushError, SourceError
from dockless.model.endpoint import Endpoint
from dockless.model.host import Exported
from dockless.model.pins import refuse_wrong_pins
from dockless.oci.digest import Digest
from dockless.oci.manifest import CONTAINERD_NAME, REF_NAME
from dockless.oci.reference import Reference, Repository
from dockless.oci.untrusted_json import parse_json
from dockless.processes.run import Finished

_AUTHFILE = "/dev/stdin"
_NAMES = (CONTAINERD_NAME, REF_NAME)
_PUSHED = re.compile(r"pushed blob: (sha256:[0-9a-f]{64})")


class RunThere(Protocol):
    """Runs a program on the host to its end."""

    def __call__(
        self, argv: Sequence[str], *, stdin: bytes, environment: Mapping[str, str]
    ) -> Finished:
        """Run it; its environment has only the given variables in addition to the host's."""


class RemoteEngineEnv(Struct, frozen=True, kw_only=True):
    """What an engine on a host works with.

    Attributes:
        run: Runs it.
        read: Returns a file of the host.
        program: Its path there.
        folder: Our private folder there; `home` in it has skopeo's `LOGINS` where that is started.
        endpoint: The registry, as it is reached there.
        authfile: Gives what the engine is to find in its authfile; None to be anonymous.
        certificates: Our folder of certificates there; empty for none.
        environment: Variables in addition to those of every engine.
        policy: skopeo's signature policy there; None for none.
    """

    run: RunThere
    read: Callable[[str], bytes]
    program: str
    folder: str
    endpoint: Endpoint
    authfile: Callable[[], bytes | None]
    certificates: str = ""
    environment: Mapping[str, str] | None = None
    policy: Path | None = None

    @property
    def home(self) -> str:
        """The engine's HOME there."""
        return f"{self.folder}/home"

    def start(self, name: str, argv: Sequence[str], stdin: bytes, **extra: str) -> Finished:
        """Run the engine; raise the error of its exit."""
        private = {
            "HOME": self.home,
            "XDG_CONFIG_HOME": f"{self.home}/.config",
            "XDG_DATA_HOME": f"{self.home}/.local/share",
            "XDG_RUNTIME_DIR": self.home,
            "TMPDIR": self.folder,
        }
        done = self.run(
            (self.program, *argv),
            stdin=stdin,
            environment=private | dict(self.environment or {}) | extra,
        )
        if done.code:
            raise failure(name, self.endpoint.host, done.code, done.stderr)
        return done


class CraneThere:
    """crane on a host."""

    name = "crane"

    def __init__(self, env: RemoteEngineEnv, image: Exported) -> None:
        self._env = env
        self._image = image

    def digest(self) -> Digest:
        """Return the digest that the image will have once pushed."""
        path = self._image.path
        if self._image.is_layout:
            return layout_root(self._env.read(f"{path}/index.json"), path)
        done = self._env.start("crane", ("digest", "--tarball", path), b"")
        return _agreed(self._image, Digest.parse(done.stdout.decode().strip()))

    def push(self, repository: Repository, digest: Digest) -> frozenset[Digest]:
        """Push the image by digest; return the digests of the blobs that had to be sent."""
        there = Repository(self._env.endpoint.host, repository.path)
        target = Reference(there, digest=digest)
        argv = crane.push_argv(Path(self._image.path), target, self._env.endpoint)
        done = self._talk(argv)
        reported = crane.reported_digest(done.stdout.decode())
        if reported != digest:
            raise PushError(f"crane reports that it pushed {reported or 'nothing'}, not {digest}.")
        return frozenset(Digest.parse(found[1]) for found in _PUSHED.finditer(done.stderr))

    def _talk(self, argv: tuple[str, ...]) -> Finished:
        trust = {"REGISTRY_AUTH_FILE": _AUTHFILE}
        if self._env.certificates:
            trust["SSL_CERT_DIR"] = f"{self._env.certificates}:/etc/ssl/certs"
        return self._env.start("crane", argv, self._env.authfile() or b"{}", **trust)


class SkopeoThere:
    """skopeo on a host: it compresses an archive into a folder first, then sends that.

    The folder is of its `dir:` form, since for `oci:` it rewrites the config, and so changes
    the image's ID.
    """

    name = "skopeo"

    def __init__(self, env: RemoteEngineEnv, image: Exported) -> None:
        self._env = env
        self._image = image
        self._folder = f"{env.folder}/dir"

    def digest(self) -> Digest:
        """Return the digest that the image will have once pushed."""
        if self._image.is_layout:
            return layout_root(self._env.read(f"{self._image.path}/index.json"), self._image.path)
        source, target = f"docker-archive:{self._image.path}", f"dir:{self._folder}"
        argv = ("copy", "--quiet", "--dest-compress", source, target)
        self._env.start("skopeo", (*self._policy(), *argv), b"")
        return _agreed(self._image, Digest.of(self._env.read(f"{self._folder}/manifest.json")))

    def push(self, repository: Repository, digest: Digest) -> frozenset[Digest]:
        """Push the image by digest; what had to be sent is not known, so nothing is returned."""
        authfile = self._env.authfile()
        argv = (
            *self._policy(),
            *("copy", "--quiet", "--preserve-digests", "--all"),
            *self._access("dest", authfile),
            f"oci:{self._image.path}" if self._image.is_layout else f"dir:{self._folder}",
            f"docker://{Reference(repository, digest=digest)}",
        )
        logins = skopeo.logins_environment(self._env.home)
        self._env.start("skopeo", argv, authfile or b"", **logins)
        return frozenset()

    def _policy(self) -> tuple[str, ...]:
        policy = self._env.policy
        return ("--policy", str(policy)) if policy else ("--insecure-policy",)

    def _access(self, side: str, authfile: bytes | None) -> tuple[str, ...]:
        who = (f"--{side}-authfile", _AUTHFILE) if authfile else (f"--{side}-no-creds",)
        return (*who, *self._tls(side))

    def _tls(self, side: str) -> tuple[str, ...]:
        plain = (f"--{side}-tls-verify=false",) if self._env.endpoint.plain_http else ()
        folder = self._env.certificates
        return (*plain, *((f"--{side}-cert-dir", folder) if folder else ()))


def layout_root(index: bytes, label: str) -> Digest:
    """Return the digest of a layout's one manifest or index.

    Raises:
        SourceError: It has none, or several, or its name pins another digest.
    """
    try:
        listed = parse_json(index)["manifests"]
        roots = [Digest.parse(each["digest"]) for each in listed]
        names = [each.get("annotations") or {} for each in listed]
        called = [str(each[key]) for each in names for key in _NAMES if key in each]
    except (ValueError, KeyError, TypeError):
        raise SourceError(f"{label}/index.json is not the index of an OCI layout.") from None
    if len(roots) != 1:
        raise SourceError(
            f"{label} holds {len(roots)} images, but an engine on the host pushes only one.",
            "Push with --via relay, which can select one.",
        )
    refuse_wrong_pins(called, roots[0], label)
    return roots[0]


def _agreed(image: Exported, digest: Digest) -> Digest:
    """Return the digest of an image; raise WrongPinError where one of its names pins another."""
    refuse_wrong_pins(image.names, digest, image.source)
    return digest
