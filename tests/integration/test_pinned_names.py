"""Names that pin a digest: one that their image does not have is a failure, and never claimed."""

import json
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.failures import complaint, tags
from bed.images import Layer
from bed.registry import Registry

pytestmark = pytest.mark.sampled(3)

_OTHER = "sha256:" + "1" * 64
_WRONG = [f"docker.io/a/bad@{_OTHER}", f"ghcr.io/a/bad:t@{_OTHER}", f"bad@sha512:{'2' * 128}"]


def _layout(folder: Path, layers: tuple[Layer, ...], *names: str) -> Path:
    """Write a layout of one image a name; `OWN` in a name is the image's own digest."""
    layout = images.Layout(folder)
    tops = []
    for number, name in enumerate(names):
        made = layout.image(layers[: 1 + number % 2], "amd64", annotations={})
        named = name.replace("OWN", made["digest"])
        tops.append({**made, "annotations": {"org.opencontainers.image.ref.name": named}})
    layout.top(*tops)
    return folder


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_mirror_claims_no_digest_that_an_image_does_not_have(
    program: Dockless, registry: Registry, layers: tuple[Layer, ...], tmp_path: Path, wrong: str
) -> None:
    lay, receipt = _layout(tmp_path / "lay", layers, "docker.io/a/good:1", wrong), tmp_path / "r"
    to = f"{registry.host}/{tmp_path.name.lower()}"
    done = program.run("mirror", lay, "--to", to, "--receipt", receipt)
    assert done.code == 8, done.stderr
    assert f"{wrong} whose digest is sha256:" in done.stderr
    written = json.loads(receipt.read_text())
    assert [each["references"] for each in written["images"]] == [[f"{to}/a/good:1"]]
    assert [each["name"] for each in written["failures"]] == [wrong]
    checked = program.run("verify", receipt)
    assert checked.code == 8, "it is a receipt, of a mirror that did not do all"
    assert tags(registry, f"{tmp_path.name.lower()}/a/bad") == set()
    alone = _layout(tmp_path / "alone", layers, wrong)
    done = program.run("mirror", alone, "--to", to)
    assert "whose digest is" in complaint(done, 3)


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_push_refuses_a_source_whose_name_pins_another_digest(
    program: Dockless, registry: Registry, layers: tuple[Layer, ...], tmp_path: Path, wrong: str
) -> None:
    good = f"{registry.host}/{tmp_path.name.lower()}/good:1"
    lay = _layout(tmp_path / "lay", layers, good, wrong)
    to = f"{registry.host}/{tmp_path.name.lower()}/app:1"
    for source in (f"{lay}:{wrong}", f"{lay}:@1"):
        done = program.run("push", source, "--image", to)
        assert "whose digest is" in complaint(done, 3)
    assert program.run("push", f"{lay}:{good}", "--image", to).code == 0
    every = program.run("push", lay, "--all")
    assert every.code == 8, every.stderr
    assert f"{wrong} whose digest is" in every.stderr


@pytest.mark.parametrize("wrong", _WRONG)
def test_a_bundle_has_no_name_that_pins_another_digest(
    program: Dockless, layers: tuple[Layer, ...], tmp_path: Path, wrong: str
) -> None:
    lay, out = _layout(tmp_path / "lay", layers, "docker.io/a/good:1", wrong), tmp_path / "out"
    done = program.run("bundle", "create", "-o", out, lay)
    assert "whose digest is" in complaint(done, 3)
    assert not out.exists()
    done = program.run("bundle", "create", "-o", out, lay, "--keep-going")
    assert done.code == 8, done.stderr
    assert f"MISSING in {out}: " in done.stderr
    assert wrong not in (out / "index.json").read_text()
    assert program.run("bundle", "verify", out).code == 0
    found = program.run("bundle", "verify", lay)
    assert found.code == 3
    assert f"{wrong} whose digest is sha256:" in found.stderr


@pytest.mark.parametrize(
    "more", [(), ("--manifest-format", "docker"), ("--platform", "linux/amd64")]
)
def test_verify_accepts_every_receipt_of_odd_names(
    program: Dockless,
    registry: Registry,
    layers: tuple[Layer, ...],
    tmp_path: Path,
    more: tuple[str, ...],
) -> None:
    names = (
        "docker.io/a/good:1",
        "docker.io/a/own@OWN",
        "ghcr.io/a/both:t@OWN",
        f"docker.io/a/bad@{_OTHER}",
        f"bad:t@{_OTHER}",
        f"bad@sha512:{'3' * 128}",
        "bare",
        "localhost:1/x",
        "index.docker.io/one:1",
        "UPPER/Case:1",
        "@",
        "a@sha256:12",
        "a/b@OWN@OWN",
        "ü:1",
        "a:" + "t" * 129,
    )
    lay = _layout(tmp_path / "lay", layers, *names)
    multi = images.Layout(tmp_path / "multi")
    index = multi.platforms({"amd64": layers[:1], "arm64": layers[:2]})
    name = f"docker.io/a/multi@{index['digest']}"
    multi.top({**index, "annotations": {"org.opencontainers.image.ref.name": name}})
    receipt, to = tmp_path / "r.json", f"{registry.host}/{tmp_path.name.lower()}"
    done = program.run("mirror", lay, multi.folder, "--to", to, "--receipt", receipt, *more)
    assert done.code == 8, done.stderr
    written = json.loads(receipt.read_text())
    claimed = {text for each in written["images"] for text in each["references"]}
    assert not any("/bad" in text for text in claimed)
    assert any("/a/own@" in text for text in claimed)
    assert any("/a/multi@" in text for text in claimed)
    checked = program.run("verify", receipt)
    assert checked.code == 8, checked.stderr
    assert "is not a valid receipt" not in checked.stderr
    assert "differs" not in checked.stderr, "what is claimed is there"
