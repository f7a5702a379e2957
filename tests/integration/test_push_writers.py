"""Who writes to the registry, by its own access log; and who goes on where a program fails."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.failures import store_of
from bed.faults import Answer, Fault, FaultyRegistry, refusal, status
from bed.images import Layer
from bed.pushes import Pusher
from bed.registry import Registry
from bed.tools import crane

CRANE = "go-containerregistry"  # its User-Agent
FAILS_ALWAYS = """#!/bin/sh
case "$1 $2" in *help*) exec {program} "$@";; esac
echo "Error: layout blob sha256:1d51 is not to its taste" >&2
exit 1
"""
FAILS_HERE = """#!/bin/sh
case "$*" in *{host}*) ;; *) exec {program} "$@";; esac
echo "Error: invalid realm in www-authenticate: realm host 10.0.0.9 is a private address" >&2
exit 1
"""
EVERY = 1_000_000


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, own_registry, tmp_path)


def with_tools(pusher: Pusher, folder: Path, tools: Mapping[str, str]) -> Pusher:
    """Return the same, where these scripts are the only engines, but for those of Debian."""
    folder.mkdir()
    for name, text in tools.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    extra = {**pusher.program.extra, "DOCKLESS_TOOLS_DIR": str(folder)}
    return replace(pusher, program=replace(pusher.program, extra=extra))


def without_programs(pusher: Pusher, folder: Path) -> Pusher:
    """Return the same, where there is no engine at all."""
    there = with_tools(pusher, folder, {})
    extra = {**there.program.extra, "PATH": "/nonexistent"}
    return replace(there, program=replace(there.program, extra=extra))


@pytest.mark.parametrize(
    ("engine", "agent"), [("crane", CRANE), ("skopeo", "skopeo"), ("direct", "dockless")]
)
def test_an_engine_that_is_asked_for_writes_everything(
    pusher: Pusher, old_archive: Path, engine: str, agent: str
) -> None:
    tags = ("--tag", "1", "--tag", "2")
    done = pusher.run("acme/app", old_archive, *tags, "--engine", engine)
    digest = pusher.digest_in(done, "acme/app:1")
    assert pusher.registry.writers() == {agent}
    assert pusher.digest("acme/app:1") == pusher.digest("acme/app:2") == digest
    pusher.back("acme/app:2")


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("options", "agent"),
    [
        ((), "dockless"),
        (("--engine", "crane"), CRANE),
        (("--engine", "skopeo"), "skopeo"),
        (("--engine", "direct"), "dockless"),
    ],
)
def test_a_mirror_is_written_by_dockless_or_by_the_engine_asked_for(
    pusher: Pusher, oci_layout: Path, multi_platform: Path, options: tuple[str, ...], agent: str
) -> None:
    folder = pusher.folder / "sources"
    for name, layout in (("one", oci_layout), ("two", multi_platform)):
        shutil.copytree(layout, folder / name)
    argv = ("mirror", folder, "--to", f"{pusher.registry.host}/m")
    done = pusher.program.run(*argv, *options)
    assert done.code == 0, done.stderr
    assert pusher.registry.writers() == {agent}
    pusher.back("m/one:1")
    assert pusher.digest("m/two:1")


@pytest.mark.parametrize("staged", [False, True], ids=["first", "staged before"])
def test_by_default_crane_writes_the_manifest_and_dockless_the_rest(
    pusher: Pusher, registry: Registry, old_archive: Path, *, staged: bool
) -> None:
    if staged:
        elsewhere = replace(pusher, registry=registry)
        elsewhere.push(f"staged/{pusher.folder.name}:1", old_archive)
    pusher.push("acme/app:1", old_archive)
    assert pusher.registry.writers("/blobs/") == {"dockless"}
    assert pusher.registry.writers("/manifests/sha256:") == {CRANE}
    assert pusher.registry.writers("/manifests/1$") == {"dockless"}


@pytest.mark.sampled(7)
@pytest.mark.parametrize("engine", ["auto", "direct", "crane", "skopeo"])
def test_the_result_says_who_wrote_what_as_the_registry_does(
    pusher: Pusher, old_archive: Path, engine: str
) -> None:
    def in_log() -> dict[str, list[str]]:
        paths = {"blobs": "/blobs/", "manifests": "/manifests/sha256:", "tags": "/manifests/[^s]"}
        found = {what: pusher.registry.writers(path) for what, path in paths.items()}
        return {
            what: sorted("crane" if name == CRANE else name for name in names)
            for what, names in found.items()
        }

    argv = ("acme/app:1", old_archive, "--engine", engine, "--format", "json")
    done = pusher.run(*argv)
    assert json.loads(done.stdout)["result"]["writers"] == in_log()
    done = pusher.run(*argv)
    said = json.loads(done.stdout)["result"]["writers"]
    assert said == {"blobs": [], "manifests": [], "tags": []}, "nothing had to be written"


def test_a_receipt_says_who_wrote_each_image(
    pusher: Pusher, oci_layout: Path, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    argv = ("mirror", oci_layout, "--to", f"{pusher.registry.host}/m", "--receipt", receipt)
    assert pusher.program.run(*argv).code == 0
    (image,) = json.loads(receipt.read_text())["images"]
    mine = ["dockless"]
    assert image["writers"] == {"blobs": mine, "manifests": mine, "tags": mine}
    assert pusher.registry.writers() == {"dockless"}


def test_no_program_is_needed(pusher: Pusher, old_archive: Path, oci_layout: Path) -> None:
    alone = without_programs(pusher, pusher.folder / "none")
    alone.push("acme/app:1", old_archive)
    alone.back("acme/app:1")
    source = shutil.copytree(oci_layout, pusher.folder / "sources" / "app")
    argv = ("mirror", source, "--to", f"{alone.registry.host}/m")
    assert alone.program.run(*argv).code == 0
    assert alone.registry.writers() == {"dockless"}
    done = alone.run("acme/app:2", old_archive, "--engine", "crane")
    assert done.code == 7
    assert "dockless tools install" in done.stderr


def test_an_image_of_a_registry_needs_no_program_either(
    pusher: Pusher, multi_platform: Path, registry: Registry
) -> None:
    source = replace(pusher, registry=registry)
    name = f"source/{pusher.folder.name}:1"
    digest = source.push(name, multi_platform)
    alone = without_programs(pusher, pusher.folder / "none")
    argv = ("mirror", f"docker://{source.reference(name)}", "--to", alone.registry.host)
    done = alone.program.run(*argv)
    assert done.code == 0, done.stderr
    assert alone.digest(name) == digest


def test_a_program_that_always_fails_is_replaced_and_one_line_says_why(
    pusher: Pusher, old_archive: Path
) -> None:
    tools = {"crane": FAILS_ALWAYS.format(program=crane())}
    broken = with_tools(pusher, pusher.folder / "tools", tools)
    done = broken.run("acme/app:1", old_archive)
    assert done.code == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "is not to its taste" in line]
    assert line.endswith("skopeo writes it instead.")
    assert line.count("is not to its taste") == 2, "the push's reason, and the trial's"
    assert broken.registry.writers("/manifests/sha256:") == {"skopeo"}
    again = broken.run("acme/app:2", old_archive)
    assert again.code == 0
    assert "is not to its taste" not in again.stderr, "it is remembered"


def test_a_program_that_refuses_this_registry_is_replaced_here_only(
    pusher: Pusher, old_archive: Path
) -> None:
    tools = {"crane": FAILS_HERE.format(program=crane(), host=pusher.registry.host)}
    broken = with_tools(pusher, pusher.folder / "tools", tools)
    done = broken.run("acme/app:1", old_archive, "--format", "json")
    assert done.code == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "private address" in line]
    assert "refuses" in line
    assert line.endswith("skopeo writes it instead.")
    assert json.loads(done.stdout)["result"]["engine"] == "skopeo"
    named = broken.run("acme/app:2", old_archive, "--engine", "crane")
    assert named.code == 7
    assert "--engine auto" in named.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    "answer",
    [
        refusal(418, "TEAPOT", "I am short and stout", {}),
        Answer(422, {"Content-Type": "text/plain"}, b"no"),
        status(403),
        refusal(409, "CONFLICT", "it is immutable", {}),
        refusal(412, "CONFLICT", "a precondition failed", {}),
    ],
)
def test_where_the_registry_refuses_no_second_writer_is_tried(
    pusher: Pusher, faulty_registry: FaultyRegistry, old_archive: Path, answer: Answer
) -> None:
    pusher.push("acme/base:1", old_archive)  # so that crane is known to work
    faulty_registry.faults.append(Fault("PUT", "/manifests/", answer, EVERY))
    registry = replace(pusher.registry, host=faulty_registry.host)
    done = replace(pusher, registry=registry).run("acme/app:1", old_archive)
    assert done.code in {1, 4, 5}, done.stderr
    writes = [each for each in faulty_registry.requests if each.method == "PUT"]
    assert [each.path for each in writes if "/manifests/" in each.path][1:] == []
    assert "instead" not in done.stderr
    assert "itself" not in done.stderr


@pytest.mark.parametrize("engine", ["auto", "skopeo", "direct"])
def test_a_repository_of_one_letter_is_pushed_by_whoever_takes_it(
    pusher: Pusher, old_archive: Path, engine: str
) -> None:
    done = pusher.run("a:1", old_archive, "--engine", engine)
    assert pusher.digest_in(done, "a:1") == pusher.digest("a:1")
    assert "instead" not in done.stderr, "it was known beforehand"


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_an_engine_that_takes_no_such_repository_says_so_before_anything_is_compressed(
    pusher: Pusher, old_archive: Path, options: tuple[str, ...]
) -> None:
    done = pusher.run("a:1", old_archive, "--engine", "crane", *options)
    assert done.code == 7
    assert "one character" in done.stderr
    assert "--engine auto" in done.stderr
    assert not list(store_of(pusher.program).glob("blobs/*/*"))
    assert not pusher.registry.writers()


@pytest.mark.parametrize(("engine", "named"), [("auto", True), ("direct", True), ("crane", False)])
def test_referrers_are_listed_with_their_type_where_dockless_writes_them(
    pusher: Pusher, layers: tuple[Layer, ...], engine: str, *, named: bool
) -> None:
    made = images.Layout(pusher.folder / "layout")
    image = made.image(layers[:1], **images.named("acme/app:1"))
    made.top(image, made.referrer(image, b"an SBOM"))
    argv = ("mirror", made.folder, "--to", pusher.registry.host, "--engine", engine)
    done = pusher.program.run(*argv)
    assert done.code == 0, done.stderr
    tag = image["digest"].replace(":", "-")
    listed = json.loads(pusher.manifest(f"acme/app:{tag}"))["manifests"]
    assert len(listed) == 1
    assert (listed[0].get("artifactType") == "application/vnd.example.sbom") == named
    assert ("Warning: " in done.stderr) != named


@pytest.mark.parametrize("options", [(), ("--dry-run",), ("--retries", "0")])
@pytest.mark.parametrize("engine", ["crane", "skopeo"])
@pytest.mark.parametrize("command", ["push", "mirror"])
def test_an_engine_that_is_missing_is_said_so_before_anything_is_compressed(
    pusher: Pusher, old_archive: Path, command: str, engine: str, options: tuple[str, ...]
) -> None:
    alone = without_programs(pusher, pusher.folder / "none")
    named = ("--engine", engine, *options)
    if command == "push":
        done = alone.run("acme/app:1", old_archive, *named)
    else:
        done = alone.program.run("mirror", old_archive, "--to", alone.registry.host, *named)
    assert done.code == 7
    assert f"{engine} is neither on PATH" in done.stderr
    assert not list(store_of(alone.program).glob("blobs/*/*"))
    assert not alone.registry.writers()
