"""The images that are measured: this machine's files, by a fixed recipe.

The files of /usr, each once, stand in the order of the SHA-256 of their names, which is the same
every time and mixes programs, libraries, text and what is compressed already. The layers are cut
from that row: each takes the next files until it has its size. Where a recipe wants more than there
is, the row begins again, each file under another folder.
"""

import hashlib
import io
import itertools
import random
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from demo.image import Archive, Layer, digest, files, write_archive, write_layer

MB = 1_000_000
SIZES = (200 * MB, 250 * MB, 50 * MB, 5 * MB)
"""Bytes of files in each layer but the last, which is one small file: some 500 MB."""

NAME = "bench:1"
_LARGEST = 20 * MB
_NOISE_BLOCK = 1024 * 1024


def base_layers(folder: Path, sizes: Sequence[int] = SIZES) -> list[Layer]:
    """Write a layer of the next files for each size.

    Raises:
        RuntimeError: The machine has too few files.
    """
    folder.mkdir()
    row = rows()
    return [
        write_layer(folder / f"{number}.tar", cut(row, size)) for number, size in enumerate(sizes)
    ]


def image(folder: Path, name: str, base: Sequence[Layer], text: str = "first\n") -> Archive:
    """Write an archive of these layers and a last one, a file with this text."""
    note = folder / "note.txt"
    note.write_text(text)
    last = write_layer(folder / f"{name}-last.tar", [note])
    return write_archive(folder / f"{name}.tar", NAME, (*base, last))


def long_layer(path: Path, size: int) -> Layer:
    """Write one layer of so many bytes of files, the row again and again if it must."""
    total = 0
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for turn, each in _again_and_again():
            if total >= size:
                break
            member = tar.gettarinfo(each, f"{turn}/{each}")
            member.mtime = member.uid = member.gid = 0
            member.uname = member.gname = ""
            with each.open("rb") as stream:
                tar.addfile(member, stream)
            total += member.size
    return _layer(path)


def _again_and_again() -> Iterator[tuple[int, Path]]:
    for turn in itertools.count():
        yield from ((turn, each) for each in rows() if each.stat().st_size <= _LARGEST)


def noise_layer(path: Path, size: int) -> Layer:
    """Write a layer of one file of random bytes, the same each time: nothing compresses it."""
    chance = random.Random(6)  # noqa: S311 - the same bytes every time
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        for number in range(size // _NOISE_BLOCK):
            _add(tar, f"noise-{number}", chance.randbytes(_NOISE_BLOCK))
    return _layer(path)


def log_layer(path: Path, size: int) -> Layer:
    """Write a layer of one log of numbered lines: it compresses to a small part."""
    line = "{:>12} INFO registry: GET /v2/team/app/manifests/latest 200 in 3 ms\n"
    count = size // len(line.format(0))
    data = "".join(line.format(number) for number in range(count)).encode()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as tar:
        _add(tar, "access.log", data)
    return _layer(path)


def rows() -> Iterator[Path]:
    """Yield the files of /usr, each once, in the order of the SHA-256 of their names."""
    real = (path for path in files(Path("/usr")) if not path.is_symlink())
    return iter(sorted(real, key=lambda path: hashlib.sha256(bytes(path)).digest()))


def cut(row: Iterator[Path], size: int) -> Iterable[Path]:
    """Yield the next files of a row until there are so many bytes.

    Raises:
        RuntimeError: The machine has too few files.
    """
    total = 0
    for path in row:
        if (bytes_ := path.stat().st_size) <= _LARGEST:
            total += bytes_
            yield path
        if total >= size:
            return
    raise RuntimeError("The files of /usr are too few for this image.")


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def _layer(path: Path) -> Layer:
    return Layer(path, digest(path))
