"""Where one case runs: a dockless with folders of its own, an open registry, and small images."""

import json
import random
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bed import hostile
from bed.dockless import Dockless, Result, dockless
from bed.images import digest
from bed.registry import Registry
from bed.tools import crane

Came = dict[str, str]
"""What came of a case, by the name of each thing that is looked at."""


def image(name: str, *sizes: int, seed: int = 1) -> bytes:
    """Return a docker-archive of random layers of these sizes; the same arguments, the same one."""
    chance = random.Random(seed)  # noqa: S311 - content, not a secret
    noise = [hostile.tar(hostile.file(f"f{n}", chance.randbytes(n))) for n in sizes]
    members = hostile.image(
        *(hostile.file(f"l{number}.tar", data) for number, data in enumerate(noise))
    )
    manifest = json.loads(members[-1][1])
    manifest[0]["RepoTags"] = [name]
    return hostile.tar(*members[:-1], hostile.file("manifest.json", json.dumps(manifest).encode()))


@dataclass
class Place:
    """The place of one case.

    Attributes:
        folder: Everything is in it.
        registry: An open docker-registry on loopback.
        storage: Where that keeps what it has.
    """

    folder: Path
    registry: Registry

    @cached_property
    def dockless(self) -> Dockless:
        """A dockless whose home, store and project nobody else uses."""
        return dockless(self.folder / "dockless")

    @property
    def host(self) -> str:
        """The registry's `HOST:PORT`."""
        return self.registry.host

    def archive(self, name: str = "app:v1", *sizes: int, seed: int = 1) -> Path:
        """Write a docker-archive and return its path."""
        path = self.folder / f"{name.replace(':', '-').replace('/', '-')}-{seed}.tar"
        path.write_bytes(image(name, *(sizes or (40_000, 9_000)), seed=seed))
        return path

    def run(self, *arguments: str | Path, seconds: float = 60, **extra: str) -> Result:
        """Run dockless to its end; the code is -1 where it does not end in these seconds."""
        made = self.dockless
        try:
            return Dockless(made.folder, {**made.extra, **extra}).run(*arguments, timeout=seconds)
        except subprocess.TimeoutExpired as late:
            said = late.stderr or b""
            return Result(-1, "", said.decode(errors="replace"))

    def push(self, source: str | Path, name: str, *options: str, **extra: str) -> Result:
        """Push to a repository of the registry."""
        target = f"{self.host}/{name}"
        return self.run("push", source, "--image", target, "-q", *options, seconds=60, **extra)

    def has(self, name: str) -> str:
        """Return `yes` where the registry has a tag, with everything that it leads to."""
        argv = (crane(), "validate", "--remote", f"{self.host}/{name}")
        done = subprocess.run(argv, capture_output=True, timeout=60, check=False)
        return "no" if done.returncode else "yes"

    def put(self, path: str | Path, data: bytes | str | Mapping[str, Any]) -> Path:
        """Write a file of the project."""
        target = self.dockless.project / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(data, Mapping):
            data = json.dumps(data)
        target.write_bytes(data.encode() if isinstance(data, str) else data)
        return target


def code(done: Result) -> str:
    """Return the exit code; with a `traceback` behind it where there is one."""
    return f"{done.code}{' traceback' if 'Traceback' in done.stderr else ''}"


def visible(done: Result) -> str:
    """Return `yes` where no output has a character that commands a terminal."""
    text = (done.stdout + done.stderr).replace("\n", "")
    return "yes" if text.isprintable() else "no"


def layout(folder: Path, *images: Mapping[str, Any], documents: Mapping[str, bytes]) -> Path:
    """Write an OCI layout of these descriptors and blobs."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)
    for name, data in documents.items():
        (blobs / name.removeprefix("sha256:")).write_bytes(data)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    index = {"schemaVersion": 2, "manifests": list(images)}
    (folder / "index.json").write_text(json.dumps(index))
    return folder


class Blobs(dict[str, bytes]):
    """Blobs by their digests, which makes descriptors of them."""

    def add(self, data: bytes, kind: str, **more: object) -> dict[str, Any]:
        """Take a blob in, and return its descriptor."""
        self[digest(data)] = data
        return {"mediaType": kind, "digest": digest(data), "size": len(data), **more}
