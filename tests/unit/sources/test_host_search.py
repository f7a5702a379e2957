"""Which image of a host is pushed, with programs of this machine in the place of the host's."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import SourceError, UsageError
from dockless.model.builder import Builder, HostRecipe
from dockless.model.host import Facts
from dockless.model.server import Server
from dockless.oci.digest import Digest
from dockless.processes.programs import ProgramsHere
from dockless.processes.run import Finished
from dockless.sources.host_search import HostWish, find_on_host
from dockless.sources.on_host import HostImage
from fakes.progress import FakeProgress

ONE, TWO = Digest.of(b"one"), Digest.of(b"two")
SERVER = Server(address="build1", user="me")
NAMED = HostWish(names=("shop:1", "shop:2"), there=None, build=None)


class Shell(ProgramsHere):
    """A host's shell that is this machine's, with the programs of one folder."""

    host = "build1"

    def work(self, argv: Sequence[str], *, stdout: str = "") -> Finished:
        raise AssertionError((argv, stdout))

    def script(self, script: str, stdin: bytes = b"", timeout: float | None = 60) -> Finished:
        done = subprocess.run(
            ("sh", "-c", script), input=stdin, capture_output=True, check=False, timeout=timeout
        )
        return Finished(done.returncode, done.stdout, done.stderr.decode())


class Place(Struct):
    """A host that is logged in to."""

    facts: Facts
    shell: Shell


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A host whose home has an archive and a layout, and whose tools have two images."""
    home = tmp_path / "home"
    (home / "layout").mkdir(parents=True)
    (home / "image.tar").touch()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for tool, images in (("docker", {ONE: "shop:1"}), ("podman", {TWO: "shop:2"})):
        told = [{"Id": str(image), "RepoTags": [name]} for image, name in images.items()]
        program = bin_folder / tool
        program.write_text(f"#!/bin/sh\ncat <<'E'\n{json.dumps(told)}\nE\n")
        program.chmod(0o700)
    facts = Facts(
        user="me",
        home=str(home),
        system="Linux",
        machine="x86_64",
        libc="2.36",
        clock=0.0,
        folder=str(tmp_path / "ours"),
        runs=True,
        free=1,
        programs={},
    )
    return Place(facts, Shell({"PATH": f"{bin_folder}:{os.defpath}"}))


def found(
    place: Place, wish: HostWish, server: Server = SERVER, progress: FakeProgress | None = None
) -> HostImage:
    warnings: list[str] = []
    image = find_on_host(wish, server, place, (progress or FakeProgress()).step, warnings.append)
    assert warnings == []
    return image


def named(image: HostImage) -> tuple[str, str, Digest | None]:
    assert image.tool
    assert image.local
    return image.tool.name, image.local.name, image.image_id


def test_the_names_are_looked_for_in_their_order(place: Place) -> None:
    progress = FakeProgress()
    assert named(found(place, NAMED, progress=progress)) == ("docker", "shop:1", ONE)
    assert progress.notes == ["Source: docker image shop:1"]


def test_the_servers_own_name_stands_for_the_names(place: Place) -> None:
    server = Server(address="build1", user="me", image_name="shop:2")
    assert named(found(place, NAMED, server)) == ("podman", "shop:2", TWO)


@pytest.mark.parametrize(
    ("there", "tool", "image_id"),
    [("shop:2", "podman", TWO), ("docker-daemon:shop:1", "docker", ONE), (str(TWO), "podman", TWO)],
)
def test_a_source_there_may_be_an_image_of_a_tool(
    place: Place, there: str, tool: str, image_id: Digest
) -> None:
    image = found(place, HostWish(names=("none:1",), there=there, build=None))
    assert (image.tool and image.tool.name, image.image_id) == (tool, image_id)


def test_a_tool_that_is_named_is_the_only_one_that_is_asked(place: Place) -> None:
    with pytest.raises(SourceError):
        found(place, HostWish(names=(), there="docker-daemon:shop:2", build=None))


@pytest.mark.parametrize(
    ("there", "kind", "path", "selector"),
    [
        ("~/image.tar", "archive", "image.tar", ""),
        ("~/image.tar:@0", "archive", "image.tar", "@0"),
        ("~/layout", "layout", "layout", ""),
        ("oci:~/layout:v2", "layout", "layout", "v2"),
    ],
)
def test_a_source_there_may_be_a_path_below_the_home(
    place: Place, there: str, kind: str, path: str, selector: str
) -> None:
    if there.startswith("oci:"):  # only what begins with it is the home
        there = there.replace("~", place.facts.home)
    image = found(place, HostWish(names=("shop:1",), there=there, build=None))
    assert image.source
    assert (image.source.kind, image.source.selector) == (kind, selector)
    assert image.source.path == f"{place.facts.home}/{path}"
    assert (image.local, image.image_id) == (None, None)


def test_a_path_that_is_not_there_is_an_error(place: Place) -> None:
    with pytest.raises(SourceError, match=r"There is no file .*/none\.tar on the host"):
        found(place, HostWish(names=(), there="~/none.tar", build=None))


def test_what_is_built_there_is_the_image_of_the_tool_that_built_it(place: Place) -> None:
    folder = Path(place.facts.home) / "shop"
    folder.mkdir()
    (folder / "Dockerfile").touch()
    build = HostRecipe(
        project="shop", image="shop:1", composed=(), compose_files=(), builder=Builder()
    )
    progress = FakeProgress()
    wish = HostWish(names=("shop:2",), there=None, build=build)
    assert named(found(place, wish, progress=progress)) == ("docker", "shop:1", ONE)
    assert progress.notes == ["Building shop:1 with docker", "Source: docker image shop:1"]


@pytest.mark.parametrize(("pin", "known"), [(ONE, True), (TWO, False)])
def test_a_name_that_pins_another_digest_tells_no_id(
    place: Place, pin: Digest, *, known: bool
) -> None:
    image = found(place, NAMED)
    assert image.local
    pinned = replace(image, local=replace(image.local, name=f"shop@{pin}"))
    assert pinned.image_id == (ONE if known else None)


@pytest.mark.parametrize(
    ("names", "there", "has"),
    [
        (("shop:1",), None, "docker"),
        (("shop:2",), None, ""),
        ((), "shop:2", ""),
        ((), "containers-storage:shop:2", ""),
        ((), str(TWO), ""),
        ((), str(ONE), "docker"),
    ],
)
def test_podman_is_not_asked_where_it_has_no_store(
    place: Place, tmp_path: Path, names: tuple[str, ...], there: str | None, has: str
) -> None:
    podman = tmp_path / "bin" / "podman"
    podman.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n{podman.read_text()}")
    bare = Place(replace(place.facts, container_store=False), place.shell)
    wish = HostWish(names=names, there=there, build=None)
    if has:
        assert named(found(bare, wish))[0] == has
    else:
        with pytest.raises(SourceError, match=r"The host has no|There is no|no image"):
            found(bare, wish)
    assert not (tmp_path / "asked").exists()


@pytest.mark.parametrize(
    ("there", "forms"),
    [
        ("layout", ["./layout", "oci:layout"]),
        ("layout:v2", ["./layout:v2", "oci:layout:v2"]),
        ("image", ["./image"]),
        ("image:@0", []),
    ],
)
def test_a_path_that_is_taken_for_a_name_is_told(
    place: Place, monkeypatch: pytest.MonkeyPatch, there: str, forms: list[str]
) -> None:
    monkeypatch.chdir(place.facts.home)
    Path("image").touch()
    wish = HostWish(names=("shop:1",), there=there, build=None)
    with pytest.raises((SourceError, UsageError)) as caught:
        found(place, wish)
    for form in forms:
        assert form in caught.value.remedy
    assert all(word in caught.value.remedy for word in (["on the host"] if forms else []))


@pytest.mark.parametrize("there", ["none", "docker-daemon:layout", "other:1"])
def test_no_path_is_told_where_there_is_none_or_a_tool_was_named(
    place: Place, monkeypatch: pytest.MonkeyPatch, there: str
) -> None:
    monkeypatch.chdir(place.facts.home)
    with pytest.raises(SourceError) as caught:
        found(place, HostWish(names=("shop:1",), there=there, build=None))
    assert "./" not in caught.value.remedy
