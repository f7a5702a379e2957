"""The images that are measured: this machine's files, by a fixed recipe.

The files of /usr, each once, stand in the order of the SHA-256 of their names, which is the same
every time and mixes programs, libraries, text and what is compressed already. The layers are cut
from that row: each takes the next files until it has its size.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from demo.image import Archive, Layer, files, write_archive, write_layer

MB = 1_000_000
SIZES = (200 * MB, 250 * MB, 50 * MB, 5 * MB)
"""Bytes of files in each layer but the last, which is one small file."""

NAME = "bench:1"
_LARGEST = 20 * MB


def base_layers(folder: Path, scale: int = 1) -> list[Layer]:
    """Write the layers but the last, each `scale` times as large as `SIZES` says.

    Raises:
        RuntimeError: The machine has too few files.
    """
    folder.mkdir()
    row = rows()
    return [
        write_layer(folder / f"{number}.tar", cut(row, size * scale))
        for number, size in enumerate(SIZES)
    ]


def image(folder: Path, name: str, base: Sequence[Layer], text: str) -> Archive:
    """Write an archive of these layers and a last one, a file with this text."""
    note = folder / "note.txt"
    note.write_text(text)
    last = write_layer(folder / f"{name}-last.tar", [note])
    return write_archive(folder / f"{name}.tar", NAME, (*base, last))


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
