"""Bundles that are not what their lock file or their list of parts says, and older ones."""

import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bed import images
from bed.dockless import Dockless, Result, dockless
from bed.failures import complaint
from bed.images import Layer
from bed.registry import Registry

pytestmark = pytest.mark.sampled(7)

Json = dict[str, Any]
_LOCK = "bundle.lock.json"


def web(folder: Path, layers: tuple[Layer, ...]) -> Path:
    made = images.Layout(folder / "images" / "web")
    made.top(made.image(layers[:2], "amd64", **images.named("ghcr.io/acme/web:v1")))
    return made.folder


@pytest.fixture
def layout(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    return web(tmp_path, layers)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, layers: tuple[Layer, ...]) -> Path:
    """A bundle as a folder."""
    made = tmp_path_factory.mktemp("good")
    return created(dockless(made / "dockless"), made / "disk", web(made, layers))


@pytest.fixture
def bundle(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good, tmp_path / "disk"))


def created(program: Dockless, out: Path, *arguments: str | Path) -> Path:
    done = program.run("bundle", "create", "-o", out, *arguments)
    assert done.code == 0, done.stderr
    return out


def _size(lock: Json) -> None:
    lock["images"][0]["size"] += 1


def _media_type(lock: Json) -> None:
    lock["images"][0]["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json"


def _blob_size(lock: Json) -> None:
    lock["images"][0]["blobs"][-1]["size"] -= 1


def _blob_gone(lock: Json) -> None:
    del lock["images"][0]["blobs"][0]


def _blob_more(lock: Json) -> None:
    lock["images"][0]["blobs"].append({"digest": "sha256:" + "a" * 64, "size": 1})


def _no_image(lock: Json) -> None:
    lock["images"] = []


def _other_platform(lock: Json) -> None:
    lock["images"][0]["platforms"] = ["linux/arm64"]


def _no_platform(lock: Json) -> None:
    lock["images"][0]["platforms"] = []


def _more_platforms(lock: Json) -> None:
    lock["images"][0]["platforms"].append("linux/amd64")


def _version(lock: Json) -> None:
    lock["lockVersion"] = True


def _all_elsewhere(lock: Json) -> None:
    lock["elsewhere"] = [each["digest"] for each in lock["images"][0]["blobs"]]


def _layer_elsewhere(lock: Json) -> None:
    lock["elsewhere"] = [lock["images"][0]["blobs"][-1]["digest"]]


def _unknown_elsewhere(lock: Json) -> None:
    lock["elsewhere"] = ["sha256:" + "a" * 64]


_LIES = [
    _size, _media_type, _blob_size, _blob_gone, _blob_more, _no_image, _other_platform,
    _no_platform, _more_platforms, _version, _all_elsewhere, _layer_elsewhere, _unknown_elsewhere,
]  # fmt: skip


@pytest.mark.parametrize("change", _LIES)
def test_a_lock_file_that_says_something_else_is_noticed(
    program: Dockless, bundle: Path, change: Callable[[Json], None]
) -> None:
    assert program.run("bundle", "verify", bundle).code == 0
    lock = json.loads((bundle / _LOCK).read_text())
    change(lock)
    (bundle / _LOCK).write_text(json.dumps(lock))
    done = program.run("bundle", "verify", bundle)
    assert done.code == 3, done.stderr
    assert _LOCK in done.stderr


@pytest.mark.parametrize("left", [None, 0, 1, 100, -2])
def test_a_bundle_without_a_whole_lock_file_is_not_good(
    program: Dockless, bundle: Path, left: int | None
) -> None:
    lock = bundle / _LOCK
    if left is None:
        lock.unlink()
    else:
        lock.write_bytes(lock.read_bytes()[:left])
    done = program.run("bundle", "verify", bundle)
    assert done.code == 3, done.stderr
    assert _LOCK in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_a_lock_file_in_another_encoding_is_noticed(
    program: Dockless, own_registry: Registry, bundle: Path, encoding: str
) -> None:
    lock = bundle / _LOCK
    lock.write_bytes(lock.read_text().encode(encoding))
    done = program.run("bundle", "verify", bundle)
    assert done.code == 3, done.stderr
    assert f"{_LOCK} cannot be used" in done.stderr
    done = program.run("mirror", bundle, "--to", own_registry.host)
    assert done.code == 8, done.stderr
    assert done.stderr.count(f"{_LOCK} cannot be used") == 1
    assert len(done.stdout.splitlines()) == 1, "the image itself is whole, and named"


@pytest.mark.parametrize("kept", [0, 1])
def test_layers_that_only_an_older_bundle_has_are_noted(
    program: Dockless, layout: Path, newer: Path, bundle: Path, tmp_path: Path, kept: int
) -> None:
    sources = (newer, layout)[: 2 - kept]
    out = created(program, tmp_path / "news", *sources, "--since", bundle)
    done = program.run("bundle", "verify", out)
    assert done.code == 0, done.stderr
    assert "leaves out 2 layers, which an older bundle has" in done.stderr
    lock = json.loads((out / _LOCK).read_text())
    lock["elsewhere"] = []
    (out / _LOCK).write_text(json.dumps(lock))
    done = program.run("bundle", "verify", out)
    assert done.code == 3, done.stderr


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_part_that_is_named_twice_is_noticed(
    program: Dockless, own_registry: Registry, layout: Path, tmp_path: Path, part: int
) -> None:
    size = sum(file.stat().st_size for file in layout.rglob("*") if file.is_file())
    created(program, tmp_path / "disk.tar", layout, "--split", str(size // 3 + 2048))
    listing = tmp_path / "disk.tar.parts.json"
    document = json.loads(listing.read_text())
    document["parts"].append(document["parts"][part])
    listing.write_text(json.dumps(document))
    for argv in (("bundle", "verify"), ("bundle", "list"), ("mirror", "--to", own_registry.host)):
        said = complaint(program.run(*argv, listing), 3)
        assert f"{listing} lists the part disk.tar.{part:03} 2 times" in said


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_part_that_is_not_what_its_list_says_is_a_failure_of_the_mirror(
    program: Dockless, own_registry: Registry, layout: Path, tmp_path: Path, part: int
) -> None:
    size = sum(file.stat().st_size for file in layout.rglob("*") if file.is_file())
    created(program, tmp_path / "disk.tar", layout, "--split", str(size // 3 + 2048))
    listing = tmp_path / "disk.tar.parts.json"
    document = json.loads(listing.read_text())
    document["parts"][part]["sha256"] = "0" * 64
    listing.write_text(json.dumps(document))
    path = tmp_path / "receipt.json"
    done = program.run("mirror", listing, "--to", own_registry.host, "--receipt", path)
    assert done.code == 8, done.stderr
    assert f"disk.tar.{part:03} is damaged" in done.stderr
    assert len(done.stdout.splitlines()) == 1, "every blob of the image is whole"
    (failure,) = json.loads(path.read_text())["failures"]
    assert f"disk.tar.{part:03}" in failure["error"]["message"]
    assert program.run("verify", path).code == 8


@pytest.fixture
def newer(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    made = images.Layout(tmp_path / "newer" / "web")
    made.top(made.image(layers, "amd64", **images.named("ghcr.io/acme/web:v2")))
    return made.folder


@pytest.mark.parametrize("older", ["folder", "lock", "tar", "parts"])
def test_an_older_bundle_is_given_in_any_form(
    program: Dockless, layout: Path, newer: Path, bundle: Path, tmp_path: Path, older: str
) -> None:
    created(program, tmp_path / "old.tar", layout)
    created(program, tmp_path / "split.tar", layout, "--split", "1M")
    given = {
        "folder": bundle,
        "lock": bundle / _LOCK,
        "tar": tmp_path / "old.tar",
        "parts": tmp_path / "split.tar.parts.json",
    }[older]
    out = created(program, tmp_path / "news", newer, "--since", given)
    assert json.loads((out / _LOCK).read_text())["elsewhere"]


@pytest.mark.parametrize("what", ["layout", "text", "empty", "gzip", "archive"])
def test_what_is_no_bundle_is_no_older_one(
    program: Dockless, newer: Path, layout: Path, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "older"
    if what == "layout":
        path = layout
    elif what == "archive":
        with tarfile.open(path, "w") as tar:
            tar.add(layout / "oci-layout", "oci-layout")
    else:
        path.write_bytes({"text": b"hello\n" * 99, "empty": b"", "gzip": b"\x1f\x8b\x08"}[what])
    done = program.run("bundle", "create", "-o", tmp_path / "news", newer, "--since", path)
    assert f"The older bundle {path} cannot be used" in complaint(done, 2)


def mirrored(program: Dockless, registry: Registry, *arguments: str | Path) -> Result:
    return program.run("mirror", *arguments, "--to", registry.host)


@pytest.mark.parametrize("dry", [("--dry-run",), (), ("--dry-run", "--format", "json")])
def test_it_is_said_that_the_older_bundle_comes_first(
    program: Dockless,
    own_registry: Registry,
    bundle: Path,
    newer: Path,
    tmp_path: Path,
    dry: tuple[str, ...],
) -> None:
    news = created(program, tmp_path / "news", newer, "--since", bundle)
    done = mirrored(program, own_registry, news, *dry)
    assert done.code == 3, done.stderr
    assert "--since" in done.stderr
    assert "Name the older bundle as a source of the same command, too" in done.stderr
    both = mirrored(program, own_registry, bundle, news, *dry)
    assert both.code == 0, both.stderr
    assert mirrored(program, own_registry, bundle).code == 0
    after = mirrored(program, own_registry, news, *dry)
    assert after.code == 0, after.stderr


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"io.containerd.image.name"', '"io.containerd.image.nome"'),
        ('"org.opencontainers.image.ref.name"', '"org.opencontainers.image.ref.nane"'),
        (
            '"mediaType":"application/vnd.oci.image.index',
            '"mediaTypo":"application/vnd.oci.image.index',
        ),
        ('"annotations"', '"annotatioms"'),
        ('"manifests":[', '"urls":["x"],"manifests":['),
        ('"size"', '"data":"eA==","size"'),
    ],
)
def test_any_change_of_the_index_is_found(
    program: Dockless, bundle: Path, old: str, new: str
) -> None:
    path = bundle / "index.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    done = program.run("bundle", "verify", bundle)
    complaint(done, 3)
    assert "index.json" in done.stderr
