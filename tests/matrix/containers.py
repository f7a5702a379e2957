"""Container tools of every version, each with an image of its own to push."""

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from bed import images
from bed.docker import docker
from bed.process import output
from bed.pushes import Identity
from matrix.fetch import path
from matrix.versions import Listed, of_kind

NAME = "matrix-sample:1"
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
# vfs mounts nothing, so that the store goes with its folder
_STORAGE = """[storage]
driver = "vfs"
graphroot = "{folder}/graph"
runroot = "{folder}/run"
"""
_PODMAN = """#!/bin/sh
export PATH={search} HOME={folder} XDG_RUNTIME_DIR={folder} CONTAINERS_STORAGE_CONF={storage}
exec {program} "$@"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A container tool with the image `NAME`.

    Attributes:
        image_id: The image's ID, `sha256:…`.
        digest: The digest that the tool has for the image's manifest; empty where it has none.
        identity: Its config and its layers, uncompressed.
        environment: What leads dockless to the tool.
        programs: The programs that have to be on PATH, by name.
    """

    image_id: str
    digest: str
    identity: Identity
    environment: dict[str, str] = field(default_factory=dict)
    programs: dict[str, Path] = field(default_factory=dict)


@contextlib.contextmanager
def source(program: Listed, folder: Path) -> Iterator[Source]:
    """Run a container tool for as long as the block lasts, and make an image in it."""
    make = _docker if program.name == "docker" else _podman
    # the path of a socket has at most 108 bytes
    with (
        tempfile.TemporaryDirectory(prefix="tool-") as short,
        make(program, Path(short), folder) as made,
    ):
        yield made


@contextlib.contextmanager
def _docker(program: Listed, short: Path, folder: Path) -> Iterator[Source]:
    features, search = [], ""
    if program.containerd:
        features = ["containerd-snapshotter"]
        (containerd,) = (each for each in of_kind("other") if each.name == "containerd")
        search = str(path(containerd).parent)
    with docker(short, path(program), features, search=search) as daemon:
        images.built(daemon, folder, NAME)
        (inspected,) = json.loads(daemon.run("image", "inspect", NAME))
        yield replace(_source(inspected, program), environment={"DOCKER_HOST": daemon.address})


@contextlib.contextmanager
def _podman(program: Listed, short: Path, folder: Path) -> Iterator[Source]:
    storage, script = short / "storage.conf", short / "podman"
    storage.write_text(_STORAGE.format(folder=short))
    script.write_text(
        _PODMAN.format(search=_SYSTEM_PATH, folder=short, storage=storage, program=path(program))
    )
    script.chmod(0o755)
    try:
        images.built(_Podman(script), folder, NAME)
        (inspected,) = json.loads(output((script, "image", "inspect", NAME)))
        yield replace(_source(inspected, program), programs={"podman": script})
    finally:
        shutil.rmtree(short / "graph", ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Podman:
    """podman as a builder of images."""

    program: Path

    def import_tree(self, tree: Path, reference: str) -> str:
        return output((self.program, "import", "--quiet", tree, reference))

    def build(self, context: Path, reference: str) -> str:
        return output((self.program, "build", "-q", "--layers", "-t", reference, context))


def _source(inspected: images.Json, program: Listed) -> Source:
    image_id = f"sha256:{inspected['Id'].removeprefix('sha256:')}"
    return Source(
        image_id=image_id,
        digest=image_id if program.containerd else "",  # of the manifest there, not the config
        identity=Identity(image_id, tuple(inspected["RootFS"]["Layers"])),
    )
