"""A process that puts referrers of one subject into a repository, as a push does.

It says `ready`, waits for a line on stdin, so that several start at the same moment, and ends with
0 when all of its own are listed as far as it can see; with LOCKS, a folder of locks, it waits for
the others there:

    python -m bed.referring HOST REPOSITORY FIRST COUNT [LOCKS]
"""

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dockless.model.endpoint import Endpoint
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_MANIFEST
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.manifests import put_manifest
from dockless.registry.referrers import ReferrersLists, Turn
from dockless.transport.http import HttpClient

ARTIFACT_TYPE = "application/vnd.example.sbom"
EMPTY = b"{}"
_EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
_TESTS = Path(__file__).parents[1]
_SECONDS = 240


def connect(host: str) -> RegistryClient:
    """Return a client of a registry that is open to everyone."""
    return RegistryClient(HttpClient(Endpoint(host=host, plain_http=True), {}), lambda: None)


def artifact(number: int, subject: bytes | None = None) -> bytes:
    """Return a manifest of no content; with a subject, about that manifest."""
    empty = {"mediaType": _EMPTY_TYPE, "digest": str(Digest.of(EMPTY)), "size": len(EMPTY)}
    members: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": ARTIFACT_TYPE,
        "config": empty,
        "layers": [empty],
        "annotations": {"org.example.number": str(number)},
    }
    if subject is not None:
        about = {"mediaType": OCI_MANIFEST, "digest": str(Digest.of(subject)), "size": len(subject)}
        members["subject"] = about
    return json.dumps(members).encode()


def start(repository: Repository, counts: Sequence[int], locks: Path | None) -> None:
    """Put so many referrers of `artifact(0)` by a process each, all at the same time.

    Raises:
        RuntimeError: A process failed; what it wrote is in it.
    """
    environment = os.environ | {"PYTHONPATH": str(_TESTS)}
    with contextlib.ExitStack() as stack:
        children = []
        for place, count in enumerate(counts):
            first = 1 + sum(counts[:place])
            argv = [sys.executable, "-m", "bed.referring", repository.host, repository.path]
            argv += [str(first), str(count), *([str(locks)] if locks else [])]
            child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
            )
            children.append(stack.enter_context(child))
            stack.callback(child.kill)
        for child in children:
            assert child.stdout
            if child.stdout.readline() != b"ready\n":
                raise RuntimeError(child.stdout.read().decode())
        for child in children:
            assert child.stdin
            child.stdin.write(b"go\n")
            child.stdin.flush()
        for child in children:
            said, _ = child.communicate(timeout=_SECONDS)
            if child.returncode:
                raise RuntimeError(said.decode())


def _main(host: str, path: str, first: str, count: str, *locks: str) -> None:
    repository = Repository.of(host, path)
    client = connect(host)
    client.ping()
    turn = _flock(Path(locks[0])) if locks else contextlib.nullcontext
    kept = ReferrersLists(client, turn=turn)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for number in range(int(first), int(first) + int(count)):
        data = artifact(number, artifact(0))
        put_manifest(client, repository, str(Digest.of(data)), data, OCI_MANIFEST)
        kept.add(repository, data)
    kept.settle()


def _flock(folder: Path) -> Turn:
    @contextlib.contextmanager
    def turn(name: str) -> Iterator[None]:
        with (folder / name).open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    return turn


if __name__ == "__main__":
    _main(*sys.argv[1:])
