"""What an engine can push of a host, with a shell of this machine in the place of the host's."""

import gzip
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from bed.hostile import LAYER
from bed.images import Layer, Layout, archive
from dockless.errors import EngineError, SourceError
from dockless.oci.digest import Digest
from dockless.processes.programs import ProgramsHere
from dockless.processes.run import Finished
from dockless.sources.container_tools import ContainerTool
from dockless.sources.local_images import LocalImage
from dockless.sources.on_host import HostImage, export
from dockless.sources.spec_there import SourceThere
from fakes.progress import FakeProgress


class Shell(ProgramsHere):
    """A host's shell that is this machine's."""

    host = "build1"

    def __init__(self) -> None:
        super().__init__(os.environ)

    def work(self, argv: Sequence[str], *, stdout: str = "") -> Finished:
        with Path(stdout or os.devnull).open("wb") as file:
            done = subprocess.run(
                argv, stdout=file, stderr=subprocess.PIPE, check=False, timeout=120
            )
        return Finished(done.returncode, b"", done.stderr.decode().strip())

    def script(self, script: str, stdin: bytes = b"", timeout: float | None = 60) -> Finished:
        done = subprocess.run(
            ("sh", "-c", script), input=stdin, capture_output=True, check=False, timeout=timeout
        )
        return Finished(done.returncode, done.stdout, done.stderr.decode().strip())


class Tool(ContainerTool):
    """A container tool whose `save` is another program."""

    def __init__(self, *save: str) -> None:
        super().__init__("docker", Shell())
        self._save = save

    def save_argv(self, image: LocalImage) -> tuple[str, ...]:
        del image
        return self._save


def exported(found: HostImage, folder: Path) -> tuple[str, bool]:
    made = export(found, Shell(), str(folder), FakeProgress())
    return made.path, made.is_layout


def image(identity: str) -> LocalImage:
    return LocalImage(tool="docker", name="shop:1", image_id=Digest.parse(identity))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ours").mkdir()
    return tmp_path / "ours"


@pytest.fixture
def docker_archive(tmp_path: Path) -> Path:
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "manifest.json").write_text("[]")
    path = tmp_path / "saved.tar"
    subprocess.run(("tar", "-C", tmp_path / "saved", "-cf", path, "."), check=True)
    return path


def test_what_a_tool_saves_is_an_archive(docker_archive: Path, folder: Path) -> None:
    tool = Tool("cat", str(docker_archive))
    found = HostImage(tool=tool, local=image(str(Digest.of(b"config"))))
    assert exported(found, folder) == (f"{folder}/image.tar", False)
    assert (folder / "image.tar").read_bytes() == docker_archive.read_bytes()


@pytest.mark.parametrize("lost", [False, True])
def test_what_containerd_stores_stays_the_layout_that_it_is(
    tmp_path: Path, folder: Path, *, lost: bool
) -> None:
    path = tmp_path / "layer"
    path.write_bytes(LAYER)
    layout = Layout(tmp_path / "layout")
    root = layout.image([Layer(path, "gzip")])
    top = layout.top(root)
    if lost:
        blobs = sorted((top / "blobs/sha256").iterdir(), key=lambda each: each.stat().st_size)
        root_hex = root["digest"].partition(":")[2]
        next(each for each in blobs if each.name != root_hex).unlink()
    saved = archive(top, tmp_path / "saved.tar")
    found = HostImage(tool=Tool("cat", str(saved)), local=image(root["digest"]))
    if lost:
        with pytest.raises(SourceError):
            exported(found, folder)
        return
    made, is_layout = exported(found, folder)
    assert is_layout
    assert (Path(made) / "index.json").read_bytes() == (top / "index.json").read_bytes()
    assert not (folder / "image.tar").exists()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("no such image", SourceError),
        ("write: No space left on device", EngineError),
        ("", SourceError),
    ],
)
def test_a_save_that_fails_says_why_and_leaves_nothing(
    folder: Path, said: str, error: type[SourceError] | type[EngineError]
) -> None:
    tool = Tool("sh", "-c", f"echo part; echo '{said}' >&2; exit 1")
    with pytest.raises(error, match=f"failed on build1: {said or 'no reason given'}"):
        exported(HostImage(tool=tool, local=image(str(Digest.of(b"config")))), folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("packed", [False, True])
def test_an_archive_is_taken_as_it_is_or_unpacked(
    docker_archive: Path, folder: Path, *, packed: bool
) -> None:
    data = docker_archive.read_bytes()
    if packed:
        docker_archive.write_bytes(gzip.compress(data))
    source = SourceThere(kind="archive", path=str(docker_archive))
    path, is_layout = exported(HostImage(source=source), folder)
    assert (path == str(docker_archive), is_layout) == (not packed, False)
    assert Path(path).read_bytes() == data


def test_a_layout_is_taken_as_it_is(tmp_path: Path, folder: Path) -> None:
    source = SourceThere(kind="layout", path=str(tmp_path))
    assert exported(HostImage(source=source), folder) == (str(tmp_path), True)


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (None, SourceError, "cannot be read on build1"),
        (b"\x1f\x8bnothing that gzip wrote", SourceError, "cannot be unpacked"),
        (b"\0" * 10240, EngineError, "is not a docker-archive"),
    ],
)
def test_what_no_engine_there_can_push_is_an_error(
    tmp_path: Path,
    folder: Path,
    content: bytes | None,
    error: type[SourceError] | type[EngineError],
    said: str,
) -> None:
    path = tmp_path / "odd.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(error, match=said):
        exported(HostImage(source=SourceThere(kind="archive", path=str(path))), folder)


def test_no_image_is_an_error(folder: Path) -> None:
    with pytest.raises(SourceError):
        exported(HostImage(), folder)


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ('[{"RepoTags": ["shop:1", "a/b@sha256:12"]}]', ("shop:1", "a/b@sha256:12")),
        ('[{"RepoTags": null}]', ()),
        ("[]", ()),
        ("no JSON", ()),
        ('["odd", 5]', ()),
    ],
)
@pytest.mark.parametrize("member", ["manifest.json", "./manifest.json"])
def test_an_archive_comes_with_the_names_that_it_has(
    tmp_path: Path, folder: Path, listed: str, names: tuple[str, ...], member: str
) -> None:
    (tmp_path / "manifest.json").write_text(listed)
    path = tmp_path / "image.tar"
    subprocess.run(("tar", "-C", tmp_path, "-cf", path, member), check=True)
    source = SourceThere(kind="archive", path=str(path))
    made = export(HostImage(source=source), Shell(), str(folder), FakeProgress())
    assert (made.names, made.source) == (names, str(path))


def test_what_a_tool_saved_keeps_the_name_that_it_was_asked_for_by(folder: Path) -> None:
    found = HostImage(tool=Tool("echo", "saved"), local=image(str(Digest.of(b"config"))))
    made = export(found, Shell(), str(folder), FakeProgress())
    assert (made.names, made.source) == (("shop:1",), "docker on build1")


@pytest.mark.parametrize("said", ["x" * 100_000, "many words " * 9_000, "é" * 30_000])
def test_what_a_program_there_says_is_bounded(folder: Path, tmp_path: Path, said: str) -> None:
    (tmp_path / "said").write_text(said)
    tool = Tool("sh", "-c", f"cat {tmp_path}/said >&2; exit 1")
    with pytest.raises(SourceError) as caught:
        exported(HostImage(tool=tool, local=image(str(Digest.of(b"config")))), folder)
    assert said[:500] in caught.value.what
    assert len(caught.value.what) < 1_500


@pytest.mark.parametrize("name", ["podman", "buildah", "docker"])
def test_a_list_of_images_is_left_to_relay(folder: Path, name: str) -> None:
    listed = LocalImage(tool=name, name="shop:1", image_id=Digest.of(b"list"), is_list=True)
    with pytest.raises(EngineError, match=r"shop:1 is a list of images.*--via relay"):
        exported(HostImage(tool=Tool("true"), local=listed), folder)
