"""An image of real files as a docker-archive, made with tarfile alone."""

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layer:
    """An uncompressed layer.

    Attributes:
        path: The tar.
        diff_id: Its digest, `sha256:…`.
    """

    path: Path
    diff_id: str

    @property
    def size(self) -> int:
        """Its bytes."""
        return self.path.stat().st_size


@dataclass(frozen=True, slots=True)
class Archive:
    """A docker-archive of one image.

    Attributes:
        path: The tar.
        image_id: The digest of the config, `sha256:…`.
        layers: What is in it, the lowest first.
    """

    path: Path
    image_id: str
    layers: tuple[Layer, ...]


def files(tree: Path, without: Collection[str] = ()) -> Iterator[Path]:
    """Yield every file that we may read and every link of a tree, in the order of names.

    Args:
        tree: The tree; one that does not exist has no files.
        without: Names of folders to leave out.
    """
    for folder, folders, names in os.walk(tree):
        folders[:] = sorted(set(folders).difference(without))
        for path in (Path(folder, name) for name in sorted(names)):
            if path.is_symlink() or (path.is_file() and os.access(path, os.R_OK)):
                yield path


def write_layer(path: Path, members: Iterable[Path]) -> Layer:
    """Write these files as a layer, with root as their owner and no times."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            tar.add(member, recursive=False, filter=_plain)
    return Layer(path, digest(path))


def write_archive(path: Path, name: str, layers: Sequence[Layer]) -> Archive:
    """Write a docker-archive of these layers, as `docker save` did before version 25."""
    config = {
        "architecture": {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, "amd64"),
        "os": "linux",
        "config": {"Cmd": ["/usr/bin/python3"]},
        "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
    }
    data = json.dumps(config).encode()
    image_id = hashlib.sha256(data).hexdigest()
    names = [f"{layer.diff_id.removeprefix('sha256:')}/layer.tar" for layer in layers]
    listed = [{"Config": f"{image_id}.json", "RepoTags": [name], "Layers": names}]
    with tarfile.open(path, "w") as tar:
        for layer, member in zip(layers, names, strict=True):
            tar.add(layer.path, member, filter=_plain)
        _add(tar, f"{image_id}.json", data)
        _add(tar, "manifest.json", json.dumps(listed).encode())
    return Archive(path, f"sha256:{image_id}", tuple(layers))


def digest(path: Path) -> str:
    """Return the digest of a file, `sha256:…`."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))
