"""What the cases are made of: images, servers that misbehave, and looks at what is left."""

import contextlib
import gzip
import hashlib
import http.server
import json
import re
import socket
import subprocess
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from email.utils import formatdate
from functools import partial
from pathlib import Path
from typing import Any

from bed import hostile
from bed.images import CONFIG, GZIP_LAYER, INDEX, MANIFEST, digest
from bed.process import output
from bed.tools import crane
from cases.place import Blobs, layout

__all__ = ["layout"]


def tar_layer(name: str = "f", size: int = 5000) -> bytes:
    """Return a layer of one file."""
    return hostile.tar(hostile.file(name, name.encode() * (size // len(name))))


def config(*layers: bytes, **more: object) -> bytes:
    """Return the config of an image of these layers."""
    diff_ids = [digest(each) for each in layers]
    members = {"architecture": "amd64", "os": "linux", "config": {}}
    return json.dumps(
        {**members, "rootfs": {"type": "layers", "diff_ids": diff_ids}, **more}
    ).encode()


def image_of(
    blobs: Blobs,
    layers: Sequence[bytes],
    *,
    packed: bool = True,
    layer_type: str = GZIP_LAYER,
    config_data: bytes | None = None,
    **more: object,
) -> dict[str, Any]:
    """Put an image into blobs, and return the descriptor of its manifest."""
    made = config(*layers) if config_data is None else config_data
    listed = [
        blobs.add(gzip.compress(each, mtime=0) if packed else each, layer_type) for each in layers
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blobs.add(made, CONFIG),
        "layers": listed,
    }
    return blobs.add(json.dumps(manifest).encode(), MANIFEST, **more)


def small_image(name: str = "f") -> tuple[Blobs, dict[str, Any]]:
    """Return the blobs of an image of one layer, and the descriptor of its manifest."""
    blobs = Blobs()
    return blobs, image_of(blobs, [tar_layer(name)])


def index_of_indexes(folder: Path, *, times: int, deep: int) -> Path:
    """Write a layout whose index lists one index several times, and so on, down to an image."""
    blobs, root = small_image()
    for _ in range(deep):
        listed = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [root] * times}
        root = blobs.add(json.dumps(listed).encode(), INDEX)
    return layout(folder, root, documents=blobs)


def docker_archive(path: Path, *images: tuple[str, bytes]) -> Path:
    """Write a docker-archive of images of one layer each, by name."""
    members: dict[str, hostile.Member] = {}
    listed = []
    for name, data in images:
        made = config(data)
        names = digest(made)[7:] + ".json", digest(data)[7:] + ".tar"
        members |= {names[0]: hostile.file(names[0], made), names[1]: hostile.file(names[1], data)}
        listed.append({"Config": names[0], "RepoTags": [name], "Layers": [names[1]]})
    manifest = hostile.file("manifest.json", json.dumps(listed).encode())
    path.write_bytes(hostile.tar(*members.values(), manifest))
    return path


def extended(kind: bytes, data: bytes) -> bytes:
    """Return one extended header of a tar."""
    header = tarfile.TarInfo("extended")
    header.type, header.size = kind, len(data)
    return header.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)


def packages_entry(control: str, package: Path) -> str:
    """Return what an index of Debian packages says of one."""
    data = package.read_bytes()
    return (
        f"{control}Filename: pool/{package.name}\nSize: {len(data)}\n"
        f"SHA256: {hashlib.sha256(data).hexdigest()}\nDescription: e\n\n"
    )


def release(listing: Path) -> str:
    """Return the Release file, without a signature, of one index of packages."""
    data = listing.read_bytes()
    return (
        "Suite: testing\nCodename: forky\n"
        f"Date: {formatdate(usegmt=True).replace('GMT', 'UTC')}\n"
        "Architectures: amd64\nComponents: main\nSHA256:\n"
        f" {hashlib.sha256(data).hexdigest()} {len(data)} main/binary-amd64/Packages\n"
    )


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; yield its `HOST:PORT`."""
    handler = partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextlib.contextmanager
def hanging(upstream: str) -> Iterator[tuple[str, threading.Event]]:
    """Run a proxy before a registry that never answers when a manifest is put.

    Yields:
        Its `HOST:PORT`, and what is set once it hangs.
    """
    hung, ended = threading.Event(), threading.Event()
    address = (upstream.partition(":")[0], int(upstream.partition(":")[2]))

    def serve(line: socket.socket) -> None:
        with contextlib.suppress(OSError), line:
            head = b""
            while b"\r\n\r\n" not in head:
                piece = line.recv(65536)
                if not piece or piece.startswith(b"\x16"):
                    return
                head += piece
            if re.match(rb"PUT \S*/manifests/", head):
                hung.set()
                ended.wait(120)
                return
            lines, _, body = head.partition(b"\r\n\r\n")
            lines = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", lines) + b"\r\nConnection: close"
            with socket.create_connection(address) as behind:
                behind.sendall(lines + b"\r\n\r\n" + body)
                threading.Thread(target=_pump, args=(line, behind), daemon=True).start()
                answer = b""
                while piece := behind.recv(65536):
                    answer += piece
            line.sendall(answer.replace(f"http://{upstream}".encode(), f"http://{host}".encode()))

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield host, hung
        finally:
            ended.set()
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)


def _pump(line: socket.socket, behind: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := line.recv(65536):
            behind.sendall(piece)


def gone(word: str, seconds: float) -> bool:
    """Whether no process has this word among its arguments, now or within these seconds."""
    until = time.monotonic() + seconds
    while word in output(("ps", "-eo", "args")):
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def layers(name: str) -> tuple[str, ...]:
    """Return the digests of the layers that a registry has under a name."""
    manifest = json.loads(output((str(crane()), "manifest", name)))
    return tuple(each["digest"] for each in manifest["layers"])


def writable_by_others(store: Path) -> bool:
    """Whether another user may change or replace a record of layers below a folder."""
    folders = {folder for record in store.rglob("layers/*.gzip") for folder in record.parents[:2]}
    return any(folder.stat().st_mode & 0o022 for folder in folders)


@contextlib.contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """Mount a file system in memory; needs root."""
    point = Path(tempfile.mkdtemp(dir=folder))
    subprocess.run(("mount", "-t", "tmpfs", "-o", options, "tmpfs", point), check=True)
    try:
        yield point
    finally:
        subprocess.run(("umount", point), check=True)
