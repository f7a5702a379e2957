"""What bad input gets: one clear error, the right exit code, and nothing else anywhere."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bed import hostile, images
from bed.docker import Docker
from bed.dockless import Dockless, dockless
from bed.failures import complaint, holdings, leftovers
from bed.registry import Registry

pytestmark = pytest.mark.sampled(5)

USAGE, SOURCE, NETWORK = 2, 3, 6

REPOSITORY = "bad/input"


@pytest.fixture(scope="module")
def occupied(registry: Registry, tmp_path_factory: pytest.TempPathFactory) -> Registry:
    """The registry, with an image at the tag to which the bad ones are pushed."""
    folder = tmp_path_factory.mktemp("good")
    content = hostile.tar(hostile.file("etc/motd", b"taken\n"))
    (folder / "layer.tar").write_bytes(content)
    layer = images.Layer(folder / "layer.tar", images.digest(content))
    layout = images.Layout(folder / "layout")
    layout.top(layout.image([layer], **images.named("1")))
    target = f"docker://{registry.host}/{REPOSITORY}:1"
    images.skopeo_copy(f"oci:{layout.folder}:1", target, *registry.skopeo_options("dest"))
    return registry


class Bystander:
    """Pushes what must fail, and sees that nothing else happens."""

    def __init__(self, registry: Registry, program: Dockless) -> None:
        self.target = f"{registry.host}/{REPOSITORY}:1"
        self._registry = registry
        self._program = program

    def complaint(self, code: int, *arguments: str | Path, stdin: bytes = b"") -> str:
        """Push to the tag that is taken; return the error."""
        return self.of(code, "--image", self.target, *arguments, stdin=stdin)

    def of(self, code: int, *arguments: str | Path, stdin: bytes = b"") -> str:
        """Push; return the error."""
        before = holdings(self._registry, REPOSITORY)
        assert any("tags/1" in name for name in before)
        said = complaint(self._program.run("push", *arguments, stdin=stdin), code)
        assert holdings(self._registry, REPOSITORY) == before
        assert leftovers(self._program) == []
        return said


@pytest.fixture
def bystander(occupied: Registry, program: Dockless) -> Bystander:
    return Bystander(occupied, program)


# What each error must name, so that nobody has to guess which of many faults was found.
CAUSES = {
    "truncated": "truncated",
    "not_a_tar": "is a text file, not an image archive",
    "no_manifest": "neither manifest.json nor index.json",
    "missing_layer": "2/layer.tar",
    "climbing_path": "../escaped.tar",
    "absolute_path": "/tmp/escaped.tar",  # noqa: S108 - the attack itself
    "climbing_symlink": "etc/passwd",
    "climbing_hard_link": "/etc/passwd",
    "circular_links": "1/layer.tar",
    "wrong_diff_id": "sha256:" + "0" * 64,
    "enormous_manifest": "10737418240 bytes",
    "non_utf8_names": "not UTF-8",
    "duplicate_names": "manifest.json",
    "huge_pax_header": "8589934592 bytes",
    "negative_size": "-512 bytes",
    "many_members": "more than 65536 files",
    "bzip2_bomb": "4294967296 bytes",
    "zstd_bomb": "4294967296 bytes",
    "layout_wrong_digest": "is damaged",
    "layout_missing_blob": "lacks blobs/sha256/",
    "layout_climbing_digest": "sha256:../../../etc/passwd",
}


def test_every_hostile_archive_is_tried() -> None:
    assert CAUSES.keys() == hostile.ARCHIVES.keys()


@pytest.fixture(scope="module")
def hostile_archive(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that writes a hostile archive, once."""
    folder = tmp_path_factory.mktemp("hostile")

    def written(name: str) -> Path:
        path = folder / f"{name}.tar"
        if not path.exists():
            hostile.ARCHIVES[name](path)
        return path

    return written


@pytest.mark.parametrize("name", CAUSES)
def test_a_hostile_archive_is_refused(
    bystander: Bystander, hostile_archive: Callable[[str], Path], name: str
) -> None:
    path = hostile_archive(name)
    said = bystander.complaint(SOURCE, path)
    assert CAUSES[name] in said
    assert str(path) in said


@pytest.mark.sampled(7)
@pytest.mark.parametrize("name", CAUSES)
def test_a_hostile_archive_is_refused_on_stdin(
    bystander: Bystander, hostile_archive: Callable[[str], Path], name: str
) -> None:
    said = bystander.complaint(SOURCE, "-", stdin=hostile_archive(name).read_bytes())
    assert CAUSES[name] in said
    assert "standard input" in said


@pytest.mark.parametrize("how", ["gzip", "bzip2", "xz", "zstd"])
def test_a_compressed_archive_that_is_cut_short_is_refused(
    bystander: Bystander, tmp_path: Path, how: images.Compression
) -> None:
    whole = tmp_path / "image.tar"
    hostile.harmless(whole)
    cut = images.compressed(whole, how)
    cut.write_bytes(cut.read_bytes()[:-20])
    said = bystander.complaint(SOURCE, cut)
    assert str(cut) in said
    assert "damaged" in said or "truncated" in said


def test_an_empty_file_is_refused(bystander: Bystander, tmp_path: Path) -> None:
    empty = tmp_path / "empty.tar"
    empty.touch()
    assert f"{empty} is empty" in bystander.complaint(SOURCE, empty)


def test_empty_standard_input_is_refused(bystander: Bystander) -> None:
    assert "Standard input is empty" in bystander.complaint(SOURCE, "-")


def test_a_folder_that_is_no_layout_is_refused(bystander: Bystander, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "holiday.jpg").touch()
    assert str(folder) in bystander.complaint(SOURCE, folder)


@pytest.mark.parametrize("source", ["/nowhere/image.tar", "oci:nowhere", "docker-archive:nowhere"])
def test_a_file_that_does_not_exist_is_named(bystander: Bystander, source: str) -> None:
    assert source.removeprefix("docker-archive:").removeprefix("oci:") in bystander.complaint(
        SOURCE, source
    )


def test_an_image_that_an_archive_lacks_is_an_error_that_lists_what_it_has(
    bystander: Bystander, tmp_path: Path
) -> None:
    archive = tmp_path / "image.tar"
    hostile.harmless(archive)
    assert "hostile:1" in bystander.complaint(SOURCE, f"{archive}:nothere:1")
    assert "hostile:1" in bystander.complaint(SOURCE, f"{archive}:@7")


def test_several_images_and_no_choice_is_an_error_that_lists_them(
    bystander: Bystander, tmp_path: Path
) -> None:
    archive = tmp_path / "images.tar"
    *members, (manifest, data) = hostile.image(hostile.file("1/layer.tar", hostile.LAYER))
    entry = json.loads(data)[0]
    both = json.dumps([entry | {"RepoTags": [name]} for name in ("one:1", "two:2")]).encode()
    archive.write_bytes(hostile.tar(*members, hostile.file(manifest.name, both)))
    said = bystander.complaint(SOURCE, archive)
    assert "one:1" in said
    assert "two:2" in said


@pytest.mark.parametrize("source", ["nothere:9", "docker-daemon:nothere:9"])
def test_an_image_that_does_not_exist_is_an_error_that_lists_what_there_is(
    occupied: Registry, old_docker: Docker, tmp_path: Path, source: str
) -> None:
    program = dockless(tmp_path / "dockless", DOCKER_HOST=old_docker.address)
    said = Bystander(occupied, program).complaint(SOURCE, source)
    assert "nothere:9" in said
    assert "sample:1" in said


def test_no_container_tool_is_an_error_that_names_them(occupied: Registry, tmp_path: Path) -> None:
    program = dockless(tmp_path / "dockless", PATH=str(tmp_path))
    assert "docker" in Bystander(occupied, program).complaint(SOURCE, "nothere:9")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--image", "127.0.0.1:5000/Upper/case"), "Upper/case"),
        (("--image", "127.0.0.1:5000/two//slashes"), "two//slashes"),
        (("--image", "127.0.0.1:5000/app:"), "127.0.0.1:5000/app:"),
        (("--image", "127.0.0.1:5000/app:a b"), "a b"),
        (("--image", "127.0.0.1:5000/app:" + "a" * 129), "a" * 129),
        (("--image", "127.0.0.1:5000/" + "a" * 260), "255"),
        (("--image", "127.0.0.1:5000/app@sha256:" + "0" * 64), "sha256"),
        (("--image", "127.0.0.1:port/app"), "127.0.0.1:port"),
        (("--image", "http://127.0.0.1:5000/app"), "http://127.0.0.1:5000/app"),
        (("--image", ""), "--image"),
        (("--image", "127.0.0.1:5000/app", "--tag", "-bad"), "-bad"),
        (("--image", "127.0.0.1:5000/app", "--tag", ""), "--tag"),
        (("--image", "127.0.0.1:5000/app:1", "--tag", "2"), "--tag"),
        (("--registry", "nowhere"), "nowhere"),
        (("--registry", "ghcr", "--image", "docker.io/acme/shop"), "docker.io"),
    ],
)
def test_a_bad_reference_is_named(
    bystander: Bystander,
    hostile_archive: Callable[[str], Path],
    arguments: tuple[str, ...],
    named: str,
) -> None:
    assert named in bystander.of(USAGE, hostile_archive("not_a_tar"), *arguments)


@pytest.mark.parametrize("source", ["Upper:1", "a b", "x:y:z", "@"])
def test_a_source_that_is_nothing_is_named(bystander: Bystander, source: str) -> None:
    assert source in bystander.complaint(USAGE, source)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("image: [unclosed\n", "config/deploy.yml:2"),
        ("image: shop\n\tregistry: x\n", "config/deploy.yml:2"),
        ("service: shop\nimage: 7\n", "config/deploy.yml:2"),
        ("service: shop\nimage:\n  - shop\n", "config/deploy.yml:3"),
        ("image: shop\nregistry:\n  server: [a, b]\n", "config/deploy.yml:3"),
        ("image: shop\nregistry: ghcr.io\n", "config/deploy.yml:2"),
        ("- a\n- list\n", "config/deploy.yml:1"),
        ("image: shop\nimage: shop\n", "config/deploy.yml:2"),
        ("servers:\n  - host: a\n    user: u\n    port: many\n", "config/deploy.yml:4"),
        ("image: \x07\n", "config/deploy.yml"),
    ],
)
def test_a_bad_deploy_file_is_an_error_that_gives_the_line(
    bystander: Bystander,
    program: Dockless,
    hostile_archive: Callable[[str], Path],
    text: str,
    place: str,
) -> None:
    (program.project / "config").mkdir()
    (program.project / "config" / "deploy.yml").write_text(text)
    assert place in bystander.complaint(USAGE, hostile_archive("not_a_tar"))


def test_a_bad_session_file_is_named(
    bystander: Bystander, program: Dockless, hostile_archive: Callable[[str], Path]
) -> None:
    (program.project / "docker-config.json").write_text('{"registry": ')
    assert "docker-config.json" in bystander.complaint(USAGE, hostile_archive("not_a_tar"))
