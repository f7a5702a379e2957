"""Images of real files: layers, layouts and indexes, and the archives that real tools make."""

import functools
import gzip
import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from bed.process import output
from bed.registry import Registry

Json = dict[str, Any]

CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
GZIP_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
PLAIN_LAYER = "application/vnd.oci.image.layer.v1.tar"

_LIBRARIES = f"usr/lib/{output(('uname', '-m'))}-linux-gnu/perl-base"
_BASE = ("usr/share/common-licenses", _LIBRARIES)
_PROGRAMS = ("usr/bin/bash", "usr/bin/tar", "usr/bin/find")
_PACKAGES = ("usr/share/doc/skopeo", "usr/share/doc/podman", "usr/share/perl5")
_COMPRESSORS = {"gzip": "gzip", "bzip2": "bzip2", "xz": "xz", "zstd": "zstd"}

Compression = Literal["gzip", "bzip2", "xz", "zstd"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of real files, uncompressed.

    Attributes:
        path: The tar.
        diff_id: Its digest, `sha256:…`.
    """

    path: Path
    diff_id: str


def digest(data: bytes) -> str:
    """Return the sha256 digest of these bytes, `sha256:…`."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def layer(path: Path, trees: Iterable[str], root: Path = Path("/")) -> Layer:
    """Write these trees of the machine, given relative to root, as a tar that is always the same.

    Owners and times are set to zero; the order is that of the names.
    """

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = 0
        return member

    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for tree in sorted(trees):
            tar.add(root / tree, tree, filter=plain)
    return Layer(path, digest(path.read_bytes()))


def layers(folder: Path) -> tuple[Layer, ...]:
    """Return three layers of a few megabytes: licences and libraries, programs, documents."""
    parts = {"base": _BASE, "programs": _PROGRAMS, "packages": _PACKAGES}
    return tuple(layer(folder / f"{name}.tar", trees) for name, trees in parts.items())


def context(folder: Path, base: str) -> Path:
    """Fill a folder with a build context whose image has five layers, two of them tiny."""
    shutil.copytree("/usr/share/perl5", folder / "perl5", symlinks=True)
    shutil.copy("/usr/bin/bash", folder / "bash")
    (folder / "hello").write_text("hello\n")
    steps = (
        f"FROM {base}",
        "COPY perl5 /usr/share/perl5/",
        "COPY bash /usr/local/bin/",
        "COPY hello /srv/a/",
        "COPY hello /srv/b/",
        "ENV GREETING=hello",
        'CMD ["/usr/local/bin/bash"]',
    )
    (folder / "Dockerfile").write_text("\n".join(steps) + "\n")
    return folder


class Layout:
    """An OCI layout that is written file by file.

    Attributes:
        folder: The layout's folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Json] = {}
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        self.top()

    def blob(self, data: bytes, media_type: str, **more: Any) -> Json:  # noqa: ANN401 - any JSON
        """Write a blob and return its descriptor, with these members added."""
        name = digest(data)
        (self.folder / "blobs" / name.replace(":", "/")).write_bytes(data)
        return {"mediaType": media_type, "digest": name, "size": len(data), **more}

    def document(self, content: Json, **more: Any) -> Json:  # noqa: ANN401 - any JSON
        """Write a manifest or index and return its descriptor."""
        return self.blob(json.dumps(content).encode(), content["mediaType"], **more)

    def image(
        self,
        parts: Sequence[Layer],
        architecture: str = "amd64",
        *,
        compressed: bool = True,
        **more: Any,  # noqa: ANN401 - any JSON
    ) -> Json:
        """Write an image of these layers, gzipped or not, and return its descriptor."""
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Cmd": ["/usr/bin/bash"]},
            "rootfs": {"type": "layers", "diff_ids": [part.diff_id for part in parts]},
        }
        blobs = [self._gzipped(part) if compressed else self._plain(part) for part in parts]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(json.dumps(config).encode(), CONFIG),
            "layers": blobs,
        }
        return self.document(manifest, **more)

    def _gzipped(self, part: Layer) -> Json:
        if part.diff_id not in self._known:
            packed = _packed(part.path.read_bytes())
            self._known[part.diff_id] = self.blob(packed, GZIP_LAYER)
        return self._known[part.diff_id]

    def _plain(self, part: Layer) -> Json:
        return self.blob(part.path.read_bytes(), PLAIN_LAYER)

    def platforms(self, images: Mapping[str, Sequence[Layer]], **more: Any) -> Json:  # noqa: ANN401 - any JSON
        """Write an index of one image a platform (`arm64/v8`) and return its descriptor."""
        manifests = []
        for name, parts in images.items():
            architecture, _, variant = name.partition("/")
            platform = {"os": "linux", "architecture": architecture}
            if variant:
                platform["variant"] = variant
            manifests.append(self.image(parts, architecture, platform=platform))
        return self.index(*manifests, **more)

    def referrer(self, subject: Json, data: bytes, **more: Any) -> Json:  # noqa: ANN401 - any JSON
        """Write a manifest about another one, with these bytes, and return its descriptor."""
        return self.document(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": "application/vnd.example.sbom",
                "config": self.blob(b"{}", "application/vnd.oci.empty.v1+json"),
                "layers": [self.blob(data, "text/plain")],
                "subject": {key: subject[key] for key in ("mediaType", "digest", "size")},
            },
            **more,
        )

    def index(self, *descriptors: Json, **more: Any) -> Json:  # noqa: ANN401 - any JSON
        """Write an index of these descriptors, which may be indexes, and return its own."""
        content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(descriptors)}
        return self.document(content, **more)

    def top(self, *descriptors: Json) -> Path:
        """Write `index.json` with these descriptors and return the layout's folder."""
        content = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(descriptors)}
        (self.folder / "index.json").write_text(json.dumps(content))
        return self.folder


@functools.lru_cache(maxsize=16)
def _packed(data: bytes) -> bytes:
    """Compress a layer; most layouts of a session are made of the same three."""
    return gzip.compress(data, 1, mtime=0)


def named(tag: str) -> Json:
    """Return the member of a descriptor that names it in a layout's index.json."""
    return {"annotations": {"org.opencontainers.image.ref.name": tag}}


def skopeo_copy(source: str, target: str, *options: str) -> None:
    """Copy an image with skopeo, between any two of its transports."""
    output(("skopeo", "--insecure-policy", "copy", "--quiet", *options, source, target))


def pull(registry: Registry, name: str, folder: Path, *options: str) -> Path:
    """Pull `repository:tag` or `repository@digest` into an OCI layout tagged `pulled`."""
    side = registry.skopeo_options("src")
    skopeo_copy(f"docker://{registry.host}/{name}", f"oci:{folder}:pulled", *side, *options)
    return folder


def umoci_layout(folder: Path, tree: Path) -> Path:
    """Make a layout with umoci, tagged `latest`, that has a tar of a file tree as its one layer."""
    image = f"{folder}:latest"
    output(("umoci", "init", "--layout", str(folder)))
    output(("umoci", "new", "--image", image))
    output(("umoci", "raw", "add-layer", "--image", image, str(tree)))
    return folder


def archive(folder: Path, path: Path, *, dotted: bool = False) -> Path:
    """Pack a folder as a tar, its names as they are or with `./` before each."""
    names = ["./"] if dotted else sorted(entry.name for entry in folder.iterdir())
    output(("tar", "-C", str(folder), "-cf", str(path), *names))
    return path


def dotted(source: Path, path: Path) -> Path:
    """Pack an archive anew with `./` before every name, as `tar -C folder -cf path ./` does."""
    unpacked = path.with_suffix(".unpacked")
    unpacked.mkdir()
    output(("tar", "-C", str(unpacked), "-xf", str(source)))
    archive(unpacked, path, dotted=True)
    shutil.rmtree(unpacked)
    return path


def compressed(source: Path, how: Compression) -> Path:
    """Compress an archive fast, with the program of that name; return the file beside it."""
    path = source.with_name(f"{source.name}.{how}")
    with source.open("rb") as stdin, path.open("wb") as stdout:
        subprocess.run((_COMPRESSORS[how], "-1", "-c"), stdin=stdin, stdout=stdout, check=True)
    return path


class Builder(Protocol):
    """A docker or podman in which images are made."""

    def import_tree(self, tree: Path, reference: str) -> str:
        """Make an image of one layer from a tar of a file tree; return its image ID."""

    def build(self, context: Path, reference: str) -> str:
        """Build the context's Dockerfile; return the image ID."""


def built(builder: Builder, folder: Path, name: str) -> str:
    """Import and build the sample image as `name`; return its image ID."""
    base = layer(folder / "base.tar", _BASE)
    builder.import_tree(base.path, "dockless-base:1")
    return builder.build(context(folder / "context", "dockless-base:1"), name)
