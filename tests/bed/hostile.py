"""Archives that must be refused, built byte by byte.

Each function writes one archive to a path; `ARCHIVES` has them all by name. All are
docker-archives unless the name says `layout`.
"""

import bz2
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import zstandard

from bed.images import Layer, Layout, archive, digest, named

_BLOCK = 512
_GIGABYTE = 1 << 30
_BOMB_BYTES = 4 * _GIGABYTE
_MEMBERS = 200_000

Member = tuple[tarfile.TarInfo, bytes]


def file(name: str, data: bytes) -> Member:
    """Return a regular member."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    return member, data


def link(name: str, target: str, *, hard: bool = False) -> Member:
    """Return a symbolic or hard link."""
    member = tarfile.TarInfo(name)
    member.type = tarfile.LNKTYPE if hard else tarfile.SYMTYPE
    member.linkname = target
    return member, b""


def tar(*members: Member) -> bytes:
    """Return an uncompressed tar of these members, in this order."""
    return _entries(*members) + bytes(2 * _BLOCK)


def _entries(*members: Member) -> bytes:
    return b"".join(
        member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
        + data
        + bytes(-len(data) % _BLOCK)
        for member, data in members
    )


LAYER = tar(file("etc/motd", b"hello\n"))


def image(
    *layers: Member, names: tuple[str, ...] | None = None, diff_id: str = ""
) -> tuple[Member, ...]:
    """Return the members of a docker-archive whose layers are these members.

    Args:
        layers: The members that hold the layers.
        names: What manifest.json says they are called, where that is not the truth.
        diff_id: What the config says of every layer, where that is not the truth.
    """
    diff_ids = [diff_id or digest(data or LAYER) for _, data in layers]
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    ).encode()
    config_name = digest(config).removeprefix("sha256:") + ".json"
    entry = {
        "Config": config_name,
        "RepoTags": ["hostile:1"],
        "Layers": list(names or [member.name for member, _ in layers]),
    }
    manifest = json.dumps([entry]).encode()
    return (*layers, file(config_name, config), file("manifest.json", manifest))


def harmless(path: Path) -> None:
    """Write an archive like the others, with nothing wrong."""
    path.write_bytes(tar(*image(file("1/layer.tar", LAYER))))


def truncated(path: Path) -> None:
    """Write an archive that ends in the middle of its layer."""
    whole = tar(*image(file("1/layer.tar", LAYER)))
    path.write_bytes(whole[: _BLOCK + len(LAYER) // 2])


def not_a_tar(path: Path) -> None:
    """Write a file that is no archive of any kind."""
    path.write_bytes(b"This is a letter, not an archive.\n" * 100)


def no_manifest(path: Path) -> None:
    """Write an archive without manifest.json."""
    path.write_bytes(tar(*image(file("1/layer.tar", LAYER))[:-1]))


def missing_layer(path: Path) -> None:
    """Write an archive whose manifest.json names a layer that is not there."""
    names = ("1/layer.tar", "2/layer.tar")
    path.write_bytes(tar(*image(file("1/layer.tar", LAYER), names=names)))


def climbing_path(path: Path) -> None:
    """Write an archive whose layer is called `../escaped.tar`."""
    path.write_bytes(tar(*image(file("../escaped.tar", LAYER))))


def absolute_path(path: Path) -> None:
    """Write an archive whose layer is called `/tmp/escaped.tar`."""
    path.write_bytes(tar(*image(file("/tmp/escaped.tar", LAYER))))  # noqa: S108 - the attack itself


def climbing_symlink(path: Path) -> None:
    """Write an archive whose layer is a symbolic link to a file of the machine."""
    path.write_bytes(tar(*image(link("1/layer.tar", "../../../../../etc/passwd"))))


def climbing_hard_link(path: Path) -> None:
    """Write an archive whose layer is a hard link to a file of the machine."""
    path.write_bytes(tar(*image(link("1/layer.tar", "/etc/passwd", hard=True))))


def circular_links(path: Path) -> None:
    """Write an archive whose layers are links to each other."""
    circle = (link("1/layer.tar", "../2/layer.tar"), link("2/layer.tar", "../1/layer.tar"))
    path.write_bytes(tar(*image(*circle)))


def wrong_diff_id(path: Path) -> None:
    """Write an archive whose config gives another diffID than its layer has."""
    path.write_bytes(tar(*image(file("1/layer.tar", LAYER), diff_id="sha256:" + "0" * 64)))


def enormous_manifest(path: Path) -> None:
    """Write an archive whose manifest.json has 10 GB by its own word."""
    *members, (manifest, data) = image(file("1/layer.tar", LAYER))
    manifest.size = 10 * _GIGABYTE
    path.write_bytes(_entries(*members, (manifest, data)))


def non_utf8_names(path: Path) -> None:
    """Write an archive whose layer has a name in Latin-1."""
    layer = file("caf\udce9/layer.tar", LAYER)
    path.write_bytes(tar(*image(layer, names=("caf\ufffd/layer.tar",))))


def duplicate_names(path: Path) -> None:
    """Write an archive in which manifest.json stands twice, and differs."""
    first = image(file("1/layer.tar", LAYER))
    second = image(file("2/layer.tar", tar(file("etc/motd", b"goodbye\n"))))
    path.write_bytes(tar(*first, *second))


def huge_pax_header(path: Path) -> None:
    """Write an archive whose first member's extended header has 8 GB by its own word."""
    header = tarfile.TarInfo("PaxHeaders/1")
    header.type = tarfile.XHDTYPE
    header.size = 8 * _GIGABYTE
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT) + tar(*image(file("1/layer.tar", LAYER))))


def negative_size(path: Path) -> None:
    """Write an archive whose layer has a negative size."""
    whole = bytearray(tar(*image(file("1/layer.tar", LAYER))))
    whole[124:136] = b"\xff" * 10 + b"\xfe\x00"
    whole[148:156] = b" " * 8
    whole[148:156] = b"%06o\0 " % sum(whole[:_BLOCK])
    path.write_bytes(whole)


def many_members(path: Path) -> None:
    """Write an archive with 200,000 members that no image needs."""
    # a header is made once: names differ, and the sum of the header's bytes with them
    header = file("0", b"")[0].tobuf(tarfile.USTAR_FORMAT)
    others = int(header[148:154], 8) - ord("0")
    with path.open("wb") as sink:
        for number in range(_MEMBERS):
            name = b"%d" % number
            checksum = b"%06o" % (others + sum(name))
            sink.write(name.ljust(100, b"\0") + header[100:148] + checksum + header[154:])
        sink.write(tar(*image(file("1/layer.tar", LAYER))))


def bzip2_bomb(path: Path) -> None:
    """Write a few kilobytes of bzip2 that unpack to a manifest.json of 4 GB."""
    whole = tarfile.TarInfo("manifest.json")
    whole.size = _BOMB_BYTES
    # One stream of zeros, repeated: bzip2 streams that follow one another are one file.
    zeros = bz2.compress(bytes(1 << 26))
    header = bz2.compress(whole.tobuf(tarfile.GNU_FORMAT))
    path.write_bytes(header + zeros * (_BOMB_BYTES >> 26))


def zstd_bomb(path: Path) -> None:
    """Write a few hundred kilobytes of zstd that unpack to a manifest.json of 4 GB."""
    whole = tarfile.TarInfo("manifest.json")
    whole.size = _BOMB_BYTES
    with path.open("wb") as sink, zstandard.ZstdCompressor().stream_writer(sink) as writer:
        writer.write(whole.tobuf(tarfile.GNU_FORMAT))
        block = bytes(1 << 26)
        for _ in range(_BOMB_BYTES >> 26):
            writer.write(block)


def layout_wrong_digest(path: Path) -> None:
    """Write an OCI archive one of whose layers has not the digest it is named by."""
    layout = _small_layout(path)
    blobs = sorted(layout.glob("blobs/sha256/*"), key=lambda blob: blob.stat().st_size)
    damaged = bytearray(blobs[-1].read_bytes())
    damaged[-1] ^= 1
    blobs[-1].write_bytes(damaged)
    archive(layout, path)


def layout_missing_blob(path: Path) -> None:
    """Write an OCI archive that lacks a layer."""
    layout = _small_layout(path)
    max(layout.glob("blobs/sha256/*"), key=lambda blob: blob.stat().st_size).unlink()
    archive(layout, path)


def layout_climbing_digest(path: Path) -> None:
    """Write an OCI archive whose index names `sha256:../../../etc/passwd`."""
    layout = _small_layout(path)
    index = json.loads((layout / "index.json").read_text())
    index["manifests"][0]["digest"] = "sha256:../../../etc/passwd"
    (layout / "index.json").write_text(json.dumps(index))
    archive(layout, path)


def _small_layout(path: Path) -> Path:
    layout = Layout(path.with_suffix(".layout"))
    content = path.with_suffix(".layer")
    # Zeros would compress to less than the manifest, which is to stay the smaller blob.
    content.write_bytes(
        tar(file("etc/noise", b"".join(digest(b"%d" % n).encode() for n in range(99))))
    )
    return layout.top(layout.image([Layer(content, digest(content.read_bytes()))], **named("1")))


ARCHIVES: dict[str, Callable[[Path], None]] = {
    write.__name__: write
    for write in (
        truncated,
        not_a_tar,
        no_manifest,
        missing_layer,
        climbing_path,
        absolute_path,
        climbing_symlink,
        climbing_hard_link,
        circular_links,
        wrong_diff_id,
        enormous_manifest,
        non_utf8_names,
        duplicate_names,
        huge_pax_header,
        negative_size,
        many_members,
        bzip2_bomb,
        zstd_bomb,
        layout_wrong_digest,
        layout_missing_blob,
        layout_climbing_digest,
    )
}
