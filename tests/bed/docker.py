"""Docker daemons of the test's own, each with a private socket and a store that goes with it.

They need root. Nothing can be pulled and no container is run, so they touch neither the machine's
network nor its cgroups.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bed.process import output, running

_SYSTEM_DOCKERD = Path("/usr/sbin/dockerd")


@dataclass(frozen=True, slots=True)
class Docker:
    """A Docker daemon that is running.

    Attributes:
        socket: Its socket.
        log: What it wrote.
    """

    socket: Path
    log: Path

    @property
    def address(self) -> str:
        """What `DOCKER_HOST` must be to reach it."""
        return f"unix://{self.socket}"

    def run(self, *arguments: str | Path, stdin: bytes = b"") -> str:
        """Run `docker` against this daemon and return its stdout.

        Raises:
            RuntimeError: It failed.
        """
        argv = ("docker", "--host", self.address, *arguments)
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "DOCKER_BUILDKIT": "0"}
        return output(argv, stdin=stdin, environment=environment)

    def context(self, folder: Path, name: str) -> Path:
        """Make a context that leads to this daemon; return the folder for `DOCKER_CONFIG`."""
        argv = ("docker", "context", "create", name, "--docker", f"host={self.address}")
        output(argv, environment={"PATH": "/usr/bin:/bin", "DOCKER_CONFIG": str(folder)})
        return folder

    def import_tree(self, tree: Path, reference: str) -> str:
        """Make an image of one layer from a tar of a file tree; return its image ID."""
        return self.run("import", tree, reference)

    def build(self, context: Path, reference: str) -> str:
        """Build the context's Dockerfile; return the image ID."""
        return self.run("build", "--quiet", "--tag", reference, context)

    def load(self, archive: Path) -> str:
        """Load an archive; return the name of its image."""
        return self.run("load", "--input", archive).partition("Loaded image: ")[2].split()[0]

    def image_id(self, reference: str) -> str:
        """Return the ID of an image."""
        return self.run("image", "inspect", "--format", "{{.Id}}", reference)

    def digest(self, reference: str) -> str:
        """Return what `docker images --digests` shows of an image."""
        return self.run("images", "--digests", "--format", "{{.Digest}}", reference)

    def save(self, archive: Path, *references: str) -> Path:
        """Write a docker-archive of these images and return its path."""
        self.run("save", "--output", archive, *references)
        return archive


@contextlib.contextmanager
def docker(
    folder: Path,
    dockerd: Path = _SYSTEM_DOCKERD,
    features: Sequence[str] = (),
    *,
    search: str = "",
) -> Iterator[Docker]:
    """Run a Docker daemon, and the containerd that it starts, for as long as the block lasts.

    Args:
        folder: A folder that exists, with a short path: the sockets live there.
        dockerd: The daemon; the system's own unless another is given.
        features: What to turn on in it.
        search: Folders in which it looks for containerd before those of PATH.
    """
    data = folder / "data"
    socket = folder / "docker.sock"
    argv: tuple[str | Path, ...] = (
        dockerd,
        f"--data-root={data}",
        f"--exec-root={folder / 'exec'}",
        f"--pidfile={folder / 'pid'}",
        f"--host=unix://{socket}",
        "--iptables=false",
        "--ip6tables=false",
        "--bridge=none",
        *(f"--feature={feature}=true" for feature in features),
    )
    environment = {**os.environ, "PATH": f"{search}:{os.environ['PATH']}"} if search else None
    try:
        with running(argv, folder / "docker.log", environment) as daemon:
            daemon.wait_for("API listen on")
            yield Docker(socket, daemon.log)
    finally:
        shutil.rmtree(data, ignore_errors=True)
