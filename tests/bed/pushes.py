"""Pushing with dockless and looking at what arrived, with skopeo and standard tools only."""

import json
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from bed import images
from bed.dockless import Dockless, Result
from bed.registry import Registry

Json = dict[str, Any]

_SCHEMA = Path(__file__).parents[2] / "docs" / "push-result.schema.json"
_UNPACK = {"gzip": ("gzip", "-dc"), "zstd": ("zstd", "-dc")}


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes an image the image it is, however its layers are packed.

    Attributes:
        config: The digest of its config: the image ID.
        diff_ids: The digests of its layers, uncompressed.
    """

    config: str
    diff_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pusher:
    """dockless with the credential and the authority of one registry.

    Attributes:
        program: dockless.
        registry: Where to.
        folder: Where what comes back is put.
    """

    program: Dockless
    registry: Registry
    folder: Path

    def reference(self, name: str) -> str:
        """Return the full reference of `repository:tag` or `repository@digest`."""
        return f"{self.registry.host}/{name}"

    def run(self, name: str, *arguments: str | Path) -> Result:
        """Push to `repository:tag`, with the password on stdin; return how it ended."""
        options, password = access(self.registry)
        image = ("--image", self.reference(name))
        return self.program.run("push", *arguments, *image, *options, stdin=password)

    def push(self, name: str, *arguments: str | Path) -> str:
        """Push to `repository:tag`, which must succeed; return the digest that stdout gives."""
        return self.digest_in(self.run(name, *arguments), name)

    def pipe(self, name: str, archive: bytes, *arguments: str | Path) -> str:
        """Push an archive on stdin, with the password in the environment; otherwise as `push`."""
        login, extra = self.registry.login, dict(self.program.extra)
        if login:
            extra |= {"DOCKLESS_USERNAME": login.username, "DOCKLESS_PASSWORD": login.password}
        trust = ("--ca-file", self.registry.ca_file) if self.registry.certificates else ()
        argv = ("push", "-", "--image", self.reference(name), *trust, *arguments)
        return self.digest_in(Dockless(self.program.folder, extra).run(*argv, stdin=archive), name)

    def digest_in(self, result: Result, name: str) -> str:
        """Return the digest in stdout, which holds `repository@digest` and nothing else.

        Raises:
            RuntimeError: The run failed, or stdout is anything else.
        """
        repository, _, digest = result.stdout.rstrip("\n").partition("@")
        whole = f"{repository}@{digest}\n" == result.stdout
        if result.code or not whole or repository != self.reference(name.rpartition(":")[0]):
            raise RuntimeError(f"exit {result.code}\n{result.stdout}\n{result.stderr}")
        return digest

    def manifest(self, name: str) -> bytes:
        """Return the manifest or index of `repository:tag`, byte for byte."""
        side = [option.removeprefix("--src-") for option in self.registry.skopeo_options("src")]
        argv = ("skopeo", "inspect", "--raw", *(f"--{each}" for each in side))
        return output_bytes((*argv, f"docker://{self.reference(name)}"))

    def digest(self, name: str) -> str:
        """Return the digest of what `repository:tag` names, from its bytes."""
        return images.digest(self.manifest(name))

    def back(self, name: str) -> Identity:
        """Pull `repository:tag` with skopeo, and look at what came."""
        folder = self.folder / f"back-{len(list(self.folder.glob('back-*')))}"
        return layout_identity(images.pull(self.registry, name, folder))

    def as_it_is(self, name: str) -> Identity:
        """Fetch `repository:tag` with skopeo, converting nothing, and look at what came."""
        folder = self.folder / f"dir-{len(list(self.folder.glob('dir-*')))}"
        options = self.registry.skopeo_options("src")
        images.skopeo_copy(f"docker://{self.reference(name)}", f"dir:{folder}", *options)
        return dir_identity(folder)

    def arrived(self, name: str) -> tuple[str, Identity]:
        """Return the digest that `repository:tag` names, and the image that comes back."""
        return self.digest(name), self.back(name)


def document(stdout: str) -> Json:
    """Return the JSON document on stdout, which must follow the published schema."""
    found = json.loads(stdout)
    Draft202012Validator(json.loads(_SCHEMA.read_text())).validate(found)
    return dict(found)


def access(registry: Registry) -> tuple[tuple[str | Path, ...], bytes]:
    """Return the options that `dockless push` needs for a registry, and its stdin."""
    trust = ("--ca-file", registry.ca_file) if registry.certificates else ()
    if registry.login is None:
        return trust, b""
    username, password = registry.login
    return ("--username", username, "--password-stdin", *trust), password.encode()


def layout_identity(layout: Path) -> Identity:
    """Return the identity of a layout's one image; the diffIDs are those of the layers' bytes."""
    manifest = json.loads(blob(layout, top(layout)["digest"]).read_bytes())
    diff_ids = tuple(_diff_id(blob(layout, each["digest"])) for each in manifest["layers"])
    return Identity(
        images.digest(blob(layout, manifest["config"]["digest"]).read_bytes()), diff_ids
    )


def dir_identity(folder: Path) -> Identity:
    """Return the identity of the image in a folder of skopeo's `dir:`."""
    manifest = json.loads((folder / "manifest.json").read_text())
    layers = [folder / layer["digest"].partition(":")[2] for layer in manifest["layers"]]
    return Identity(manifest["config"]["digest"], tuple(map(_diff_id, layers)))


def archive_identity(archive: Path, position: int = 0) -> Identity:
    """Return the identity of one image of a plain docker-archive, from its config."""
    with tarfile.open(archive) as tar:
        members = {member.name.removeprefix("./"): member for member in tar}

        def content(name: str) -> bytes:
            file = tar.extractfile(members[name])
            return file.read() if file else b""

        config = content(json.loads(content("manifest.json"))[position]["Config"])
    return Identity(images.digest(config), tuple(json.loads(config)["rootfs"]["diff_ids"]))


def inspected(answer: str) -> Identity:
    """Return the identity of an image from what `docker image inspect` or podman's says."""
    image = json.loads(answer)[0]
    return Identity(
        f"sha256:{image['Id'].removeprefix('sha256:')}", tuple(image["RootFS"]["Layers"])
    )


def top(layout: Path) -> Json:
    """Return the one descriptor in a layout's index.json."""
    (descriptor,) = json.loads((layout / "index.json").read_text())["manifests"]
    return dict(descriptor)


def blob(layout: Path, digest: str) -> Path:
    """Return where a layout keeps a blob."""
    return layout / "blobs" / digest.replace(":", "/")


def layer_types(manifest: bytes) -> set[str]:
    """Return the media types of a manifest's layers."""
    return {layer["mediaType"] for layer in json.loads(manifest)["layers"]}


def output_bytes(argv: Sequence[str]) -> bytes:
    """Run a program to its end and return its stdout as it is."""
    return subprocess.run(argv, capture_output=True, check=True, timeout=120).stdout


def _diff_id(layer: Path) -> str:
    with layer.open("rb") as file:
        magic = file.read(4)
    packed = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd"}.get(magic[:2])
    if packed is None:
        return images.digest(layer.read_bytes())
    return images.digest(output_bytes((*_UNPACK[packed], str(layer))))
