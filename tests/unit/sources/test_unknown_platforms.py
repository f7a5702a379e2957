"""An image that does not say what it runs on is no image for a platform that is asked for."""

import json
from pathlib import Path

import pytest

from bed.images import CONFIG, GZIP_LAYER, MANIFEST, Layout
from dockless.errors import SourceError
from dockless.oci.platform import Platform
from dockless.sources.directory import Folder
from dockless.sources.oci_layout import roots
from dockless.sources.platform_choice import pick, platforms
from dockless.sources.several_platforms import pick_several
from fakes.progress import FakeProgress

SIGNATURE = "application/vnd.dev.cosign.simplesigning.v1+json"
SAYS = [
    {},
    {"os": "linux"},
    {"os": "linux", "architecture": ""},
    {"os": "", "architecture": ""},
    {"os": "windows"},
    {"os": "unknown", "architecture": "unknown"},
]


def layout(folder: Path, layer: str, config: str, says: dict[str, str]) -> Folder:
    """Return a layout of one manifest, whose config says this."""
    made = Layout(folder)
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{'0' * 64}"]}
    made.top(
        made.document(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": made.blob(json.dumps({**says, "rootfs": rootfs}).encode(), config),
                "layers": [made.blob(b"layer", layer)],
            }
        )
    )
    return Folder(folder, "layout", FakeProgress())


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize("wanted", ["linux/s390x", "linux/amd64", "windows/amd64"])
def test_an_image_without_an_architecture_is_for_no_platform(
    tmp_path: Path, says: dict[str, str], wanted: str
) -> None:
    files = layout(tmp_path, GZIP_LAYER, CONFIG, says)
    (root,) = roots(files)
    platform = Platform.parse(wanted)
    with pytest.raises(SourceError, match=f"no image for {wanted}") as caught:
        pick(files, root, platform)
    assert caught.value.remedy == "It has: none that is known."
    with pytest.raises(SourceError, match=f"no image for {wanted}"):
        pick_several(files, root, [platform, Platform.parse("linux/arm64")])
    assert pick(files, root, None) == root
    assert not platforms(files, root)


@pytest.mark.parametrize("says", SAYS)
@pytest.mark.parametrize(
    ("layer", "config"),
    [
        (SIGNATURE, CONFIG),
        ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", CONFIG),
        (GZIP_LAYER, "application/vnd.cncf.helm.config.v1+json"),
        ("text/plain", "application/vnd.oci.empty.v1+json"),
    ],
)
def test_what_is_no_image_is_for_every_platform(
    tmp_path: Path, layer: str, config: str, says: dict[str, str]
) -> None:
    files = layout(tmp_path, layer, config, says)
    (root,) = roots(files)
    platform = Platform.parse("linux/s390x")
    assert pick(files, root, platform) == root
    assert pick_several(files, root, [platform, Platform.parse("linux/arm64")]) == (files, root)
