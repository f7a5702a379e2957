"""Which local image a push takes when no SOURCE is given: never another than the one named."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bed.docker import Docker
from bed.dockless import Dockless, Result
from bed.failures import complaint
from bed.fixtures import SAMPLE
from bed.registry import Registry

PROJECT = "neuproj"


@dataclass(frozen=True, slots=True)
class Bed:
    """dockless in a project, before a registry and a daemon with some images."""

    program: Dockless
    registry: Registry
    daemon: Docker

    def has(self, *names: str) -> None:
        for name in names:
            self.daemon.run("tag", SAMPLE, self.filled(name))

    def push(self, *options: str) -> Result:
        return self.program.run("push", *map(self.filled, options))

    def filled(self, text: str) -> str:
        return text.replace("R/", f"{self.registry.host}/")


@pytest.fixture
def bed(program: Dockless, registry: Registry, old_docker: Docker) -> Iterator[Bed]:
    before = set(old_docker.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split())
    (program.project / "box.json").write_text(f'{{"slug": "{PROJECT}"}}')
    program.extra["DOCKER_HOST"] = old_docker.address  # type: ignore[index] # a dict, as it is made
    yield Bed(program, registry, old_docker)
    listed = old_docker.run("image", "ls", "--format", "{{.Repository}}:{{.Tag}}").split()
    if made := sorted(set(listed) - before):
        old_docker.run("image", "rm", *made)


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("there", "options", "found"),
    [
        (("shop:v1.0.0", f"{PROJECT}:v1.0.0"), ("--image", "R/nb/shop:v1.0.0"), "shop:v1.0.0"),
        (("nb/shop:2", "shop:2"), ("--image", "R/nb/shop", "--tag", "2"), "nb/shop:2"),
        (("R/nb/shop:3", "shop:3"), ("--image", "R/nb/shop:3"), "R/nb/shop:3"),
        (("shop:latest", f"{PROJECT}:latest"), ("--image", "R/nb/shop"), "shop:latest"),
        (("shop:b", "shop:latest"), ("--image", "R/shop", "--tag", "a", "--tag", "b"), "shop:b"),
    ],
)
def test_the_image_that_was_named_is_taken(
    bed: Bed, there: tuple[str, ...], options: tuple[str, ...], found: str
) -> None:
    bed.has(*there)
    done = bed.push(*options)
    assert done.code == 0, done.stderr
    assert f"Source: docker image {bed.filled(found)}\n" in done.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("there", "options"),
    [
        ((f"{PROJECT}:10", "shop:latest"), ("--image", "R/shop", "--tag", "10")),
        ((f"{PROJECT}:9", "shop:latest", "other/notbuilt:8"), ("--image", "R/nb/notbuilt:9")),
        ((f"{PROJECT}:latest", "shop:1"), ("--image", "R/nb/shop")),
        (("shop:latest", f"{PROJECT}:81"), ("--image", "R/x/shop", "--tag", "81", "--tag", "82")),
        (("x/shop:7", f"{PROJECT}:7"), ("--image", "R/nb/shop:7")),
    ],
)
def test_no_other_image_is_taken(
    bed: Bed, there: tuple[str, ...], options: tuple[str, ...]
) -> None:
    bed.has(*there)
    said = complaint(bed.push(*options), 3)
    assert "There is no local image" in said
    assert "docker has: " in said


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("there", "tags", "found", "otherwise"),
    [
        ((f"{PROJECT}:v2", f"{PROJECT}:latest"), ("v2",), f"{PROJECT}:v2", False),
        ((f"{PROJECT}:latest", "R/shop:v2"), ("v2",), f"{PROJECT}:latest", True),
        ((f"{PROJECT}:b", f"{PROJECT}:latest"), ("a", "b"), f"{PROJECT}:b", False),
        ((f"{PROJECT}:latest",), ("a", "b"), f"{PROJECT}:latest", True),
    ],
)
def test_a_tag_alone_is_the_targets_and_the_source_is_said(
    bed: Bed,
    there: tuple[str, ...],
    tags: tuple[str, ...],
    found: str,
    otherwise: bool,  # noqa: FBT001 - the expectation
) -> None:
    bed.has(*there)
    (bed.program.project / "docker-config.json").write_text(
        f'{{"registry": "private", "image": "{bed.registry.host}/{PROJECT}"}}'
    )
    done = bed.push(*(part for tag in tags for part in ("--tag", tag)))
    assert done.code == 0, done.stderr
    assert f"Source: docker image {found}\n" in done.stderr
    assert ("does not have the name of the target" in done.stderr) == otherwise
    for tag in tags:
        assert f"Target: {bed.registry.host}/{PROJECT}:{tag}\n" in done.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize("tag", ["v8", "latest", "81"])
@pytest.mark.parametrize(
    ("there", "files"),
    [
        ("acme/shop:v1.0.0", {"config/deploy.yml": "service: {p}\nimage: acme/shop:v1.0.0\n"}),
        ("web:1", {"compose.yaml": "services: {{web: {{build: ., image: 'web:1'}}}}\n"}),
        ("R/other:v3", {"docker-config.json": '{{"registry": "private", "image": "R/other:v3"}}'}),
    ],
)
def test_a_tag_alone_takes_no_image_that_a_file_names(
    bed: Bed, tag: str, there: str, files: dict[str, str]
) -> None:
    bed.has(there)
    for name, text in files.items():
        path = bed.program.project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(bed.filled(text.format(p=PROJECT)))
    options = ("--registry", "private", "--tag", tag)
    if "docker-config.json" not in files:
        (bed.program.project / "docker-config.json").write_text(
            f'{{"registry": "private", "image": "{bed.registry.host}/{PROJECT}"}}'
        )
    said = complaint(bed.push(*options), 3)
    assert f"There is no local image {PROJECT}:" in said


@pytest.mark.sampled(5)
@pytest.mark.parametrize("database", ["postgres:15", "redis:latest", "acme/mysql:8"])
def test_the_image_of_a_service_that_is_not_built_is_never_taken(bed: Bed, database: str) -> None:
    bed.has(database)
    (bed.program.project / "compose.yaml").write_text(f"services:\n  db:\n    image: {database}\n")
    (bed.program.project / "docker-config.json").write_text(
        f'{{"registry": "private", "image": "{bed.registry.host}/{PROJECT}"}}'
    )
    complaint(bed.push(), 3)
    done = bed.push(database, "--image", f"R/db/{PROJECT}:1")
    assert done.code == 0, done.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("shop", b"\x7fELF\2\1\1 a compiled program"),
        ("shop", b""),
        ("shop/index.json", b'{"name": "a web page"}'),
        ("shop:v3", b"#!/bin/sh\n"),
    ],
)
def test_what_is_no_image_does_not_stand_before_one(bed: Bed, path: str, content: bytes) -> None:
    bed.has("shop:v3")
    file = bed.program.project / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    done = bed.push("shop:v3", "--image", "R/x/shop:v3")
    assert done.code == 0, done.stderr
    assert "Source: docker image shop:v3\n" in done.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize("source", ["shop", "out/web", "a-b"])
def test_an_archive_that_stands_before_an_image_is_said(bed: Bed, source: str) -> None:
    bed.has("shop:v3")
    saved = bed.daemon.save(bed.program.project / "saved.tar", "shop:v3")
    path = source.partition(":")[0]
    (bed.program.project / path).parent.mkdir(exist_ok=True)
    saved.rename(bed.program.project / path)
    done = bed.push(source, "--image", "R/x/shop:v5")
    assert done.code == 0, done.stderr
    assert f"Source: the archive ./{path}" in done.stderr


@pytest.mark.sampled(5)
@pytest.mark.parametrize("source", ["R/nb/hosted", "nb/hosted", "R/nb/hosted:v1"])
def test_a_pinned_image_moves_no_tag_that_was_not_typed(bed: Bed, source: str) -> None:
    pinned = f"{source}@sha256:{'a' * 64}"
    (bed.program.project / "docker-config.json").write_text(
        f'{{"registry": "private", "image": "{bed.registry.host}/{PROJECT}"}}'
    )
    said = complaint(bed.push(pinned), 2)
    assert "is pinned by digest" in said
    assert "--tag" in said
    complaint(bed.push(pinned, "--tag", "v1"), 3)
    complaint(bed.push(pinned, "--image", "R/x/shop:v1"), 3)


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("app", b"\x7fELF", "neither an image archive nor an OCI layout"),
        ("empty", b"", "empty"),
        ("a-b", b"x", "a text file, not an image archive"),
    ],
)
def test_what_is_no_image_is_said_where_there_is_none_of_its_name(
    bed: Bed, name: str, content: bytes, kind: str
) -> None:
    (bed.program.project / name).write_bytes(content)
    said = complaint(bed.push(name, "--image", "R/x/shop:v4"), 3)
    assert f"./{name} is {kind}" in said
