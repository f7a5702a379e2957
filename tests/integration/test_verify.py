"""What `verify` says of receipts that lack something, and of bytes that are not what they were."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bed import images
from bed.dockless import Dockless
from bed.failures import until
from bed.faults import Fault, FaultyRegistry, Hang
from bed.images import Layer
from bed.pushes import Json, Pusher
from bed.registry import Registry

pytestmark = pytest.mark.sampled(5)
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def folder(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    for name, parts in (("web", layers[:2]), ("api", layers), ("job", layers[1:])):
        layout = images.Layout(tmp_path / "images" / name)
        layout.top(layout.image(parts, "amd64", **images.named(f"ghcr.io/acme/{name}:v1")))
    return tmp_path / "images"


@pytest.fixture
def receipt(program: Dockless, own_registry: Registry, folder: Path, tmp_path: Path) -> Path:
    path = tmp_path / "receipt.json"
    done = program.run("mirror", folder, "--to", own_registry.host, "--receipt", path)
    assert done.code == 0, done.stderr
    return path


def changed(path: Path, **members: object) -> Json:
    document = dict(json.loads(path.read_text())) | members
    path.write_text(json.dumps(document))
    return document


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_receipt_of_a_mirror_that_was_ended_says_what_is_missing(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    folder: Path,
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    path = tmp_path / "receipt.json"
    faulty_registry.faults.append(Fault("PUT", "/job/manifests/v1$", Hang(), 1_000))
    argv = ("mirror", folder, "--to", faulty_registry.host, "--receipt", path)
    with program.start(*argv, "--parallel", "1") as child:
        until(lambda: any(each.status == 0 for each in faulty_registry.requests))
        child.send_signal(number)
        child.communicate(timeout=120)
    document = json.loads(path.read_text())
    assert document["finished"] is None
    pending = [each["name"] for each in document["pending"]]
    arrived = [each["name"] for each in document["images"]]
    assert "ghcr.io/acme/job:v1" in pending
    assert len(pending) + len(arrived) == 3
    faulty_registry.faults.clear()
    done = program.run("verify", path)
    assert done.code == 8, done.stderr
    assert f"{len(arrived)} of {len(arrived)} reference" in done.stdout
    assert "ghcr.io/acme/job:v1" in done.stderr
    assert "had not been tried" in done.stderr
    again = program.run("mirror", folder, "--to", faulty_registry.host, "--receipt", path)
    assert again.code == 0, again.stderr
    assert program.run("verify", path).code == 0


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_failures_in_a_receipt_are_said(
    program: Dockless, own_registry: Registry, folder: Path, tmp_path: Path, quiet: tuple[str, ...]
) -> None:
    path = tmp_path / "receipt.json"
    blob = max((folder / "api/blobs/sha256").iterdir(), key=lambda each: each.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    argv = ("mirror", folder / "api", folder / "job", "--to", own_registry.host)
    done = program.run(*argv, "--receipt", path, "--parallel", "1")
    assert done.code == 8, done.stderr
    checked = program.run("verify", path, *quiet)
    assert checked.code == 8, checked.stderr
    assert "ghcr.io/acme/api:v1" in checked.stderr


@pytest.mark.parametrize("members", [{"finished": None}, {"finished": None, "images": []}])
def test_an_older_receipt_that_was_not_finished_is_not_good(
    program: Dockless, receipt: Path, members: Json
) -> None:
    document = changed(receipt, **members)
    document.pop("pending")
    receipt.write_text(json.dumps(document))
    done = program.run("verify", receipt)
    assert done.code == 8, done.stderr
    assert "did not finish" in done.stderr


def no_blobs(image: Json) -> str:
    lost = image["blobs"][0]["digest"]
    image["blobs"] = []
    return f"lacks the blob {lost}"


def one_less(image: Json) -> str:
    return f"lacks the blob {image['blobs'].pop()['digest']}"


def another_size(image: Json) -> str:
    image["blobs"][-1]["size"] += 1
    return f"{image['blobs'][-1]['size']} bytes for the blob {image['blobs'][-1]['digest']}"


def another_blob(image: Json) -> str:
    image["blobs"].append({"digest": f"sha256:{'7' * 64}", "size": 1})
    return f"has the blob sha256:{'7' * 64}, which"


def another_type(image: Json) -> str:
    image["mediaType"] = "application/vnd.oci.image.index.v1+json"
    return "which is application/vnd.oci.image.manifest.v1+json"


@pytest.mark.parametrize("change", [no_blobs, one_less, another_size, another_blob, another_type])
@pytest.mark.parametrize("count", [1, 3])
def test_a_receipt_that_is_not_as_the_manifests_is_not_good(
    program: Dockless, receipt: Path, change: Callable[[Json], str], count: int
) -> None:
    images = json.loads(receipt.read_text())["images"][:count]
    assert program.run("verify", receipt).code == 0
    said = [change(image) for image in images[-1:]]
    changed(receipt, images=images)
    done = program.run("verify", receipt)
    assert done.code == 8, done.stderr
    assert f"{count - 1} of {count} reference" in done.stdout
    assert all(each in done.stderr for each in said)


def test_parts_of_a_mirror_lack_what_one_of_them_lacks(
    program: Dockless, receipt: Path, tmp_path: Path
) -> None:
    other, both = tmp_path / "other.json", tmp_path / "both.json"
    other.write_text(receipt.read_text())
    entry = {"source": "x.tar", "name": "x:1", "references": ["registry.inside/x:1"]}
    changed(other, finished=None, pending=[entry])
    done = program.run("verify", receipt, other, "--merge", both)
    assert done.code == 8, done.stderr
    assert json.loads(both.read_text())["pending"] == [entry]
    again = program.run("verify", both)
    assert (again.code, "x:1 of x.tar" in again.stderr) == (8, True)


def blobs(registry: Registry, name: str, pusher: Pusher) -> list[Path]:
    manifest = json.loads(pusher.manifest(name))
    folder = registry.storage / "docker/registry/v2/blobs/sha256"
    digests = [each["digest"][7:] for each in (manifest["config"], *manifest["layers"])]
    return [folder / each[:2] / each / "data" for each in digests]


@pytest.mark.parametrize("damage", ["flipped", "cut", "longer"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_deep_verification_sees_bytes_that_are_not_what_they_were(
    program: Dockless,
    own_registry: Registry,
    receipt: Path,
    tmp_path: Path,
    damage: str,
    place: int,
) -> None:
    whole = program.run("verify", "--deep", receipt)
    assert whole.code == 0, whole.stderr
    assert "every byte" in whole.stdout
    data = blobs(own_registry, "acme/web:v1", Pusher(program, own_registry, tmp_path))[place]
    content = bytearray(data.read_bytes())
    if damage == "flipped":
        content[len(content) // 2] ^= 4
    data.write_bytes(content[:-1] if damage == "cut" else content + b"!" * (damage == "longer"))
    plain = program.run("verify", receipt)
    if damage == "flipped":
        assert plain.code == 0, "HEAD tells its length, and not what is in it"
    else:
        assert plain.code in {1, 8}, "all of the images have it, or some"
        assert f"damaged copy of the blob sha256:{data.parent.name}" in plain.stderr
    deep = program.run("verify", "--deep", receipt)
    assert deep.code in {1, 6, 8}, deep.stderr
    assert data.parent.name in deep.stderr


@pytest.mark.parametrize("engine", ["crane", "direct"])
def test_the_receipt_of_a_single_push_is_one_for_verify(
    program: Dockless, own_registry: Registry, folder: Path, tmp_path: Path, engine: str
) -> None:
    path = tmp_path / "receipt.json"
    target = ("--image", f"{own_registry.host}/one/shop:1", "--receipt", path)
    done = program.run("push", folder / "web", *target, "--engine", engine)
    assert done.code == 0, done.stderr
    said = json.loads(path.read_text())
    Draft202012Validator(json.loads((DOCS / "receipt.schema.json").read_text())).validate(said)
    (image,) = said["images"]
    assert done.stdout == f"{own_registry.host}/one/shop@{image['digest']}\n"
    assert image["checked"]
    assert image["arrived"]
    good = program.run("verify", path, "--deep", "--format", "json")
    assert good.code == 0, good.stderr
    found = json.loads(good.stdout)
    Draft202012Validator(json.loads((DOCS / "verify.schema.json").read_text())).validate(found)
    assert found["verification"]["checked"] == image["references"]
    again = program.run("push", folder / "web", *target)
    assert again.code == 0, again.stderr
    (unchanged,) = json.loads(path.read_text())["images"]
    assert (unchanged["arrived"], unchanged["unchanged"], unchanged["checked"]) == (
        None,
        True,
        True,
    )
    moved = program.run("push", folder / "api", *target[:2])
    assert moved.code == 0, moved.stderr
    assert program.run("verify", path).code == 1
