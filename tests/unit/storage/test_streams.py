import io
from pathlib import Path

import pytest

from dockless.errors import SourceError
from dockless.oci.digest import Digest
from dockless.storage.streams import BlobDraft, Hashing, LengthChecked, Pushback, Tee, digest_of
from fakes.progress import FakeTask


def test_a_metered_stream_counts_and_stops_at_its_length() -> None:
    task = FakeTask("staging", 5)
    stream = LengthChecked(io.BytesIO(b"layer and more"), 5, task, "layer")
    assert (stream.read(3), stream.read(), stream.read(3)) == (b"lay", b"er", b"")
    assert task.done == 5


def test_a_metered_stream_that_ends_too_early_says_how_much_is_missing() -> None:
    stream = LengthChecked(io.BytesIO(b"lay"), 5, FakeTask("staging", 5), "image.tar: layer")
    stream.read(5)
    with pytest.raises(SourceError, match=r"image\.tar: layer is truncated: it lacks 2 bytes"):
        stream.read(5)


def test_a_tee_hands_on_what_it_writes() -> None:
    sink = io.BytesIO()
    tee = Tee(io.BytesIO(b"layer"), sink)
    assert (tee.read(3), tee.read()) == (b"lay", b"er")
    assert sink.getvalue() == b"layer"


@pytest.mark.parametrize("size", [1, 3, 100, -1])
def test_a_rejoined_stream_is_whole_whatever_is_read_at_a_time(size: int) -> None:
    stream = Pushback(b"lay", io.BytesIO(b"er"))
    parts = []
    while part := stream.read(size):
        parts.append(part)
    assert b"".join(parts) == b"layer"


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_hashing_gives_the_digest_of_all_it_was_given(algorithm: str) -> None:
    sink = Hashing(algorithm)
    sink.write(b"lay")
    sink.write(b"er")
    assert sink.digest().algorithm == algorithm
    assert sink.digest().matches(b"layer")
    assert digest_of(io.BytesIO(b"layer")) == Digest.of(b"layer")


def test_a_draft_is_written_counted_and_hashed(tmp_path: Path) -> None:
    with BlobDraft(tmp_path) as draft:
        assert draft.write(b"lay") == 3
        draft.write(b"er")
    draft.close()
    assert draft.path.read_bytes() == b"layer"
    assert (draft.size, draft.digest()) == (5, Digest.of(b"layer"))


def test_a_draft_goes_when_its_block_fails(tmp_path: Path) -> None:
    with pytest.raises(TypeError), BlobDraft(tmp_path) as draft:
        draft.write("text")  # type: ignore[arg-type] # that is what fails
    assert list(tmp_path.iterdir()) == []


class _Reluctant(io.BytesIO):
    """Takes two bytes at a time, as a disk that is nearly full may."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override] # bytes are enough here
        return super().write(data[:2])


def test_a_draft_writes_on_where_the_file_took_only_a_part(tmp_path: Path) -> None:
    with BlobDraft(tmp_path) as draft:
        draft._file.close()
        draft._file = file = _Reluctant()  # type: ignore[assignment] # a file that is in memory
        draft.write(b"layer")
    assert file.getvalue() == b"layer"
