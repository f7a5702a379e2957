"""What the matrix pushes: an image, an index with attestations, an artifact, and many tags."""

import io
import json
import random
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bed import images
from bed.images import Layer, Layout

What = Literal["image", "index", "artifact", "tags"]
WHATS: tuple[What, ...] = ("image", "index", "artifact", "tags")
ARTIFACT_TYPE = "application/vnd.example.sbom"
TAGS = tuple(f"v{number}" for number in range(20))
_LAYER_BYTES = (3 << 20, 1 << 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The files that are pushed, the same in every run.

    Attributes:
        archive: A docker-archive of two layers, not compressed.
        config: The digest of its config.
        diff_ids: The digests of its layers.
        index: A layout, tagged `index`: an index of two platforms, each with an attestation.
        artifact: A layout: an image tagged `image`, and an SBOM of it tagged `sbom`.
        roots: The digests of what the layouts tag.
    """

    archive: Path
    config: str
    diff_ids: tuple[str, ...]
    index: Path
    artifact: Path
    roots: dict[str, str]


def contents(folder: Path) -> Contents:
    """Write all of it into a folder that exists."""
    layers = tuple(_layer(folder / f"layer-{size}.tar", size) for size in _LAYER_BYTES)
    archive, config = _archive(folder / "image.tar", layers)
    index, artifact = Layout(folder / "index"), Layout(folder / "artifact")
    index_root = _index(index, layers)
    image = artifact.image(layers, **images.named("image"))
    sbom = artifact.referrer(image, b'{"sbom": "of the image"}', **images.named("sbom"))
    artifact.top(image, sbom)
    return Contents(
        archive=archive,
        config=config,
        diff_ids=tuple(layer.diff_id for layer in layers),
        index=index.folder,
        artifact=artifact.folder,
        roots={"index": index_root, "image": image["digest"], "sbom": sbom["digest"]},
    )


def _layer(path: Path, size: int) -> Layer:
    """Write a layer of one file, half of which can be compressed."""
    source = random.Random(size)  # noqa: S311 - the same bytes in every run, not secrets
    data = source.randbytes(size // 2) + bytes(size // 2)
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo(f"srv/{size}")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return Layer(path, images.digest(path.read_bytes()))


def _archive(path: Path, layers: tuple[Layer, ...]) -> tuple[Path, str]:
    """Write what `docker save` wrote before Docker 25; return it and the digest of the config."""
    config = {
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
    }
    text = json.dumps(config).encode()
    name = images.digest(text)
    files = {f"{name.partition(':')[2]}.json": text}
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    listed = [{"Config": next(iter(files)), "RepoTags": ["matrix:1"], "Layers": names}]
    for layer_name, layer in zip(names, layers, strict=True):
        files[layer_name] = layer.path.read_bytes()
    files["manifest.json"] = json.dumps(listed).encode()
    with tarfile.open(path, "w") as tar:
        for file, data in files.items():
            member = tarfile.TarInfo(file)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path, name


def _index(layout: Layout, layers: tuple[Layer, ...]) -> str:
    """Write an index as BuildKit does: after the platforms, what attests to how each was made."""
    platforms = []
    for number, architecture in enumerate(("amd64", "arm64")):
        platform = {"os": "linux", "architecture": architecture}
        platforms.append(layout.image(layers[number:], architecture, platform=platform))
    attestations = [_attestation(layout, platform["digest"]) for platform in platforms]
    root = layout.index(*platforms, *attestations, **images.named("index"))
    layout.top(root)
    return str(root["digest"])


def _attestation(layout: Layout, subject: str) -> images.Json:
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "subject": [{"name": "_", "digest": {"sha256": subject.partition(":")[2]}}],
        "predicate": {},
    }
    text = json.dumps(statement).encode()
    config = {
        "architecture": "unknown",
        "os": "unknown",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [images.digest(text)]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": images.MANIFEST,
        "config": layout.blob(json.dumps(config).encode(), images.CONFIG),
        "layers": [
            layout.blob(
                text,
                "application/vnd.in-toto+json",
                annotations={"in-toto.io/predicate-type": statement["predicateType"]},
            )
        ],
    }
    return layout.document(
        manifest,
        platform={"os": "unknown", "architecture": "unknown"},
        annotations={
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": subject,
        },
    )
