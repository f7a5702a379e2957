"""Many small images, some of them damaged, mirrored through a kill, a bad store and a prune.

`make endurance` does it with a thousand images; without DOCKLESS_ENDURANCE there are sixty.
"""

import contextlib
import gzip
import json
import os
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bed import images
from bed.dockless import Dockless
from bed.failures import leftovers, store_of, survivors, until
from bed.pushes import Pusher
from bed.registry import Registry, docker_registry

_IMAGES = int(os.environ.get("DOCKLESS_ENDURANCE", "60"))
_PARTLY = 8


def _cut_in_half(archive: Path) -> None:
    os.truncate(archive, archive.stat().st_size // 2)


def _cut_after_a_header(archive: Path) -> None:
    os.truncate(archive, 512)


def _without_end_of_gzip(archive: Path) -> None:
    packed = gzip.compress(archive.read_bytes())
    archive.write_bytes(packed[: len(packed) - 200])


def _garbled_header(archive: Path) -> None:
    with archive.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 300)


def _zeros_inside(archive: Path) -> None:
    with archive.open("r+b") as file:
        file.seek(archive.stat().st_size // 2)
        file.write(bytes(4096))


def _flipped_layer(layout: Path) -> None:
    _change(_blob(layout, "layers"), lambda data: bytes([data[0] ^ 1]) + data[1:])


def _cut_layer(layout: Path) -> None:
    _change(_blob(layout, "layers"), lambda data: data[:-1])


def _missing_layer(layout: Path) -> None:
    _blob(layout, "layers").unlink()


def _missing_config(layout: Path) -> None:
    _blob(layout, "config").unlink()


def _manifest_of_garbage(layout: Path) -> None:
    _change(_manifest(layout), lambda data: b"\x00" * len(data))


_OF_ARCHIVES: tuple[Callable[[Path], None], ...] = (
    _cut_in_half, _cut_after_a_header, _without_end_of_gzip, _garbled_header, _zeros_inside,
)  # fmt: skip
_OF_LAYOUTS: tuple[Callable[[Path], None], ...] = (
    _flipped_layer, _cut_layer, _missing_layer, _missing_config, _manifest_of_garbage,
)  # fmt: skip


@pytest.fixture
def own_open_registry(tmp_path: Path) -> Iterator[Registry]:
    folder = tmp_path / "registry"
    folder.mkdir()
    with docker_registry(folder) as running:
        yield running


def test_what_is_good_arrives_and_what_is_not_is_named(
    program: Dockless, own_open_registry: Registry, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    good, bad = _fill(source, tmp_path / "work")
    receipt = tmp_path / "receipt.json"
    _damage_the_store(program, source / "image0004.tar", tmp_path / "other")
    argv = ("mirror", source, "--to", own_open_registry.host, "--receipt", receipt, "--quiet")
    with _pruned(program):
        with program.start(*argv) as child:
            until(lambda: _arrived(receipt) >= len(good) // _PARTLY or child.poll() is not None)
            child.send_signal(signal.SIGKILL)
        done = program.run(*argv, timeout=1800)
    assert done.code == 8, done.stderr
    assert "Traceback" not in done.stderr
    said = json.loads(receipt.read_text())
    assert said["finished"]
    assert {each["references"][0].rpartition("/")[2] for each in said["images"]} == set(good)
    assert {Path(each["source"]).name for each in said["failures"]} == bad
    for name in bad:
        assert name in done.stderr
    pusher = Pusher(program, own_open_registry, tmp_path)
    for name, config in good.items():
        assert json.loads(pusher.manifest(name))["config"]["digest"] == config
    checked = program.run("verify", receipt)
    assert checked.code == 8, "the receipt has failures"
    assert not leftovers(program, store_of(program))
    assert not survivors(program)


def _fill(source: Path, work: Path) -> tuple[dict[str, str], set[str]]:
    """Write the archives; return the config of each good one by its name, and the bad files."""
    good: dict[str, str] = {}
    bad: set[str] = set()
    damages = len(_OF_ARCHIVES) + len(_OF_LAYOUTS)
    for number in range(_IMAGES):
        name = f"image{number:04}"
        tree = work / name
        tree.mkdir(parents=True)
        content = random.Random(number).randbytes(20_000)  # noqa: S311 - the same every time
        (tree / "number").write_bytes(content)
        layer = images.layer(work / f"{name}.tar", ["number"], tree)
        layout = images.Layout(work / f"{name}.layout")
        # every other layer has yet to be compressed, in the store
        reference = images.named(f"registry.test/{name}:v1")
        layout.top(layout.image((layer,), compressed=bool(number % 2), **reference))
        config = _document(layout.folder)["config"]["digest"]
        archive = source / f"{name}.tar"
        which, rest = divmod(number, _IMAGES // damages)
        damaged = rest == 1 and which < damages
        if damaged and which < len(_OF_LAYOUTS):
            _OF_LAYOUTS[which](layout.folder)
        images.archive(layout.folder, archive)
        if damaged and which >= len(_OF_LAYOUTS):
            _OF_ARCHIVES[which - len(_OF_LAYOUTS)](archive)
        if damaged:
            bad.add(archive.name)
        else:
            good[f"{name}:v1"] = config
    assert len(bad) == damages
    (source / "SHA256SUMS").write_text("no image\n")
    return good, bad


def _damage_the_store(program: Dockless, archive: Path, folder: Path) -> None:
    """Have one image's layer in the store, with a byte of it changed."""
    folder.mkdir()
    with docker_registry(folder) as elsewhere:
        done = program.run("push", archive, "--image", f"{elsewhere.host}/elsewhere:1")
        assert done.code == 0, done.stderr
    blobs = [path for path in store_of(program).rglob("*") if path.is_file()]
    largest = max(blobs, key=lambda path: path.stat().st_size)
    _change(largest, lambda data: bytes([data[0] ^ 1]) + data[1:])


@contextlib.contextmanager
def _pruned(program: Dockless) -> Iterator[None]:
    """Prune the store again and again for as long as the block lasts."""
    script = f"while :; do {program.path} cache prune --all >/dev/null 2>&1; sleep 0.2; done"
    argv = ("timeout", "--signal=TERM", "1800", "sh", "-c", script)
    with subprocess.Popen(
        argv, env=program.environment(), cwd=program.project, stdin=subprocess.DEVNULL
    ) as loop:
        try:
            yield
        finally:
            loop.terminate()
            loop.wait(timeout=120)


def _arrived(receipt: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return len(json.loads(receipt.read_text())["images"])
    return 0


def _change(path: Path, how: Callable[[bytes], bytes]) -> None:
    data = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(how(data))


def _document(layout: Path) -> Any:  # noqa: ANN401 - any JSON
    return json.loads(_manifest(layout).read_text())


def _manifest(layout: Path) -> Path:
    digest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    return layout / "blobs" / str(digest).replace(":", "/")


def _blob(layout: Path, member: str) -> Path:
    part = _document(layout)[member]
    digest = (part[0] if isinstance(part, list) else part)["digest"]
    return layout / "blobs" / str(digest).replace(":", "/")
