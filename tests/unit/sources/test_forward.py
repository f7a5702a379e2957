import io

from hypothesis import given
from hypothesis import strategies as st

from dockless.sources.forward import Forward


class Trickling(io.BytesIO):
    """A stream that gives at most three bytes at once."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(3 if size is None or size < 0 else min(size, 3))


@given(st.binary(max_size=40), st.lists(st.integers(1, 12)))
def test_it_reads_what_there_is_and_knows_where_it_is(data: bytes, sizes: list[int]) -> None:
    forward, file = Forward(Trickling(data)), io.BytesIO(data)
    for size in sizes:
        assert forward.read(size) == file.read(size)
        assert forward.tell() == file.tell()


@given(st.binary(max_size=40), st.integers(0, 50))
def test_it_goes_forward_and_not_past_the_end(data: bytes, position: int) -> None:
    forward = Forward(Trickling(data))
    forward.seek(position)
    assert forward.tell() == min(position, len(data))
    assert forward.read(4) == data[position : position + 4]
