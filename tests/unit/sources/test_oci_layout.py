import json
from pathlib import Path
from typing import Any

import pytest

from bed.hostile import LAYER
from bed.images import Layer, Layout, digest, named
from dockless.errors import SourceError
from dockless.oci.platform import Platform
from dockless.sources.directory import Folder
from dockless.sources.oci_layout import PackedImage, listed_roots, names, roots
from dockless.sources.platform_choice import pick
from fakes.progress import FakeProgress


@pytest.fixture
def parts(tmp_path: Path) -> list[Layer]:
    (tmp_path / "layer").write_bytes(LAYER)
    return [Layer(tmp_path / "layer", digest(LAYER))]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "layout")


def files(layout: Layout) -> Folder:
    return Folder(layout.folder, "layout", FakeProgress())


def opened(layout: Layout, platform: str = "") -> PackedImage:
    wanted = Platform.parse(platform) if platform else None
    root = roots(files(layout))[0]
    return PackedImage(files(layout), pick(files(layout), root, wanted))


def test_an_image_is_pushed_as_it_is(layout: Layout, parts: list[Layer]) -> None:
    image = layout.image(parts)
    layout.top(image)
    content = opened(layout).content()
    assert str(content.root.digest) == image["digest"]
    assert content.platforms == (Platform("linux", "amd64"),)
    assert content.image_id == content.blobs[0].digest
    assert len(content.blobs) == 2


def test_an_index_is_kept_whole(layout: Layout, parts: list[Layer]) -> None:
    layout.top(layout.platforms({"amd64": parts, "arm64/v8": parts}))
    content = opened(layout).content()
    assert len(content.documents) == 3
    assert [str(platform) for platform in content.platforms] == ["linux/amd64", "linux/arm64"]
    assert content.image_id is None
    assert len(content.blobs) == 3


FAULTY = (
    "null",
    "7",
    "[]",
    '{"digest": "sha256:xyz"}',
    '{"digest": "md5:00000000000000000000000000000000"}',
    '{"digest": 5}',
    '{"size": -5}',
    '{"size": "12"}',
    '{"size": 1e3}',
    '{"size": true}',
    f'{{"size": {10**30}}}',
    f'{{"size": {"9" * 5000}}}',
    '{"mediaType": null}',
    '{"annotations": [1]}',
    '{"annotations": {"org.opencontainers.image.ref.name": ["b"]}}',
    '{"urls": [5]}',
    '{"platform": {"os": ["linux"]}}',
)


@pytest.mark.parametrize("faulty", FAULTY)
@pytest.mark.parametrize("first", [True, False])
def test_a_faulty_descriptor_of_several_stops_only_itself(
    layout: Layout, parts: list[Layer], faulty: str, *, first: bool
) -> None:
    image = layout.image(parts)
    good = json.dumps(image)
    if faulty.startswith("{"):  # one member is wrong, and the others are right
        faulty = f"{good[:-1]}, {faulty[1:]}"
    both = f"{faulty}, {good}" if first else f"{good}, {faulty}"
    index = f'{{"schemaVersion": 2, "manifests": [{both}]}}'
    (layout.folder / "index.json").write_text(index)
    found = listed_roots(files(layout))
    fault = found[not first]
    assert isinstance(fault, SourceError)
    assert f"layout: index.json: manifests[{int(not first)}]" in fault.what
    assert roots(files(layout)) == (found[first],)
    assert str(roots(files(layout))[0].digest) == image["digest"]


@pytest.mark.parametrize("faulty", FAULTY[:3])
def test_the_only_descriptor_that_is_faulty_is_the_fault_of_all(
    layout: Layout, faulty: str
) -> None:
    (layout.folder / "index.json").write_text(f'{{"schemaVersion": 2, "manifests": [{faulty}]}}')
    with pytest.raises(SourceError, match=r"index\.json: manifests\[0\]"):
        listed_roots(files(layout))


@pytest.mark.parametrize("version", ["1", '"2"', "null"])
def test_an_index_that_is_wrong_itself_has_no_good_descriptor(layout: Layout, version: str) -> None:
    text = f'{{"schemaVersion": {version}, "manifests": [null, null]}}'
    (layout.folder / "index.json").write_text(text)
    with pytest.raises(SourceError, match="schemaVersion"):
        listed_roots(files(layout))


@pytest.mark.parametrize("manifests", ["{}", '{"0": null}', '"text"', "5"])
def test_what_is_no_list_of_descriptors_has_none(layout: Layout, manifests: str) -> None:
    text = f'{{"schemaVersion": 2, "manifests": {manifests}}}'
    (layout.folder / "index.json").write_text(text)
    with pytest.raises(SourceError) as caught:
        listed_roots(files(layout))
    assert "manifests[" not in caught.value.what


def test_an_index_in_an_index_is_followed(layout: Layout, parts: list[Layer]) -> None:
    inner = layout.platforms({"amd64": parts, "arm64/v8": parts})
    layout.top(layout.index(inner))
    assert len(opened(layout).content().documents) == 4


@pytest.mark.parametrize("wanted", ["linux/arm64", "linux/arm64/v8"])
@pytest.mark.parametrize("nested", [False, True])
def test_a_platform_is_picked_out_of_an_index(
    layout: Layout, parts: list[Layer], wanted: str, *, nested: bool
) -> None:
    index = layout.platforms({"amd64": parts, "arm64/v8": parts})
    layout.top(layout.index(index) if nested else index)
    content = opened(layout, wanted).content()
    assert len(content.documents) == 1
    assert [str(platform) for platform in content.platforms] == ["linux/arm64"]


@pytest.mark.parametrize("single", [False, True])
def test_a_platform_that_is_not_there_is_an_error_that_lists_what_is(
    layout: Layout, parts: list[Layer], *, single: bool
) -> None:
    layout.top(layout.image(parts) if single else layout.platforms({"amd64": parts}))
    with pytest.raises(SourceError, match="no image for linux/s390x") as caught:
        opened(layout, "linux/s390x")
    assert caught.value.remedy == "It has: linux/amd64."


def test_an_index_need_not_hold_the_platforms_that_are_not_picked(
    layout: Layout, parts: list[Layer]
) -> None:
    index = layout.platforms({"amd64": parts, "arm64/v8": parts})
    layout.top(index)
    listed = json.loads((layout.folder / "blobs" / index["digest"].replace(":", "/")).read_text())
    absent = listed["manifests"][1]["digest"]
    (layout.folder / "blobs" / absent.replace(":", "/")).unlink()
    assert len(opened(layout, "linux/amd64").content().documents) == 1
    with pytest.raises(SourceError, match="does not contain") as caught:
        opened(layout).content()
    assert absent in caught.value.what
    assert "--platform" in caught.value.remedy


def test_names_are_the_full_one_and_the_tag(layout: Layout, parts: list[Layer]) -> None:
    both = {"io.containerd.image.name": "docker.io/acme/shop:1", **named("1")["annotations"]}
    layout.top(layout.image(parts, annotations=both), layout.image(parts))
    assert [names(root) for root in roots(files(layout))] == [("docker.io/acme/shop:1", "1"), ()]


def test_an_artifact_without_an_image_config_is_pushed(layout: Layout) -> None:
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": layout.blob(b"{}", "application/vnd.example.config+json"),
        "layers": [layout.blob(b"data", "application/vnd.example.data")],
    }
    layout.top(layout.document(manifest))
    content = opened(layout).content()
    assert content.platforms == ()
    paths = opened(layout).paths([blob.digest for blob in content.blobs])
    assert [path.read_bytes() for path in paths.values()] == [b"{}", b"data"]


@pytest.mark.parametrize(
    ("media_type", "blobs"),
    [
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", 1),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", 1),
        ("application/vnd.oci.image.layer.v1.tar+gzip", 2),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", 2),
    ],
)
def test_only_a_foreign_layer_stays_elsewhere(
    layout: Layout, parts: list[Layer], media_type: str, blobs: int
) -> None:
    root = layout.image(parts)
    path = layout.folder / "blobs" / root["digest"].replace(":", "/")
    manifest: dict[str, Any] = json.loads(path.read_text())
    manifest["layers"] = manifest["layers"][:1]
    manifest["layers"][0] |= {"urls": ["https://example.com/layer"], "mediaType": media_type}
    config = json.loads((layout.folder / "blobs" / root_config(manifest)).read_text())
    config["rootfs"]["diff_ids"] = config["rootfs"]["diff_ids"][:1]
    manifest["config"] = layout.blob(json.dumps(config).encode(), manifest["config"]["mediaType"])
    layout.top(layout.document(manifest))
    assert len(opened(layout).content().blobs) == blobs


def root_name(root: dict[str, Any]) -> str:
    """Return where a layout keeps a manifest, below `blobs`."""
    return str(root["digest"]).replace(":", "/")


def root_config(manifest: dict[str, Any]) -> str:
    """Return where a layout keeps a manifest's config, below `blobs`."""
    return str(manifest["config"]["digest"]).replace(":", "/")


def _altered(layout: Layout, root: dict[str, Any], data: bytes) -> None:
    (layout.folder / "blobs" / root["digest"].replace(":", "/")).write_bytes(data)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]"])
def test_a_manifest_that_is_not_its_digest_is_refused(
    layout: Layout, parts: list[Layer], data: bytes
) -> None:
    root = layout.image(parts)
    layout.top(root)
    _altered(layout, root, data)
    with pytest.raises(SourceError, match="is damaged"):
        opened(layout).content()


@pytest.mark.parametrize("more", [-7, -1, 1, 4096])
@pytest.mark.parametrize("of", ["manifest", "config", "child"])
def test_a_size_that_is_wrong_where_the_digest_is_right_is_called_that(
    layout: Layout, parts: list[Layer], more: int, of: str
) -> None:
    root = layout.image(parts)
    if of == "config":
        manifest = json.loads((layout.folder / "blobs" / root_name(root)).read_bytes())
        manifest["config"]["size"] += more
        root = layout.document(manifest)
    else:
        root["size"] += more
    layout.top(layout.index(root) if of == "child" else root)
    with pytest.raises(SourceError, match="its descriptor gives a size of") as caught:
        opened(layout).content()
    assert "matches its digest" in caught.value.what
    assert "damaged" not in caught.value.what
    assert "Correct the size" in caught.value.remedy


@pytest.mark.parametrize(
    "data", [b"not json", b"{}", b'{"layers": 7}', b'{"manifests": [{"digest": "sha256:.."}]}']
)
def test_a_manifest_that_is_none_is_refused(layout: Layout, data: bytes) -> None:
    layout.top(layout.blob(data, "application/vnd.oci.image.manifest.v1+json"))
    with pytest.raises(SourceError, match="cannot be pushed"):
        opened(layout).content()


@pytest.mark.parametrize("data", [b"not json", b"[]", b'{"layers": [], "config": {}}'])
def test_an_index_json_that_is_no_index_is_refused(layout: Layout, data: bytes) -> None:
    (layout.folder / "index.json").write_bytes(data)
    with pytest.raises(SourceError, match=r"index\.json is"):
        opened(layout)


def test_a_config_with_another_number_of_layers_is_refused(
    layout: Layout, parts: list[Layer]
) -> None:
    root = layout.image(parts)
    path = layout.folder / "blobs" / root["digest"].replace(":", "/")
    manifest: dict[str, Any] = json.loads(path.read_text())
    layout.top(layout.document(manifest | {"layers": manifest["layers"] * 2}))
    with pytest.raises(SourceError, match="lists 1 layer, but its manifest lists 2"):
        opened(layout).content()


def test_a_layer_with_another_diff_id_is_refused(layout: Layout, parts: list[Layer]) -> None:
    layout.top(layout.image([Layer(parts[0].path, digest(b"another"))]))
    image = opened(layout)
    with pytest.raises(SourceError, match="does not belong to its image"):
        image.paths([blob.digest for blob in image.content().blobs])


def test_indexes_nest_only_so_deep(layout: Layout, parts: list[Layer]) -> None:
    root = layout.image(parts)
    for _ in range(8):
        root = layout.index(root)
    layout.top(root)
    assert len(opened(layout).content().documents) == 9
    layout.top(layout.index(root))
    with pytest.raises(SourceError, match="more than 8 deep"):
        opened(layout).content()
    with pytest.raises(SourceError):
        opened(layout, "linux/s390x")


class Counted(Folder):
    """A layout that counts what is read of it."""

    read = 0

    def document(self, name: str) -> bytes:
        """Return a small file."""
        self.read += 1
        return super().document(name)


def counted(layout: Layout) -> Counted:
    return Counted(layout.folder, "layout", FakeProgress())


@pytest.mark.parametrize(("times", "depth"), [(12, 7), (2, 8), (1000, 2)])
def test_each_manifest_is_read_once_however_often_it_is_named(
    layout: Layout, parts: list[Layer], times: int, depth: int
) -> None:
    root = layout.image(parts)
    for _ in range(depth):
        root = layout.index(*[root] * times)
    layout.top(root)
    kept = counted(layout)
    image = PackedImage(kept, roots(kept)[0])
    assert len(image.content().documents) == depth + 1
    assert kept.read <= depth + 3
    with pytest.raises(SourceError, match="no image for linux/s390x"):
        pick(kept, roots(kept)[0], Platform.parse("linux/s390x"))
    assert kept.read <= 3 * depth + 6


def test_an_image_has_only_so_many_manifests(
    layout: Layout, parts: list[Layer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dockless.sources.oci_layout.MOST_DOCUMENTS", 4)
    images = [layout.index(*[layout.image(parts)] * times) for times in (1, 2, 3)]
    layout.top(layout.index(*images[:2]))
    assert len(opened(layout).content().documents) == 4
    layout.top(layout.index(*images))
    with pytest.raises(SourceError, match="more than 4 manifests"):
        opened(layout).content()


@pytest.mark.parametrize("image_first", [True, False])
def test_what_an_index_lists_and_is_no_manifest_is_a_blob(
    layout: Layout, parts: list[Layer], *, image_first: bool
) -> None:
    image = layout.image(parts)
    children = [layout.blob(b"cache", "application/vnd.buildkit.cacheconfig.v0")]
    children.insert(0 if image_first else 1, image)
    layout.top(layout.index(*children))
    content = opened(layout).content()
    assert len(content.blobs) == 3
    assert len(content.children_first()) == 2
    assert content.image_id in content.configs()
