"""Nothing from outside ends as a bug: every file is made wrong in every place.

A run takes one change of twenty, the same ones every time; `make fuzz` takes all of them.
"""

import bz2
import gzip
import hashlib
import itertools
import json
import lzma
import os
import random
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import zstandard
from click.testing import CliRunner

from bed import hostile
from bed.mutations import bytes_of, documents
from dockless.cli.main import dockless
from dockless.errors import DocklessError

EVERY = int(os.environ.get("FUZZ_EVERY", "20"))
OCI = "application/vnd.oci.image"
REPOSITORY = "127.0.0.1:1/a"
LAYER = gzip.compress(hostile.LAYER, mtime=0)

Run = Callable[..., None]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DOCKLESS_CACHE_DIR", str(tmp_path / "cache"))
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def run(folder: Path) -> Run:
    """Run a command line, and see that it ends as it should end, whatever it is given."""
    assert folder.is_dir()

    def run(*arguments: str | Path) -> None:
        done = CliRunner().invoke(dockless, [str(each) for each in arguments])
        error = done.exception
        if not isinstance(error, DocklessError | click.ClickException | SystemExit | None):
            raise AssertionError(f"a bug at {arguments}") from error

    return run


def _some(changes: Iterable[bytes]) -> Iterator[bytes]:
    return itertools.islice(changes, 0, None, EVERY)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _bundle(run: Run, source: Path, *options: str) -> None:
    out = source.with_name("out.tar")
    run("bundle", "create", "--as", "r/x", *options, "-o", out, source)
    out.unlink(missing_ok=True)


CONFIG = {
    "architecture": "amd64",
    "os": "linux",
    "variant": "v8",
    "rootfs": {"type": "layers", "diff_ids": [_digest(hostile.LAYER)]},
}


class Layout:
    """A layout of one image, whose documents can be replaced from the bottom up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "layout"

    def _put(self, data: bytes, kind: str) -> dict[str, Any]:
        digest = _digest(data)
        path = self.folder / "blobs/sha256" / digest.removeprefix("sha256:")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return {"mediaType": f"{OCI}.{kind}", "digest": digest, "size": len(data)}

    def manifest(self, config: bytes) -> dict[str, Any]:
        layer = self._put(LAYER, "layer.v1.tar+gzip")
        return {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.manifest.v1+json",
            "config": self._put(config, "config.v1+json"),
            "layers": [{**layer, "annotations": {"a": "b"}, "urls": []}],
        }

    def index(self, manifest: bytes) -> dict[str, Any]:
        names = {"org.opencontainers.image.ref.name": "1", "io.containerd.image.name": "h.io/a:1"}
        listed = self._put(manifest, "manifest.v1+json")
        platform = {"os": "linux", "architecture": "amd64", "variant": "v8"}
        return {
            "schemaVersion": 2,
            "mediaType": f"{OCI}.index.v1+json",
            "manifests": [{**listed, "platform": platform, "annotations": names}],
        }

    def write(self, index: bytes) -> Path:
        (self.folder / "index.json").write_bytes(index)
        (self.folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        return self.folder

    def good(self) -> Path:
        manifest = self.manifest(json.dumps(CONFIG).encode())
        return self.write(json.dumps(self.index(json.dumps(manifest).encode())).encode())


def _layouts(folder: Path) -> Iterator[Path]:
    layout = Layout(folder)
    good = layout.good()
    index = json.loads((good / "index.json").read_bytes())
    manifest = layout.manifest(json.dumps(CONFIG).encode())
    for data in _some(documents(index)):
        yield layout.write(data)
    for data in _some(documents(manifest)):
        yield layout.write(json.dumps(layout.index(data)).encode())
    for data in _some(documents(CONFIG)):
        changed = json.dumps(layout.manifest(data)).encode()
        yield layout.write(json.dumps(layout.index(changed)).encode())


def test_a_layout(run: Run, folder: Path) -> None:
    for layout in _layouts(folder):
        _bundle(run, layout)
        _bundle(run, layout, "--platform", "linux/amd64")
        run("bundle", "verify", layout)
        run("bundle", "list", layout)


def test_a_docker_archive(run: Run, folder: Path) -> None:
    layer, config, manifest = hostile.image(hostile.file("1/layer.tar", hostile.LAYER))
    path = folder / "image.tar"
    for data in _some(documents(json.loads(manifest[1]))):
        path.write_bytes(hostile.tar(layer, config, hostile.file("manifest.json", data)))
        _bundle(run, path)
    for data in _some(documents({**json.loads(config[1]), "variant": "v8"})):
        path.write_bytes(hostile.tar(layer, hostile.file(config[0].name, data), manifest))
        _bundle(run, path)


def test_a_bundle_and_its_parts(run: Run, folder: Path) -> None:
    source, bundle = Layout(folder).good(), folder / "bundle"
    run("bundle", "create", "-o", bundle, source)
    lock = bundle / "bundle.lock.json"
    for data in _some(documents(json.loads(lock.read_bytes()))):
        lock.write_bytes(data)
        run("bundle", "verify", bundle)
        run("bundle", "list", bundle)
        _bundle(run, source, "--since", str(lock))
    parts = folder / "split.tar.parts.json"
    run("bundle", "create", "-o", folder / "split.tar", "--split", "4k", source)
    for data in _some(documents(json.loads(parts.read_bytes()))):
        parts.write_bytes(data)
        run("bundle", "verify", parts)
        run("bundle", "list", parts)


ERROR = {"kind": "push", "exitCode": 1, "message": "x", "remedy": ""}
RECEIPT = {
    "receiptVersion": 1,
    "target": "127.0.0.1:1",
    "finished": None,
    "versions": {"dockless": "1"},
    "bundles": {"a": _digest(b"")},
    "images": [],
    "failures": [{"source": "a", "name": "b", "references": [f"{REPOSITORY}:1"], "error": ERROR}],
    "pending": [{"source": "a", "name": "b", "references": []}],
}


def test_a_receipt(run: Run, folder: Path) -> None:
    path = folder / "receipt.json"
    for data in _some(documents(RECEIPT)):
        path.write_bytes(data)
        run("verify", path, "--merge", folder / "merged.json")


def test_files_of_logins(run: Run, folder: Path, empty_home: Path) -> None:
    assert folder.is_dir()
    path = empty_home / ".docker/config.json"
    path.parent.mkdir()
    logins = {
        "auths": {"h.example": {"auth": "YTpi", "identitytoken": "x", "password": "p"}},
        "credHelpers": {"g.example": "x"},
        "credsStore": "y",
        "currentContext": "c",
    }
    for data in _some(documents(logins)):
        path.write_bytes(data)
        run("whoami")
        run("push", "--explain", "--image", "h.example/a:1")


SESSION = {"registry": "private", "username": "x", "image": "h.example/a", "namespace": "n"}
KAMAL = {
    "service": "s",
    "image": "a/s",
    "servers": {"web": {"hosts": ["10.0.0.1", {"10.0.0.2": ["a"]}]}, "job": ["u@h:22"]},
    "registry": {"server": "ghcr.io", "username": "u", "password": ["NAME"]},
    "builder": {"context": ".", "dockerfile": "D", "args": {"A": "b"}, "target": "t"},
    "ssh": {"user": "u", "port": 22, "config": True, "keys": ["k"], "proxy": "p@q"},
}
WHEELS = {
    "name": "w",
    "image": "x",
    "servers": [{"host": "10.0.0.1", "user": "u", "port": 22, "imageName": "q", "remoteDir": "d"}],
}
COMPOSE = {"name": "n", "services": {"web": {"image": "a/b", "build": {"context": "."}}}}


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("docker-config.json", SESSION),
        ("config/deploy.yml", KAMAL),
        ("config/deploy.yml", WHEELS),
        ("compose.yaml", COMPOSE),
    ],
)
def test_files_of_a_project(run: Run, folder: Path, name: str, document: object) -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    for data in _some(documents(document)):
        path.write_bytes(data)
        run("push", "--explain")
        run("hosts")


YAML = (
    b'a: "\\UFFFFFFFF"',
    b'a: "\\U00110000"',
    b'a: "\\ud800"',
    b"a: 2001-99-99",
    b"a: !!int x",
    b"a: !!binary x",
    b"? [a]\n: b",
    b"%YAML 9.9\n---\na: b",
    b"%TAG ! x\n---\na: b",
    b"a: &x [*x]",
    b"&a a: *a",
    b"\x00",
    b"<<: 5",
    b"<<: [5]",
    b'image: "a\\0b"\nservice: "x\\0"',
    b'ssh: {config: "x\\0y"}\nimage: a/b\nservers: [h]',
    b"- \t x",
)


@pytest.mark.parametrize("text", YAML)
def test_yaml(run: Run, folder: Path, text: bytes) -> None:
    (folder / "config").mkdir()
    for name in ("config/deploy.yml", "compose.yaml", "images.yaml"):
        (folder / name).write_bytes(text)
    run("push", "--explain")
    run("hosts")
    run("mirror", "-f", folder / "images.yaml", "--to", REPOSITORY)


def _plain(size: int = 3000) -> bytes:
    noise = random.Random(1).randbytes(size)  # noqa: S311 - content, not a secret
    layer = hostile.tar(hostile.file("noise", noise))
    return hostile.tar(*hostile.image(hostile.file("1/layer.tar", layer)))


def _packed() -> dict[str, bytes]:
    plain = _plain()
    zstd = zstandard.ZstdCompressor(write_checksum=True)
    return {
        "gzip": gzip.compress(plain, mtime=0),
        "gzip in two members": gzip.compress(plain[:2000]) + gzip.compress(plain[2000:]),
        "zstd": zstd.compress(plain),
        "xz": lzma.compress(plain),
        "bzip2": bz2.compress(plain),
    }


_AFTER = (b"\0", bytes(600), b"x", b"\x1f\x8b", b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"BZh9")


@pytest.mark.parametrize("kind", sorted(_packed()))
def test_a_compressed_archive(run: Run, folder: Path, kind: str) -> None:
    data, path = _packed()[kind], folder / "image.tar.packed"
    # a flipped bit in deflated data; every byte of what stands before and after it; a few within
    places = [*range(40), *range(40, len(data) - 40, 97), *range(len(data) - 40, len(data))]
    for changed in (*_some(bytes_of(data, places)), *(data + after for after in _AFTER)):
        path.write_bytes(changed)
        _bundle(run, path)


def test_a_compressed_layer(run: Run, folder: Path) -> None:
    for data in _some(bytes_of(LAYER, range(len(LAYER)))):
        path = folder / "image.tar"
        path.write_bytes(hostile.tar(*hostile.image(hostile.file("1/layer.tar", data))))
        _bundle(run, path)


_FIELDS = ((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (157, 100), (257, 8), (345, 155))


def _headers() -> Iterator[bytes]:
    plain, chance = _plain(), random.Random(1)  # noqa: S311 - damage, not a secret
    starts = [at for at in range(0, len(plain), 512) if plain[at + 257 : at + 262] == b"ustar"]
    for _, start, (offset, length) in itertools.product(range(8), starts, _FIELDS):
        texts = (chance.randbytes(length), b"7" * length, b"\x80" + bytes(length - 1), b"-1" * 50)
        changed = bytearray(plain)
        text = (
            chance.choice(texts)[:length] if length > 1 else chance.choice(b"xgLKSMV126").to_bytes()
        )
        changed[start + offset : start + offset + length] = text.ljust(length, b"\0")
        changed[start + 148 : start + 156] = b" " * 8
        changed[start + 148 : start + 156] = b"%06o\0 " % sum(changed[start : start + 512])
        yield bytes(changed)


def _extended(kind: bytes, data: bytes) -> bytes:
    header = tarfile.TarInfo("extended")
    header.type, header.size = kind, len(data)
    return header.tobuf(tarfile.USTAR_FORMAT) + data + bytes(-len(data) % 512)


_KEYS = ("size", "path", "linkpath", "mtime", "uid", "GNU.sparse.map", "GNU.sparse.size",
         "GNU.sparse.major", "GNU.sparse.offset", "GNU.sparse.realsize", "hdrcharset")  # fmt: skip
_VALUES = ("", "x", "-5", "1", "9" * 30, "9" * 5000, "1e400", "inf", "\0", "1,a", "a,b", "../x")


def _records() -> Iterator[bytes]:
    for key, value in itertools.product(_KEYS, _VALUES):
        body = f" {key}={value}\n".encode()
        length = len(body) + next(n for n in range(1, 9) if len(str(len(body) + n)) == n)
        yield str(length).encode() + body
    yield from (b"0 a=b\n", b"-3 a=b\n", b"99999999 a=b\n", b"9" * 30 + b" a=b\n", b"x", b"\0")


def test_the_headers_of_a_tar(run: Run, folder: Path) -> None:
    path, plain = folder / "image.tar", _plain()
    chains = [
        _extended(kind, data) * count + plain
        for kind, data in (
            (b"g", b"13 comment=x\n"),
            (b"x", b"13 comment=x\n"),
            (b"L", b"aa\0"),
            (b"K", b"aa\0"),
        )
        for count in (30, 33, 500, 5000)
    ]
    records = (_extended(kind, data) + plain for data in _records() for kind in (b"x", b"g"))
    for data in (*chains, *_some(records), *_some(_headers())):
        path.write_bytes(data)
        _bundle(run, path)


@pytest.mark.parametrize("target", ["self", ".", "../layout", "/dev/zero"])
def test_a_blob_that_is_an_odd_link(run: Run, folder: Path, target: str) -> None:
    layout = Layout(folder).good()
    for path in sorted((layout / "blobs/sha256").iterdir()):
        data = path.read_bytes()
        path.unlink()
        path.symlink_to(path.name if target == "self" else target)
        _bundle(run, layout)
        run("bundle", "verify", layout)
        path.unlink()
        path.write_bytes(data)
    shutil.rmtree(layout / "blobs")
    (layout / "blobs").symlink_to("blobs")
    run("bundle", "verify", layout)


@pytest.mark.parametrize(
    "name", ["1.0+meta", "my image", "A B", "x@y", "http://[x/", "-", "a" * 200]
)
def test_a_layout_whose_name_is_none(run: Run, folder: Path, name: str) -> None:
    layout = Layout(folder).good()
    index = json.loads((layout / "index.json").read_bytes())
    for annotation in list(index["manifests"][0]["annotations"]):
        index["manifests"][0]["annotations"] = {annotation: name}
        (layout / "index.json").write_text(json.dumps(index))
        _bundle(run, layout)
        run("mirror", layout, "--to", REPOSITORY, "--dry-run")


@pytest.mark.parametrize(
    "arguments",
    [
        ("push", "x" * 300),
        ("push", f"{'x' * 300}.tar"),
        ("push", "a" * 5000 + ":b"),
        ("push", ".", "--timeout", f"{'9' * 400}s"),
        ("push", "x.tar", "--platform", "\udcff/x"),
        ("mirror", "x", "--to", "http://[x/"),
        ("mirror", "x", "--to", REPOSITORY, "--rate", "9" * 5000),
        ("mirror", "x", "--to", REPOSITORY, "--shard", f"0/{'9' * 5000}"),
        ("bundle", "create", "-o", f"{'x' * 300}.tar", "x"),
        ("bundle", "verify", "/proc/self/mem"),
        ("verify", "/proc/self/mem"),
        ("login", "http://[x/"),
        ("doctor", "http://[x/"),
        ("logout", "[::1]:99999"),
    ],
)
def test_an_argument_beyond_measure(run: Run, arguments: tuple[str, ...]) -> None:
    run(*arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOCKLESS_CACHE_SIZE", f"{'9' * 400}G"),
        ("DOCKLESS_CACHE_SIZE", "9" * 5000),
        ("DOCKLESS_CACHE_DIR", "/dev/null"),
        ("DOCKLESS_CACHE_DIR", "/proc/self/nosuch"),
        ("DOCKLESS_CACHE_DIR", "/tmp/" + "x" * 300),  # noqa: S108 - nothing is made there
        ("DOCKER_HOST", "tcp://h:99999"),
        ("DOCKER_CONFIG", "/dev/null"),
        ("REGISTRY_AUTH_FILE", "/proc/self/mem"),
    ],
)
def test_a_variable_beyond_measure(
    run: Run, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    run("cache", "info")
    run("cache", "prune")
    run("whoami")
    run("bundle", "create", "-o", "out.tar", "nosuch.tar")
