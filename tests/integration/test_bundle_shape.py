"""What `bundle verify` says of a bundle's archive or folder beside the bytes of its blobs."""

import gzip
import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless, dockless
from bed.failures import complaint
from bed.images import Layer
from bed.registry import Registry

pytestmark = pytest.mark.sampled(7)

_BLOCK = 512


def web(folder: Path, layers: tuple[Layer, ...]) -> Path:
    made = images.Layout(folder / "images" / "web")
    made.top(made.image(layers[:1], "amd64", **images.named("ghcr.io/acme/web:v1")))
    return made.folder


@pytest.fixture
def layout(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    return web(tmp_path, layers)


def created(program: Dockless, out: Path, *arguments: str | Path) -> Path:
    done = program.run("bundle", "create", "-o", out, *arguments)
    assert done.code == 0, done.stderr
    assert program.run("bundle", "verify", out).code == 0
    return out


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, layers: tuple[Layer, ...]) -> Path:
    """A folder with a bundle as a folder, `disk`, and as an archive, `disk.tar`."""
    made = tmp_path_factory.mktemp("good")
    program, layout = dockless(made / "dockless"), web(made, layers)
    created(program, made / "disk", layout)
    created(program, made / "disk.tar", layout)
    return made


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(good / "disk", tmp_path / "disk"))


@pytest.fixture
def archive(good: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(good / "disk.tar", tmp_path / "disk.tar"))


def end(archive: Path) -> int:
    """Return where the last file of an archive ends, with what fills its last block."""
    with tarfile.open(archive) as tar:
        last = tar.getmembers()[-1]
    return last.offset_data + -(-last.size // _BLOCK) * _BLOCK


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "has no oci-layout"),
        (b"", "oci-layout is not JSON"),
        (b"{", "oci-layout is not JSON"),
        (b"\xff", "oci-layout is not JSON"),
        (b"[]", "imageLayoutVersion"),
        (b"{}", "imageLayoutVersion"),
        (b'{"imageLayoutVersion": "2.0.0"}', "imageLayoutVersion"),
        (b'{"imageLayoutVersion": 1.0}', "imageLayoutVersion"),
        (b'{"imageLayoutVersion": ["1.0.0"]}', "imageLayoutVersion"),
    ],
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_the_file_of_the_layout_is_looked_at(
    program: Dockless,
    folder: Path,
    content: bytes | None,
    said: str,
    packed: bool,  # noqa: FBT001 - a parameter
) -> None:
    if content is None:
        (folder / "oci-layout").unlink()
    else:
        (folder / "oci-layout").write_bytes(content)
    given = images.archive(folder, folder.with_name("packed.tar")) if packed else folder
    done = program.run("bundle", "verify", given)
    assert (done.code, done.stdout) == (3, ""), done.stderr
    assert said in done.stderr
    assert "1 problem." in done.stderr


def more(data: bytes) -> Callable[[Path], None]:
    def add(path: Path) -> None:
        path.write_bytes(path.read_bytes() + data)

    return add


def cut_after(count: int) -> Callable[[Path], None]:
    def cut(path: Path) -> None:
        os.truncate(path, end(path) + count)

    return cut


def at_the_end(data: bytes, offset: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(end(path) + offset)
            file.write(data)

    return write


def second_archive(path: Path) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("more"))
    path.write_bytes(path.read_bytes() + made.getvalue())


def bytes_behind_a_file(path: Path) -> None:
    with tarfile.open(path) as tar:
        at = next(each.offset_data + each.size for each in tar if each.size % _BLOCK)
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"x")


SHAPES = {
    "a byte behind": (more(b"x"), "has bytes after its last file"),
    "text behind": (more(b"hello\n"), "has bytes after its last file"),
    "zeros and a byte behind": (more(bytes(20_000) + b"\1"), "has bytes after its last file"),
    "another archive behind": (second_archive, "has bytes after its last file"),
    "a byte in the first block": (at_the_end(b"\1", 3), "has bytes after its last file"),
    "a byte in the second block": (at_the_end(b"\1", 1000), "has bytes after its last file"),
    "no end": (cut_after(0), "has no end"),
    "one block of two": (cut_after(_BLOCK), "has no end"),
    "half a block": (cut_after(100), "has no end"),
    "a byte between two files": (bytes_behind_a_file, "is followed by bytes"),
}


@pytest.mark.parametrize(("change", "said"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_bytes_that_are_no_files_are_said(
    program: Dockless,
    own_registry: Registry,
    archive: Path,
    change: Callable[[Path], None],
    said: str,
    packed: bool,  # noqa: FBT001 - a parameter
) -> None:
    change(archive)
    given = archive
    if packed:
        given = archive.with_name("disk.tar.gz")
        given.write_bytes(gzip.compress(archive.read_bytes(), 1))
    done = program.run("bundle", "verify", given)
    assert (done.code, done.stdout) == (3, ""), done.stderr
    assert said in done.stderr
    assert "1 problem." in done.stderr
    # what other programs take is pushed all the same: its blobs are whole
    assert program.run("mirror", given, "--to", own_registry.host).code == 0


@pytest.mark.parametrize("size", [0, 1, 9 * _BLOCK, 100_001])
def test_zeros_behind_the_end_are_no_problem(program: Dockless, archive: Path, size: int) -> None:
    with archive.open("ab") as file:
        file.write(bytes(size))
    assert program.run("bundle", "verify", archive).code == 0


def repacked(archive: Path, change: Callable[[tarfile.TarFile], None]) -> Path:
    """Return a copy of an archive with something more in it."""
    out = archive.with_name("repacked.tar")
    with tarfile.open(archive) as old, tarfile.open(out, "w") as new:
        for member in old:
            new.addfile(member, old.extractfile(member))
        change(new)
    return out


def of_type(kind: bytes, name: str = "more", target: str = "index.json") -> Callable[..., None]:
    def add(tar: tarfile.TarFile) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, target
        tar.addfile(member)

    return add


def copy_of(name: str) -> Callable[..., None]:
    def add(tar: tarfile.TarFile) -> None:
        tar.addfile(tarfile.TarInfo(name))

    return add


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (of_type(tarfile.SYMTYPE), "more is a symbolic link"),
        (of_type(tarfile.LNKTYPE), "more is a hard link"),
        (of_type(tarfile.SYMTYPE, "blobs/sha256/" + "0" * 64), "is a symbolic link"),
        (of_type(tarfile.CHRTYPE), "neither a file nor a link"),
        (of_type(tarfile.BLKTYPE), "neither a file nor a link"),
        (of_type(tarfile.FIFOTYPE), "neither a file nor a link"),
        (copy_of("index.json"), "two files named 'index.json'"),
        (copy_of("./oci-layout"), "two files named 'oci-layout'"),
        (copy_of("blobs/../bundle.lock.json"), "two files named 'bundle.lock.json'"),
    ],
)
def test_what_is_no_file_or_stands_twice_is_said(
    program: Dockless, archive: Path, change: Callable[[tarfile.TarFile], None], said: str
) -> None:
    done = program.run("bundle", "verify", repacked(archive, change))
    assert (done.code, done.stdout) == (3, ""), done.stderr
    assert said in done.stderr


@pytest.mark.parametrize("kind", ["link to a blob", "link to a file", "dangling link", "pipe"])
def test_what_is_no_file_in_a_folder_is_said(program: Dockless, folder: Path, kind: str) -> None:
    blob = max((folder / "blobs/sha256").iterdir(), key=lambda each: each.stat().st_size)
    if kind == "pipe":
        os.mkfifo(folder / "pipe")
    elif kind == "link to a blob":
        blob.rename(folder / "blobs" / "moved")
        blob.symlink_to("../moved")
    else:
        (folder / "more").symlink_to("index.json" if kind == "link to a file" else "nowhere")
    done = program.run("bundle", "verify", folder)
    assert (done.code, done.stdout) == (3, ""), done.stderr
    assert ("is neither" if kind == "pipe" else "is a symbolic link") in done.stderr


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
@pytest.mark.parametrize("names", [("a",), ("a", "b/c", "blobs/sha256/d"), tuple("abcdefgh")])
def test_files_of_no_image_are_noted_and_no_problem(
    program: Dockless,
    folder: Path,
    names: tuple[str, ...],
    packed: bool,  # noqa: FBT001 - a parameter
) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(name)
    given = images.archive(folder, folder.with_name("packed.tar")) if packed else folder
    done = program.run("bundle", "verify", given)
    assert done.code == 0, done.stderr
    assert "verified, no problems found" in done.stdout
    (note,) = (line for line in done.stderr.splitlines() if line.startswith("Note: "))
    count = "1 file" if len(names) == 1 else f"{len(names)} files"
    assert f"has {count} (" in note
    assert ("and 3 more" in note) == (len(names) == 8)


def test_a_blob_that_no_image_needs_is_noted(program: Dockless, folder: Path) -> None:
    data = b"left by an older version of the bundle"
    name = images.digest(data).replace(":", "/")
    (folder / "blobs" / name).write_bytes(data)
    done = program.run("bundle", "verify", folder)
    assert (done.code, name in done.stderr) == (0, True), done.stderr


def test_parts_that_no_list_names_are_noted(
    program: Dockless, layout: Path, tmp_path: Path
) -> None:
    size = sum(each.stat().st_size for each in layout.rglob("*") if each.is_file())
    argv = ("bundle", "create", "-o", tmp_path / "disk.tar", layout, "--split", str(size // 3))
    assert program.run(*argv).code == 0
    (tmp_path / "disk.tar.017").write_bytes(b"left by a larger bundle")
    done = program.run("bundle", "verify", tmp_path / "disk.tar.parts.json")
    assert done.code == 0, done.stderr
    assert "1 file (disk.tar.017)" in done.stderr


def test_a_name_that_stands_twice_in_the_lock_file_is_said(program: Dockless, folder: Path) -> None:
    path = folder / "bundle.lock.json"
    lock = json.loads(path.read_text())
    lock["images"] *= 2
    path.write_text(json.dumps(lock))
    done = program.run("bundle", "verify", folder)
    assert (done.code, "more than once" in done.stderr) == (3, True), done.stderr


@pytest.mark.parametrize("command", ["verify", "list"])
@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        ("nothere", 3, "There is no file nothere."),
        ("acme/nothere:v1", 3, "There is no file acme/nothere:v1."),
        ("no/such/folder", 3, "There is no file no/such/folder."),
        ("./nothere", 3, "There is no file ./nothere."),
        ("docker://registry.inside/a:1", 2, "is not a bundle"),
        ("docker-daemon:a:1", 2, "is not a bundle"),
        ("disk.tar:web", 2, "names one image of a bundle"),
    ],
)
def test_what_is_no_bundle_is_said(
    program: Dockless, command: str, given: str, code: int, said: str
) -> None:
    (program.project / "disk.tar").write_bytes(b"")
    assert said in complaint(program.run("bundle", command, given), code)
