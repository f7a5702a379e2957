"""Sources of one mirror that need one another, have the same images, or differ about a name."""

import itertools
import json
import shutil
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless, Result
from bed.faults import Fault, FaultyRegistry, status
from bed.images import Layer
from bed.pushes import Json, Pusher, layout_identity
from bed.registry import Registry

pytestmark = pytest.mark.sampled(5)

_ALWAYS = 1_000
_NAMES = ("old", "new", "third")


@pytest.fixture
def layouts(tmp_path: Path, layers: tuple[Layer, ...]) -> dict[str, Path]:
    """Three versions of an image, each with a layer more."""
    made = {}
    for number, name in enumerate(_NAMES, 1):
        layout = images.Layout(tmp_path / "images" / name)
        layout.top(layout.image(layers[:number], **images.named(f"ghcr.io/acme/web:v{number}")))
        made[name] = layout.folder
    return made


def created(program: Dockless, out: Path, *arguments: str | Path) -> Path:
    done = program.run("bundle", "create", "-o", out, *arguments)
    assert done.code == 0, done.stderr
    return out


@pytest.fixture
def chain(program: Dockless, layouts: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    """A bundle of each; each leaves out what those before it have."""
    made: dict[str, Path] = {}
    for name in _NAMES:
        older = made.get({"new": "old", "third": "new"}.get(name, ""))
        since = ("--since", older) if older else ()
        made[name] = created(program, tmp_path / f"{name}.tar", layouts[name], *since)
    return made


def mirrored(program: Dockless, host: str, *arguments: str | Path) -> Result:
    return program.run("mirror", *arguments, "--to", f"{host}/m")


def arrived(pusher: Pusher, layouts: dict[str, Path]) -> None:
    for number, name in enumerate(_NAMES, 1):
        assert pusher.back(f"m/acme/web:v{number}") == layout_identity(layouts[name])


@pytest.mark.parametrize("order", [*itertools.permutations(_NAMES)], ids="-".join)
def test_a_chain_of_bundles_arrives_in_whatever_order_it_is_given(
    program: Dockless,
    own_registry: Registry,
    layouts: dict[str, Path],
    chain: dict[str, Path],
    tmp_path: Path,
    order: tuple[str, ...],
) -> None:
    sources = [chain[name] for name in order]
    dry = mirrored(program, own_registry.host, *sources, "--dry-run")
    assert dry.code == 0, dry.stderr
    path = tmp_path / "receipt.json"
    done = mirrored(program, own_registry.host, *sources, "--receipt", path)
    assert done.code == 0, done.stderr
    assert len(json.loads(path.read_text())["images"]) == 3
    arrived(Pusher(program, own_registry, tmp_path), layouts)
    assert program.run("verify", path).code == 0


@pytest.mark.parametrize(
    "more", [("--engine", "crane"), ("--engine", "direct"), ("--parallel", "1")]
)
def test_a_chain_needs_no_mounts(
    program: Dockless,
    own_registry: Registry,
    layouts: dict[str, Path],
    chain: dict[str, Path],
    tmp_path: Path,
    more: tuple[str, ...],
) -> None:
    sources = [chain[name] for name in reversed(_NAMES)]
    done = mirrored(program, own_registry.host, *sources, *more)
    assert done.code == 0, done.stderr
    arrived(Pusher(program, own_registry, tmp_path), layouts)


def test_bundles_that_each_leave_out_what_the_other_has_arrive(
    program: Dockless, own_registry: Registry, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    for name, parts in (("one", layers[:2]), ("two", layers[1::-1])):
        layout = images.Layout(tmp_path / name)
        layout.top(layout.image(parts, **images.named(f"ghcr.io/acme/{name}:v1")))
    for name, part in (("a", layers[0]), ("b", layers[1])):
        layout = images.Layout(tmp_path / name)
        layout.top(layout.image((part,), **images.named("ghcr.io/acme/base:v1")))
        created(program, tmp_path / f"{name}.tar", layout.folder)
    one = created(program, tmp_path / "1.tar", tmp_path / "one", "--since", tmp_path / "a.tar")
    two = created(program, tmp_path / "2.tar", tmp_path / "two", "--since", tmp_path / "b.tar")
    done = mirrored(program, own_registry.host, one, two)
    assert done.code == 0, done.stderr
    both = created(program, tmp_path / "both.tar", two, one)
    assert program.run("bundle", "verify", both).code == 0


@pytest.mark.parametrize("left", ["new", "old", "old new"])
def test_what_no_source_has_is_the_one_failure_of_each_image_that_needs_it(
    program: Dockless, own_registry: Registry, chain: dict[str, Path], tmp_path: Path, left: str
) -> None:
    there = [name for name in reversed(_NAMES) if name not in left.split()]
    path = tmp_path / "receipt.json"
    argv = ("--receipt", path)
    done = mirrored(program, own_registry.host, *(chain[name] for name in there), *argv)
    receipt = json.loads(path.read_text())
    wrong = [name for name in there if name != "old"]
    assert done.code == (8 if "old" in there else 3), done.stderr
    assert {each["source"] for each in receipt["failures"]} == {str(chain[each]) for each in wrong}
    placed = {name for each in receipt["images"] for name in each["references"]}
    failed = {name for each in receipt["failures"] for name in each["references"]}
    assert not placed & failed
    for number, name in enumerate(_NAMES, 1):
        said = sum(
            line.startswith(f"{own_registry.host}/m/acme/web:v{number}:")
            for line in done.stderr.splitlines()
        )
        # the only failure is the error that ends the command
        assert said == (name in wrong and len(there) > 1), done.stderr


@pytest.mark.parametrize("order", [("third", "new", "old"), ("new", "third", "old")], ids="-".join)
def test_a_bundle_of_a_chain_is_whole_in_whatever_order_it_is_given(
    program: Dockless,
    own_registry: Registry,
    layouts: dict[str, Path],
    chain: dict[str, Path],
    tmp_path: Path,
    order: tuple[str, ...],
) -> None:
    out = created(program, tmp_path / "whole.tar", *(chain[name] for name in order))
    shutil.rmtree(program.folder / "cache")
    for path in chain.values():
        path.unlink()
    done = mirrored(program, own_registry.host, out)
    assert done.code == 0, done.stderr
    arrived(Pusher(program, own_registry, tmp_path), layouts)


@pytest.mark.parametrize("part", ["0/3", "1/3", "2/3"])
def test_a_part_of_a_mirror_needs_no_other_part(
    program: Dockless, own_registry: Registry, layers: tuple[Layer, ...], tmp_path: Path, part: str
) -> None:
    made: list[Path] = []
    for number in (1, 2, 3):
        layout = images.Layout(tmp_path / f"app{number}")
        layout.top(layout.image(layers[:number], **images.named(f"ghcr.io/acme/app{number}:v1")))
        since = ("--since", made[-1]) if made else ()
        made.append(created(program, tmp_path / f"{number}.tar", layout.folder, *since))
    done = mirrored(program, own_registry.host, *reversed(made), "--shard", part)
    assert done.code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1


@pytest.mark.parametrize("code", [503, 500, 429])
def test_what_is_tried_twice_is_said_once(
    program: Dockless, faulty_registry: FaultyRegistry, layouts: dict[str, Path], code: int
) -> None:
    faulty_registry.faults.append(Fault("HEAD", "/manifests/v2$", status(code), _ALWAYS))
    faulty_registry.faults.append(Fault("GET", "/manifests/v2$", status(code), _ALWAYS))
    faulty_registry.faults.append(Fault("PUT", "/manifests/v2$", status(code), _ALWAYS))
    done = mirrored(program, faulty_registry.host, *layouts.values(), "--retries", "0")
    assert done.code == 8, done.stderr
    lines = done.stderr.splitlines()
    assert sum(line.startswith(f"{faulty_registry.host}/m/acme/web:v2: ") for line in lines) == 1


@pytest.mark.parametrize("kind", ["two archives", "archive and layout", "archive and bundle"])
def test_one_image_of_several_sources_is_one_line(
    program: Dockless, own_registry: Registry, layouts: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    first = images.archive(layouts["old"], tmp_path / "first.tar")
    second = {
        "two archives": lambda: Path(shutil.copy(first, tmp_path / "second.tar")),
        "archive and layout": lambda: layouts["old"],
        "archive and bundle": lambda: created(program, tmp_path / "disk.tar", first),
    }[kind]()
    path = tmp_path / "receipt.json"
    done = mirrored(program, own_registry.host, first, second, "--receipt", path)
    assert done.code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    (line,) = json.loads(path.read_text())["images"]
    assert (line["source"], line["otherSources"]) == (str(first), [str(second)])
    assert program.run("verify", path).stdout == "1 of 1 reference is as the receipt says.\n"


def test_a_damaged_copy_is_a_failure_of_its_own_and_the_other_one_arrives(
    program: Dockless, own_registry: Registry, layouts: dict[str, Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(layouts["old"], bad)
    manifest = bad / "blobs" / _top(bad)["digest"].replace(":", "/")
    manifest.write_bytes(b"\0" * manifest.stat().st_size)
    path = tmp_path / "receipt.json"
    argv = (bad, layouts["old"], "--receipt", path)
    done = mirrored(program, own_registry.host, *argv)
    assert done.code == 8, done.stderr
    receipt = json.loads(path.read_text())
    assert [each["source"] for each in receipt["images"]] == [str(layouts["old"])]
    (failure,) = receipt["failures"]
    assert (failure["source"], failure["references"]) == (str(bad), [])
    assert "is damaged" in failure["error"]["message"]


def _top(layout: Path) -> Json:
    return dict(json.loads((layout / "index.json").read_text())["manifests"][0])


def test_two_images_of_one_name_are_both_named_with_their_digests(
    program: Dockless, own_registry: Registry, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    sources = []
    for number, parts in enumerate((layers[:1], layers[:2], layers)):
        layout = images.Layout(tmp_path / f"at-{number}")
        layout.top(layout.image(parts, **images.named("ghcr.io/acme/web:v1")))
        sources.append(layout.folder)
    done = mirrored(program, own_registry.host, *sources)
    assert done.code == 5, done.stderr
    for source in sources:
        assert str(source) in done.stderr
        assert _top(source)["digest"] in done.stderr
    assert f"{own_registry.host}/m/acme/web:v1" in done.stderr
