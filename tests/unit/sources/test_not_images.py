import bz2
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bed.hostile import LAYER, file, link, tar
from bed.images import Layer, Layout, digest, named
from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.platform import Platform
from dockless.sources.archive import candidates
from dockless.sources.dir_transport import DirTransport, folder_files, is_dir_transport
from dockless.sources.judging import why_no_image
from dockless.sources.not_images import empty, no_image, refused_kind
from dockless.sources.search import search
from dockless.sources.spec import parse_source
from dockless.sources.streams import read_stream
from dockless.sources.tarball import PlainTar
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress


def zipped() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        archive.writestr("image.tar", LAYER)
    return written.getvalue()


HEADS = {
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 5\n",
    "zip archive": zipped(),
    "7z": b"7z\xbc\xaf\x27\x1c" + bytes(600),
    "RAR": b"Rar!\x1a\x07\x01" + bytes(600),
    "Debian package": b"!<arch>\ndebian-binary   " + b"1" * 600,
    "lz4": b"\x04\x22\x4d\x18" + b"x" * 600,
    "lzip": b"LZIP\x01" + b"x" * 600,
    "QEMU": b"QFI\xfb" + b"x" * 600,
    "SquashFS": b"hsqs" + b"x" * 600,
    "web page": b"\n<!DOCTYPE HTML>\n<title>Log in</title>" + b" " * 600,
    "a web page,": b"<html><head>" + b" " * 600,
    "XML": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>' + b" " * 600,
    "JSON": b'{"schemaVersion": 2, "layers": []}' + b" " * 600,
}


@pytest.mark.parametrize("said", HEADS)
def test_a_file_of_another_kind_is_named(tmp_path: Path, staging: Staging, said: str) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(HEADS[said])
    with pytest.raises(SourceError, match=said) as plain:
        PlainTar(partial(io.FileIO, path), "image.tar", staging, FakeProgress())
    with pytest.raises(SourceError, match=said):
        read_stream(lambda: path.open("rb"), "image.tar", staging, FakeProgress())
    with pytest.raises(SourceError, match=said):
        why_no_image(path)
    assert plain.value.remedy


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tar(file("etc/passwd", b""), link("bin/sh", "/busybox")), "docker export"),
        (tar(file("./usr/bin/x", b""), file(".dockerenv", b"")), "root file system"),
        (tar(link("etc/mtab", "/proc/mounts")), "docker export"),
        (tar(file("image/manifest.json", b"[]")), r"its image in image/"),
        (tar(file("./a b/index.json", b"{}"), file("a b/oci-layout", b"")), "its image in a b/"),
        (tar(file("c/Chart.yaml", b"name: c")), "Helm chart"),
        (tar(file("main.py", b""), file("etc/x", b"")), "neither manifest.json nor index.json"),
    ],
)
def test_an_archive_of_something_else_is_named(
    tmp_path: Path, staging: Staging, pack: Callable[[bytes], bytes], data: bytes, said: str
) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(pack(data))
    files = read_stream(lambda: path.open("rb"), "image.tar", staging, FakeProgress())
    with pytest.raises(SourceError, match=said):
        candidates(files, staging, None)


@pytest.mark.parametrize("images", [0, 1, 2])
def test_several_folders_with_images_are_not_one(images: int) -> None:
    names = [f"{number}/index.json" for number in range(images)]
    assert ("its image in" in str(no_image("x", names).what)) == (images == 1)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "layer").write_bytes(LAYER)
    return Layout(tmp_path / "layout")


def as_dir(layout: Layout, root: str, folder: Path) -> Path:
    """Write what skopeo does: blobs by their digests, and the manifests of an index apart."""
    folder.mkdir()
    (folder / "version").write_text("Directory Transport Version: 1.1\n")
    for blob in (layout.folder / "blobs/sha256").iterdir():
        data = blob.read_bytes()
        is_manifest = data.startswith(b"{") and b"layers" in data and b"rootfs" not in data
        name = f"{blob.name}.manifest.json" if is_manifest else blob.name
        (folder / ("manifest.json" if root.endswith(blob.name) else name)).write_bytes(data)
    return folder


@pytest.mark.parametrize("platforms", [("amd64",), ("amd64", "arm64")])
def test_a_folder_of_skopeos_dir_is_the_image_that_was_copied(
    tmp_path: Path, layout: Layout, staging: Staging, platforms: tuple[str, ...]
) -> None:
    part = Layer(tmp_path / "layer", digest(LAYER))
    root = layout.image([part])
    if len(platforms) > 1:
        root = layout.platforms({each: [part] for each in platforms}, **named("1"))
    folder = as_dir(layout, root["digest"], tmp_path / "dir")
    for text in ("dir:dir", "dir", "./dir", str(folder)):
        spec = parse_source(text, tmp_path)
        files = folder_files(spec.path, spec.label, FakeProgress(), staging.on_layer)
        (found,) = candidates(files, staging, None)
        image = found.open()
        assert str(image.content().root.digest) == root["digest"]
        paths = image.paths([blob.digest for blob in image.content().blobs])
        assert all(name.matches(path.read_bytes()) for name, path in paths.items())
    files = folder_files(folder, "dir", FakeProgress(), staging.on_layer)
    (found,) = candidates(files, staging, Platform("linux", platforms[-1]))
    assert len(found.open().content().documents) == 1
    assert search(tmp_path).sources == [folder, layout.folder]


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b"no JSON", b'{"schemaVersion": 1}'])
def test_a_folder_of_skopeos_dir_that_is_damaged_says_what_it_is(
    tmp_path: Path, staging: Staging, manifest: bytes
) -> None:
    (tmp_path / "version").write_text("Directory Transport Version: 1.1")
    (tmp_path / "manifest.json").write_bytes(manifest)
    files = folder_files(tmp_path, "d", FakeProgress(), staging.on_layer)
    with pytest.raises(SourceError, match=r"a folder of skopeo's dir:, and its manifest\.json"):
        candidates(files, staging, None)


def test_a_blob_of_skopeos_dir_that_is_not_sha256_is_found(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"schemaVersion": 2, "manifests": []}')
    (tmp_path / "sha512-ab").write_text("x")
    files = DirTransport(tmp_path, "d", FakeProgress())
    assert "blobs/sha512/ab" in files
    assert "blobs/sha256/ab" not in files
    root = Digest.of((tmp_path / "manifest.json").read_bytes())
    assert f"blobs/sha256/{root.hex}" in files


@pytest.mark.parametrize("version", [None, "", "1.1", "# my project"])
def test_a_version_file_of_something_else_is_none_of_skopeos(
    tmp_path: Path, version: str | None
) -> None:
    if version is not None:
        (tmp_path / "version").write_text(version)
    assert not is_dir_transport(tmp_path)


def test_an_unpacked_archive_says_how_to_pack_it(tmp_path: Path, staging: Staging) -> None:
    entry = {"Config": "c.json", "RepoTags": ["a:1"], "Layers": ["l.tar"]}
    (tmp_path / "manifest.json").write_text(json.dumps([entry]))
    (tmp_path / "c.json").write_text("{}")
    assert parse_source(tmp_path.name, tmp_path.parent).kind == "layout"
    files = folder_files(tmp_path, "un", FakeProgress(), staging.on_layer)
    with pytest.raises(SourceError, match="unpacked archive of 'docker save'") as caught:
        candidates(files, staging, None)
    assert "tar -C un" in caught.value.remedy


@pytest.mark.parametrize(
    ("label", "head", "said"),
    [
        ("./images.txt", b"shop.tar\nlost.tar\n", "as -f ./images.txt"),
        ("sync.yml", b"ghcr.io:\n  images: {}\n", "as -f sync.yml"),
        ("liste", "caf\u00e9\n".encode()[:4], "as -f liste"),
        ("a.tar", b"no archive\n", "docker save"),
        ("standard input", b"#!/bin/sh\n", "docker save"),
    ],
)
def test_a_text_is_called_one_and_a_list_has_its_option(label: str, head: bytes, said: str) -> None:
    refused = refused_kind(label, head)
    assert refused
    assert f"{label} is a text file" in refused.what
    assert said in refused.remedy


@pytest.mark.parametrize("head", [b"", b"\0" * 512, b"a\0b", b"\xff\xfe\xfd\xfc" * 9, b"\x1b[0m"])
def test_what_is_no_text_is_not_called_one(head: bytes) -> None:
    assert refused_kind("x", head) is None


def test_an_empty_pipe_blames_the_command_before_it() -> None:
    assert "the command before the pipe" in empty("standard input").what
    assert empty("./a.txt").what == "./a.txt is empty."


@pytest.mark.parametrize("name", ["Dockerfile", "web.Containerfile", "compose.yaml"])
def test_a_folder_to_mirror_that_images_are_built_from_says_so(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    (error,) = search(tmp_path).errors.values()
    assert f"has a {name}" in error.what
    (tmp_path / "image.tar").write_bytes(tar(file("manifest.json", b'[{"Config": "c"}]')))
    assert not search(tmp_path).errors
