import bz2
import gzip
import io
import lzma
import random
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from dockless.errors import SourceError
from dockless.model.timings import Timings
from dockless.oci.packing import Compression, asked
from dockless.storage import decompression
from dockless.storage.blocks import BLOCK, blocks
from dockless.storage.compression import compressing
from dockless.storage.decompression import decompressing, sniff

SKIPPABLE = b"\x5a\x2a\x4d\x18\x04\x00\x00\x00meta"
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstandard.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}


class Chopped:
    """A stream whose reads return at most so many bytes, as pipes and sockets do."""

    def __init__(self, data: bytes, most: int) -> None:
        self._file = io.BytesIO(data)
        self._most = most

    def read(self, size: int = -1) -> bytes:
        return self._file.read(self._most if size < 0 else min(size, self._most))


def sample(length: int, seed: int = 1) -> bytes:
    """Return bytes that compress, but not to nothing."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    words = [chance.randbytes(48) for _ in range(64)]
    return b"".join(chance.choices(words, k=length // 48 + 1))[:length]


def compressed(data: bytes, compression: Compression, cores: int = 1, most: int = BLOCK) -> bytes:
    sink = io.BytesIO()
    with compressing(asked(compression), sink, cores, Timings()) as encoder:
        for block in blocks(Chopped(data, most)):
            encoder.write(block)
    return sink.getvalue()


def decompressed(data: bytes, compression: str) -> bytes:
    with decompressing(io.BytesIO(data), compression, "the layer") as plain:
        return b"".join(blocks(plain))


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
@settings(max_examples=10, deadline=None)
@given(
    length=st.integers(0, 4 * BLOCK),
    seed=st.integers(0, 9),
    most=st.integers(1000, 3 * BLOCK),
)
def test_the_bytes_depend_neither_on_the_cores_nor_on_how_the_input_comes(
    compression: Compression, length: int, seed: int, most: int
) -> None:
    data = sample(length, seed)
    once = compressed(data, compression)
    assert compressed(data, compression, cores=2, most=most) == once
    assert compressed(data, compression, cores=4, most=most) == once


def test_gzip_can_be_read_by_zlib_and_names_no_time() -> None:
    data = sample(3 * BLOCK + 5)
    packed = compressed(data, "gzip", cores=2)
    assert gzip.decompress(packed) == data
    assert zlib.decompressobj(wbits=31).decompress(packed)[:100] == data[:100]
    assert packed[4:8] == bytes(4)
    assert len(packed) < len(data)


def test_zstd_can_be_read_by_zstandard() -> None:
    data = sample(3 * BLOCK + 5)
    packed = compressed(data, "zstd", cores=2)
    assert zstandard.ZstdDecompressor().stream_reader(packed).read() == data
    assert len(packed) < len(data)


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_no_input_becomes_a_valid_empty_stream(compression: Compression) -> None:
    packed = compressed(b"", compression)
    assert sniff(packed) == compression
    assert decompressed(packed, compression) == b""


def test_without_compression_the_bytes_stay_as_they_are() -> None:
    assert compressed(b"a layer", "none") == b"a layer"


@pytest.mark.parametrize("compression", ["gzip", "zstd", "none"])
def test_the_sink_stays_open_for_its_owner(compression: Compression) -> None:
    sink = io.BytesIO()
    with compressing(asked(compression), sink, 1, Timings()) as encoder:
        encoder.write(b"data")
    assert not sink.closed


def test_blocks_are_full_however_short_the_reads_are() -> None:
    lengths = [len(block) for block in blocks(Chopped(bytes(2 * BLOCK + 7), 300_001))]
    assert lengths == [BLOCK, BLOCK, 7]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (gzip.compress(b"x"), "gzip"),
        (bz2.compress(b"x"), "bzip2"),
        (lzma.compress(b"x"), "xz"),
        (zstandard.compress(b"x"), "zstd"),
        (SKIPPABLE + zstandard.compress(b"x"), "zstd"),
        (b"manifest.json", "none"),
        (b"\x1f", "none"),
        (b"", "none"),
    ],
)
def test_the_first_bytes_tell_the_compression(head: bytes, expected: str) -> None:
    assert sniff(head) == expected


@pytest.mark.parametrize("compression", COMPRESS)
def test_what_other_programs_compress_can_be_read(compression: str) -> None:
    data = sample(2 * BLOCK + 3)
    assert decompressed(COMPRESS[compression](data), compression) == data


@pytest.mark.parametrize("compression", COMPRESS)
def test_members_that_follow_one_another_are_one_stream(compression: str) -> None:
    pack = COMPRESS[compression]
    assert decompressed(pack(b"one ") + pack(b"") + pack(b"two"), compression) == b"one two"


def test_a_skippable_frame_before_the_data_is_skipped() -> None:
    assert decompressed(SKIPPABLE + zstandard.compress(b"data"), "zstd") == b"data"


@pytest.mark.parametrize("compression", ["gzip", "bzip2", "xz"])
def test_zeros_after_the_end_are_padding(compression: str) -> None:
    assert decompressed(COMPRESS[compression](b"data") + bytes(1024), compression) == b"data"


@pytest.mark.parametrize("compression", COMPRESS)
@pytest.mark.parametrize("cut", [10, -6])
def test_data_that_ends_too_early_is_an_error(compression: str, cut: int) -> None:
    with pytest.raises(SourceError, match="the layer is damaged") as caught:
        decompressed(COMPRESS[compression](sample(BLOCK))[:cut], compression)
    assert compression in caught.value.what


@pytest.mark.parametrize("compression", COMPRESS)
def test_damaged_data_is_an_error(compression: str) -> None:
    packed = bytearray(COMPRESS[compression](sample(BLOCK)))
    middle = len(packed) // 2
    packed[middle : middle + 64] = b"\xaa" * 64
    with pytest.raises(SourceError, match="the layer is damaged"):
        decompressed(bytes(packed), compression)


@pytest.mark.parametrize("compression", ["zstd", "bzip2", "xz"])
def test_a_little_that_becomes_very_much_is_stopped(
    compression: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decompression, "_BOMB_STARTS", BLOCK)
    with pytest.raises(SourceError, match="more than 2000 times"):
        decompressed(COMPRESS[compression](bytes(32 * BLOCK)), compression)


def test_zeros_as_a_sparse_file_has_them_are_no_bomb_in_gzip(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decompression, "_BOMB_STARTS", BLOCK)
    assert len(decompressed(gzip.compress(bytes(32 * BLOCK)), "gzip")) == 32 * BLOCK


def _wide_zstd() -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=24, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(sample(4 * BLOCK)) + packer.flush()


@pytest.mark.parametrize(
    ("compression", "data"), [("zstd", _wide_zstd()), ("xz", lzma.compress(b"data", preset=6))]
)
def test_data_that_asks_for_a_larger_window_than_allowed_is_refused(
    compression: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    decompressed(data, compression)
    monkeypatch.setattr(decompression, "_MEMORY_LIMIT", 4 * BLOCK)
    with pytest.raises(SourceError, match="needs more than 4 MiB of memory"):
        decompressed(data, compression)


@pytest.mark.parametrize("size", [256, 512, 1024])
def test_a_large_dictionary_of_xz_is_no_damage(size: int) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": size << 20}]
    data = lzma.compress(b"data", filters=filters)
    with (
        pytest.raises(SourceError, match="needs more than 128 MiB of memory") as caught,
        decompressing(io.BytesIO(data), "xz", "the layer") as plain,
    ):
        plain.read()
    assert "Decompress it first" in caught.value.remedy


@pytest.mark.parametrize("tail", [b"x", b"\n", b"more bytes", b"y" * 5000])
def test_what_follows_gzip_data_is_said(tail: bytes) -> None:
    with (
        pytest.raises(SourceError, match=r"followed by (?:other bytes|bytes that are not gzip)"),
        decompressing(io.BytesIO(gzip.compress(b"data") + tail), "gzip", "the layer") as plain,
    ):
        plain.read()
