"""What a push does at a registry: tags, plans, conflicts, and the ways to reach it."""

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from bed import images, pushes
from bed.dockless import Dockless
from bed.failures import store_of
from bed.images import Layer, Layout
from bed.process import output, running
from bed.pushes import Pusher
from bed.registry import Registry
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor
from dockless.oci.packing import GZIP
from dockless.storage.blob_store import BlobStore

ELSEWHERE = "192.0.2.1:5000"


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    """Pushes to a registry of the test's own: plain HTTP on loopback."""
    return Pusher(program, own_registry, tmp_path)


def archive(folder: Path, *parts: Layer) -> Path:
    """Make a docker-archive of these layers."""
    layout = Layout(folder / f"layout-{len(list(folder.iterdir()))}")
    layout.top(layout.image(parts, **images.named("1")))
    path = layout.folder.with_suffix(".tar")
    images.skopeo_copy(f"oci:{layout.folder}:1", f"docker-archive:{path}")
    return path


def small(folder: Path, text: str) -> Layer:
    """Make a layer of one file."""
    tree = folder / f"tree-{text}"
    tree.mkdir()
    (tree / "file").write_text(text)
    return images.layer(folder / f"{text}.tar", ["file"], tree)


def methods(registry: Registry, since: int = 0) -> set[str]:
    """Return the methods of the requests, from the n-th on."""
    return {request.method for request in registry.requests()[since:]}


def tags(registry: Registry, repository: str) -> set[str]:
    folder = registry.storage / "docker/registry/v2/repositories" / repository / "_manifests/tags"
    return {tag.name for tag in folder.iterdir()} if folder.exists() else set()


def test_every_tag_moves_in_one_push(pusher: Pusher, oci_layout: Path) -> None:
    result = pusher.run("team/shop", oci_layout, "--tag", "v1.0.0", "--tag", "stable")
    root = pushes.top(oci_layout)["digest"]
    assert result.code == 0
    assert result.stdout == f"{pusher.reference('team/shop')}@{root}\n"
    assert tags(pusher.registry, "team/shop") == {"v1.0.0", "stable"}
    assert {pusher.digest(f"team/shop:{tag}") for tag in ("v1.0.0", "stable")} == {root}


def test_the_tag_is_latest_when_nobody_says_otherwise(pusher: Pusher, oci_layout: Path) -> None:
    assert pusher.run("team/shop", oci_layout).code == 0
    assert tags(pusher.registry, "team/shop") == {"latest"}


def test_a_tag_moves_to_a_new_image_and_the_old_one_stays(
    pusher: Pusher, oci_layout: Path, multi_platform: Path
) -> None:
    old = pusher.push("shop:1", oci_layout)
    new = pusher.push("shop:1", multi_platform)
    assert pusher.digest("shop:1") == new != old
    assert pusher.digest(f"shop@{old}") == old


def test_a_second_push_changes_nothing(pusher: Pusher, old_archive: Path) -> None:
    first = pusher.push("shop:1", old_archive)
    before = len(pusher.registry.requests())
    done = pushes.document(pusher.run("shop:1", old_archive, "--format", "json").stdout)["result"]
    assert (done["digest"], done["unchanged"], done["sentBytes"]) == (first, True, 0)
    assert methods(pusher.registry, before) <= {"GET", "HEAD"}


def test_a_new_tag_of_an_image_that_is_there_sends_no_blob(
    pusher: Pusher, old_archive: Path
) -> None:
    first = pusher.push("shop:1", old_archive)
    before = len(pusher.registry.requests())
    assert pusher.push("shop:2", old_archive) == first
    assert methods(pusher.registry, before) == {"GET", "HEAD", "PUT"}
    assert tags(pusher.registry, "shop") == {"1", "2"}


def test_only_a_layer_that_is_new_is_compressed(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    parts = (*layers[:2], small(tmp_path, "before"))
    pusher.push("shop:1", archive(tmp_path, *parts))
    store = BlobStore(store_of(pusher.program))
    remembered = [remember_otherwise(store, part, tmp_path) for part in layers[:2]]
    changed = archive(tmp_path, *layers[:2], small(tmp_path, "after"))
    pusher.push("shop:2", changed)
    pushed = [layer["digest"] for layer in json.loads(pusher.manifest("shop:2"))["layers"]]
    assert pushed[:2] == remembered
    assert pusher.back("shop:2") == pushes.archive_identity(changed)


def remember_otherwise(store: BlobStore, layer: Layer, folder: Path) -> str:
    """Make the store remember another compression of a layer that it knows; return its digest.

    Compressing again would give the usual bytes, so what is pushed tells what was done.
    """
    diff_id = Digest.parse(layer.diff_id)
    assert store.layer(diff_id, "gzip")
    packed = gzip.compress(layer.path.read_bytes(), 2, mtime=0)
    blob = folder / diff_id.hex
    blob.write_bytes(packed)
    store.adopt(blob, Digest.of(packed))
    descriptor = Descriptor(
        media_type=images.GZIP_LAYER, digest=Digest.of(packed), size=len(packed)
    )
    store.remember(diff_id, GZIP, descriptor)
    return str(descriptor.digest)


@pytest.mark.parametrize("source", ["old_archive", "multi_platform"])
def test_a_dry_run_only_reads(pusher: Pusher, source: str, request: pytest.FixtureRequest) -> None:
    image: Path = request.getfixturevalue(source)
    plan = pushes.document(pusher.run("shop:1", image, "--dry-run", "--format", "json").stdout)[
        "plan"
    ]
    assert methods(pusher.registry) <= {"GET", "HEAD"}
    assert tags(pusher.registry, "shop") == set()
    assert plan["digest"] == pusher.push("shop:1", image)
    assert plan["repository"] == pusher.reference("shop")
    assert plan["digestIsNew"] is (source == "old_archive")
    assert [tag["action"] for tag in plan["tags"]] == ["create"]
    assert plan["missingBytes"] == sum(blob["size"] for blob in plan["blobs"]) > 0


def test_a_dry_run_in_words_says_all_that_the_plan_does(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    pusher.push("shop:1", archive(tmp_path, *layers[:2]))
    image = archive(tmp_path, *layers)
    before = len(pusher.registry.requests())
    argv = ("shop", image, "--tag", "1", "--tag", "2", "--dry-run")
    shown = pusher.run(*argv)
    plan = pushes.document(pusher.run(*argv, "--format", "json").stdout)["plan"]
    assert methods(pusher.registry, before) <= {"GET", "HEAD"}
    assert tags(pusher.registry, "shop") == {"1"}
    assert plan["imageId"] == pushes.archive_identity(image).config
    assert plan["platforms"] == ["linux/amd64"]
    assert [blob["present"] for blob in plan["blobs"]] == [False, True, True, False]
    assert [(tag["tag"], tag["action"]) for tag in plan["tags"]] == [("1", "move"), ("2", "create")]
    assert shown.code == 0
    for fact in (plan["imageId"], plan["digest"], pusher.reference("shop"), "linux/amd64"):
        assert fact in shown.stdout
    lines = (line.split() for line in shown.stdout.splitlines())
    listed = [(row[1], row[-1]) for row in lines if row and row[0] in ("Config", "Layer")]
    assert listed == [
        (blob["digest"][:19], "present" if blob["present"] else "missing") for blob in plan["blobs"]
    ]


def test_the_result_as_json(pusher: Pusher, old_archive: Path) -> None:
    argv = ("--tag", "1", "--tag", "2", "--format", "json", "--engine", "skopeo")
    done = pushes.document(pusher.run("shop", old_archive, *argv).stdout)["result"]
    assert done["references"] == [pusher.reference("shop:1"), pusher.reference("shop:2")]
    assert done["digest"] == pusher.digest("shop:2")
    assert (done["engine"], done["verified"], done["unchanged"]) == ("skopeo", True, False)
    assert done["plan"]["imageId"] == pushes.archive_identity(old_archive).config


def test_the_digest_is_written_to_a_file(pusher: Pusher, oci_layout: Path, tmp_path: Path) -> None:
    digest = pusher.push("shop:1", oci_layout, "--digest-file", tmp_path / "digest")
    assert (tmp_path / "digest").read_text() == f"{digest}\n"


@pytest.mark.parametrize("source", ["old_archive", "multi_platform"])
def test_an_immutable_push_does_not_move_a_tag(
    pusher: Pusher, oci_layout: Path, source: str, request: pytest.FixtureRequest
) -> None:
    there = pusher.push("shop:1", oci_layout)
    before = len(pusher.registry.requests())
    image: Path = request.getfixturevalue(source)
    digest_file = pusher.folder / "digest"
    argv = ("--tag", "1", "--tag", "2", "--immutable", "--digest-file", digest_file)
    result = pusher.run("shop", image, *argv)
    assert (result.code, result.stdout) == (5, "")
    assert "shop:1" in result.stderr
    assert there in result.stderr
    assert "PUT" not in methods(pusher.registry, before)
    assert (pusher.digest("shop:1"), tags(pusher.registry, "shop")) == (there, {"1"})
    assert not digest_file.exists()


def test_an_immutable_push_may_make_a_tag_and_be_repeated(pusher: Pusher, oci_layout: Path) -> None:
    first = pusher.push("shop:1", oci_layout, "--immutable")
    assert pusher.push("shop:1", oci_layout, "--immutable") == first


def test_a_conflict_as_json(pusher: Pusher, oci_layout: Path, multi_platform: Path) -> None:
    pusher.push("shop:1", oci_layout)
    result = pusher.run("shop:1", multi_platform, "--immutable", "--format", "json")
    assert result.code == 5
    error = pushes.document(result.stdout)["error"]
    assert (error["kind"], error["exitCode"]) == ("conflict", 5)


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_a_registry_on_loopback_needs_no_word_on_plain_http(
    pusher: Pusher, oci_layout: Path, engine: str
) -> None:
    assert pusher.push("shop:1", oci_layout, "--engine", engine) == pusher.digest("shop:1")


def test_a_registry_on_loopback_that_speaks_tls_is_not_spoken_to_without(
    program: Dockless, locked_registry: Registry, oci_layout: Path, tmp_path: Path
) -> None:
    pusher = Pusher(program, replace(locked_registry, certificates=None), tmp_path)
    result = pusher.run("registries/untrusted:1", oci_layout, "--retries", "0")
    assert (result.code, result.stdout) == (6, "")
    assert "certificate" in result.stderr
    assert tags(locked_registry, "registries/untrusted") == set()


@pytest.mark.parametrize("engine", ["auto", "skopeo"])
def test_a_client_certificate_opens_the_door(
    program: Dockless, mutual_registry: Registry, oci_layout: Path, tmp_path: Path, engine: str
) -> None:
    pusher = Pusher(program, mutual_registry, tmp_path)
    folder = mutual_registry.ca_file.parent
    name = f"registries/mutual-{engine}"
    argv = (oci_layout, "--cert-dir", folder, "--engine", engine, "--format", "json")
    done = pushes.document(pusher.run(f"{name}:1", *argv).stdout)["result"]
    assert done["engine"] == "skopeo"
    assert pusher.digest(f"{name}:1") == done["digest"] == pushes.top(oci_layout)["digest"]


def test_crane_is_refused_where_a_client_certificate_is_needed(
    program: Dockless, mutual_registry: Registry, oci_layout: Path, tmp_path: Path
) -> None:
    pusher = Pusher(program, mutual_registry, tmp_path)
    folder = mutual_registry.ca_file.parent
    argv = (oci_layout, "--cert-dir", folder, "--engine", "crane")
    result = pusher.run("registries/mutual-crane:1", *argv)
    assert (result.code, result.stdout) == (7, "")
    assert "client certificate" in result.stderr


def test_without_its_client_certificate_nothing_is_pushed(
    program: Dockless, mutual_registry: Registry, oci_layout: Path, tmp_path: Path
) -> None:
    pusher = Pusher(program, mutual_registry, tmp_path)
    result = pusher.run("registries/stranger:1", oci_layout, "--retries", "0")
    assert result.code in (4, 6)
    assert result.stdout == ""
    assert tags(mutual_registry, "registries/stranger") == set()


@pytest.fixture(scope="module")
def away() -> Iterator[tuple[str, ...]]:
    """What starts a program in a network namespace that has an address beside loopback."""
    name = f"dockless-{os.getpid()}"
    output(("ip", "netns", "add", name))
    try:
        output(("ip", "-n", name, "link", "set", "lo", "up"))
        output(("ip", "-n", name, "address", "add", "192.0.2.1/32", "dev", "lo"))
        yield ("ip", "netns", "exec", name)
    finally:
        output(("ip", "netns", "delete", name))


@pytest.fixture(scope="module")
def far_registry(
    away: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Registry]:
    """docker-registry on plain HTTP, at an address that is not loopback."""
    folder = tmp_path_factory.mktemp("far-registry")
    storage = folder / "storage"
    settings = {
        "version": "0.1",
        "storage": {"filesystem": {"rootdirectory": str(storage)}},
        "http": {"addr": ELSEWHERE},
    }
    configuration = folder / "registry.yml"
    configuration.write_text(yaml.safe_dump(settings))
    argv = (*away, "docker-registry", "serve", str(configuration))
    with running(argv, folder / "registry.log") as daemon:
        daemon.wait_for("listening on")
        yield Registry(ELSEWHERE, storage, daemon.log, folder)


@pytest.fixture
def far_pusher(
    away: tuple[str, ...], far_registry: Registry, program: Dockless, tmp_path: Path
) -> Pusher:
    return Pusher(replace(program, before=away), far_registry, tmp_path)


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_plain_http_elsewhere_is_spoken_only_when_told_to(
    far_pusher: Pusher, oci_layout: Path, engine: str
) -> None:
    name = f"shop-{engine}:1"
    argv = (oci_layout, "--engine", engine)
    refused = far_pusher.run(name, *argv, "--retries", "0")
    assert (refused.code, refused.stdout) == (6, "")
    assert tags(far_pusher.registry, f"shop-{engine}") == set()
    assert far_pusher.push(name, *argv, "--insecure") == pushes.top(oci_layout)["digest"]
    assert tags(far_pusher.registry, f"shop-{engine}") == {"1"}
