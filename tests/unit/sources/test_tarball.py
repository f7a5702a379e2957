import gzip
import io
import os
import tarfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from bed.hostile import LAYER, Member, file, image, link, tar
from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.oci.manifest import LONGEST_MANIFEST, Descriptor, layer_media_type
from dockless.sources import headers, streamed_tar
from dockless.sources.files import Files
from dockless.sources.streamed_tar import StreamedTar
from dockless.sources.tarball import PlainTar
from dockless.storage.blocks import BLOCK
from dockless.storage.staging import Staging
from fakes.progress import FakeProgress, FakeTask

Read = Callable[[bytes], Files]
OTHER = tar(file("etc/motd", b"goodbye\n"))


@pytest.fixture(params=["plain", "streamed"])
def read(
    request: pytest.FixtureRequest, tmp_path: Path, staging: Staging, progress: FakeProgress
) -> Read:
    """Read an archive in either way; both must answer alike."""

    def plain(data: bytes) -> Files:
        (tmp_path / "image.tar").write_bytes(data)
        return PlainTar(
            partial(io.FileIO, tmp_path / "image.tar"),
            "image.tar",
            staging,
            progress,
        )

    def streamed(data: bytes) -> Files:
        task = FakeTask("staging", None)
        return StreamedTar(io.BytesIO(data), "image.tar", staging, task, "guessed")

    return plain if request.param == "plain" else streamed


def device(name: str) -> Member:
    member = tarfile.TarInfo(name)
    member.type = tarfile.CHRTYPE
    return member, b""


def sparse(name: str) -> Member:
    member = tarfile.TarInfo(name)
    member.type = tarfile.GNUTYPE_SPARSE
    return member, b""


LISTING = file("manifest.json", b"[]")


@pytest.mark.parametrize(
    "member",
    [
        device("dev/console"),
        link("etc/mtab", "/proc/mounts"),
        link("bin/sh", "../../busybox", hard=True),
        sparse("var/log/lastlog"),
    ],
)
def test_what_is_no_image_archive_may_have_any_member(read: Read, member: Member) -> None:
    files = read(tar(file("etc/passwd", b"root"), member))
    assert set(files.names) == {"etc/passwd", member[0].name}


def folder(name: str) -> Member:
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE
    return member, b""


def test_documents_and_layers_are_found_by_their_names(read: Read) -> None:
    files = read(tar(folder("1"), file("1/layer.tar", LAYER), file("manifest.json", b"[]")))
    assert "manifest.json" in files
    assert "1/layer.tar" in files
    assert "1" not in files
    assert files.document("manifest.json") == b"[]"
    assert files.layer("1/layer.tar").diff_id == Digest.of(LAYER)


def test_names_may_begin_with_a_dot(read: Read) -> None:
    files = read(tar(folder("./"), file("./1/layer.tar", LAYER), file("./manifest.json", b"[]")))
    assert files.document("manifest.json") == b"[]"
    assert files.layer("1/layer.tar").diff_id == Digest.of(LAYER)


def test_links_lead_to_the_layers_that_they_name(read: Read) -> None:
    files = read(
        tar(
            link("0/layer.tar", "../1/layer.tar"),
            file("1/layer.tar", LAYER),
            link("2/layer.tar", "1/layer.tar", hard=True),
            link("3/layer.tar", "../2/layer.tar"),
        )
    )
    for name in ("0/layer.tar", "2/layer.tar", "3/layer.tar"):
        assert files.layer(name).diff_id == Digest.of(LAYER)


@pytest.mark.parametrize("name", ["a", "b", "dangling"])
def test_a_link_that_leads_nowhere_is_no_file(read: Read, name: str) -> None:
    files = read(tar(link("a", "b"), link("b", "a"), link("dangling", "absent")))
    assert name not in files
    with pytest.raises(SourceError, match=f"lacks {name}"):
        files.document(name)
    with pytest.raises(SourceError, match=f"lacks {name}"):
        files.layer(name)


@pytest.mark.parametrize("data", [LAYER, gzip.compress(LAYER)], ids=["plain", "gzip"])
def test_a_blob_comes_as_it_is_in_the_archive(read: Read, data: bytes) -> None:
    digest = Digest.of(data)
    files = read(tar(file(f"blobs/sha256/{digest.hex}", data)))
    kind = "none" if data == LAYER else "gzip"
    blob = Descriptor(media_type=layer_media_type(kind), digest=digest, size=len(data))
    path = files.blob(f"blobs/sha256/{digest.hex}", blob, Digest.of(LAYER))
    assert path.read_bytes() == data


@pytest.mark.parametrize("data", [LAYER, gzip.compress(LAYER)], ids=["plain", "gzip"])
def test_a_blob_that_is_not_its_digest_or_diff_id_is_refused(read: Read, data: bytes) -> None:
    name = f"blobs/sha256/{'0' * 64}"
    files = read(tar(file(name, data)))
    kind = layer_media_type("none" if data == LAYER else "gzip")
    with pytest.raises(SourceError, match="its digest is"):
        files.blob(
            name,
            Descriptor(media_type=kind, digest=Digest("sha256", "0" * 64), size=len(data)),
            None,
        )
    with pytest.raises(SourceError, match="does not belong to its image"):
        files.blob(
            name,
            Descriptor(media_type=kind, digest=Digest.of(data), size=len(data)),
            Digest.of(OTHER),
        )


def test_a_missing_blob_is_refused(read: Read) -> None:
    files = read(tar(file("manifest.json", b"[]")))
    blob = Descriptor(media_type=layer_media_type("none"), digest=Digest.of(LAYER), size=len(LAYER))
    with pytest.raises(SourceError, match="lacks blobs/x"):
        files.blob("blobs/x", blob, None)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (tar(file("../x", b"")), "outside"),
        (tar(file("/x", b"")), "outside"),
        (tar(link("x", "/etc/passwd"), LISTING), "outside"),
        (tar(link("x", "../../etc/passwd", hard=True), LISTING), "outside"),
        (tar(LISTING, link("layer.tar", "../layer.tar")), "outside"),
        (tar(sparse("layer.tar"), LISTING), "sparse file"),
        (tar(file("caf\udce9", b"")), "not UTF-8"),
        (tar(file("x", b"1"), file("./x", b"2")), "two files named 'x'"),
        (tar(device("dev/null"), LISTING), "neither a file nor a link"),
        (tar(file("index.json", b"{}"), device("pipe")), "neither a file nor a link"),
        (tar(*image(file("1/layer.tar", LAYER)))[: 512 + len(LAYER) // 2], "truncated"),
        (b"This is a letter.\n" * 100, "is a text file"),
        (b"", "empty"),
    ],
)
def test_a_dangerous_or_damaged_archive_is_refused(read: Read, data: bytes, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        read(data)


def test_a_manifest_that_claims_too_much_is_refused_unread(read: Read) -> None:
    member, _ = file("manifest.json", b"")
    member.size = LONGEST_MANIFEST + 1
    with pytest.raises(SourceError, match=f"claims {LONGEST_MANIFEST + 1} bytes"):
        read(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_an_extended_header_that_claims_too_much_is_refused_unread(read: Read, kind: bytes) -> None:
    member = tarfile.TarInfo("header")
    member.type, member.size = kind, LONGEST_MANIFEST + 1
    with pytest.raises(SourceError, match="not a readable tar"):
        read(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def test_more_files_than_any_image_has_are_refused(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(headers, "_MOST_MEMBERS", 3)
    read(tar(*(file(str(number), b"") for number in range(3))))
    with pytest.raises(SourceError, match="more than 3 files"):
        read(tar(*(file(str(number), b"") for number in range(4))))


def test_a_stream_may_be_compressed_and_is_read_to_its_end(staging: Staging) -> None:
    stream = io.BytesIO(gzip.compress(tar(file("manifest.json", b"[]")) + bytes(10240)))
    task = FakeTask("staging", None)
    files = StreamedTar(stream, "image.tar.gz", staging, task, "packed")
    assert files.document("manifest.json") == b"[]"
    assert stream.read() == b""


class Unending(io.BytesIO):
    """A stream that keeps whoever reads past its last byte waiting."""

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        assert data or size == 0, "nothing more is to come"
        return data


def test_a_stream_is_not_waited_for_past_the_end_of_its_archive(staging: Staging) -> None:
    layer = tar(file("data", os.urandom(2 * BLOCK)))
    stream = Unending(tar(file("1/layer.tar", layer), file("manifest.json", b"[]")))
    task = FakeTask("staging", None)
    files = StreamedTar(stream, "image.tar", staging, task, "packed")
    assert files.layer("1/layer.tar").diff_id == Digest.of(layer)
    assert files.document("manifest.json") == b"[]"


def test_the_small_files_of_a_stream_have_a_limit_together(
    staging: Staging, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streamed_tar, "_MOST_DOCUMENTS", 5)
    stream = io.BytesIO(tar(file("a", b"123"), file("b", b"456")))
    with pytest.raises(SourceError, match="small files"):
        StreamedTar(stream, "image.tar", staging, FakeTask("staging", None), "packed")


def test_only_the_headers_of_a_plain_tar_are_read_at_first(
    tmp_path: Path, staging: Staging, progress: FakeProgress
) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(tar(file("1/layer.tar", LAYER)))
    files = PlainTar(partial(io.FileIO, path), "image.tar", staging, progress)
    assert not progress.tasks
    files.layer("1/layer.tar")
    assert [(task.done, task.finished) for task in progress.tasks] == [(len(LAYER), True)]
