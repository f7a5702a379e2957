import fcntl
import io
import os
import subprocess
import sys
import time
from functools import partial

import pytest

from dockless import concurrency
from dockless.errors import NetworkError
from dockless.sources.ahead import read_ahead, read_to_the_end
from dockless.storage.ahead_stream import AheadStream
from dockless.storage.blocks import BLOCK, ReadableStream


class Slow(io.BytesIO):
    """A stream that counts what was read, and fails at its end if it is told to."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        super().__init__(data)
        self._error = error

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        if not data and self._error:
            raise self._error
        return data


def settled(ahead: ReadableStream) -> bool:
    """Whether the thread that reads ahead ends."""
    assert isinstance(ahead, AheadStream)
    ahead._thread.join(120)
    return not ahead._thread.is_alive()


@pytest.mark.parametrize("size", [1, 7, 1000, BLOCK, 5 * BLOCK])
def test_what_is_read_is_what_there_was(size: int) -> None:
    data = os.urandom(3000 if size == 1 else 3 * BLOCK + 5)
    with read_ahead(io.BytesIO(data)) as ahead:
        parts = list(iter(lambda: ahead.read(size), b""))
        assert ahead.read(size) == b"", "the end stays the end"
    assert b"".join(parts) == data
    assert max(map(len, parts)) <= size


def test_all_that_is_to_come_is_read_at_once() -> None:
    data = os.urandom(2 * BLOCK + 1)
    with read_ahead(io.BytesIO(data)) as ahead:
        assert ahead.read(3) + ahead.read() == data
        assert ahead.read() == b""


def test_a_block_is_there_before_it_is_asked_for_and_no_more_than_16_are() -> None:
    stream = Slow(bytes(40 * BLOCK))
    with read_ahead(stream) as ahead:
        assert ahead.read(1)
        end = time.monotonic() + 120
        while stream.tell() < 17 * BLOCK and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.1)
        # one was asked for, 16 wait, and one more looks for room
        assert 17 * BLOCK <= stream.tell() <= 18 * BLOCK
    assert settled(ahead), "a thread that waits for room ends"


def test_an_error_comes_after_what_was_read_before_it() -> None:
    error = NetworkError("The host is lost.")
    with read_ahead(Slow(bytes(BLOCK), error)) as ahead:
        assert len(ahead.read(BLOCK)) == BLOCK
        with pytest.raises(NetworkError) as caught:
            ahead.read(1)
    assert caught.value is error
    assert settled(ahead)


def test_whoever_stops_early_does_not_wait_for_what_is_to_come() -> None:
    ours, theirs = os.pipe()
    with open(theirs, "wb", buffering=0) as writer, open(ours, "rb", buffering=0) as reader:  # noqa: PTH123 - descriptors
        writer.write(b"the beginning")
        with read_ahead(reader) as ahead:
            pass
        assert isinstance(ahead, AheadStream)
        assert ahead._thread.is_alive(), "it waits for bytes"
        writer.close()
        assert settled(ahead)


@pytest.mark.parametrize("size", [-1, 1, BLOCK])
@pytest.mark.parametrize("thread", ["main", "another"])
def test_a_source_that_goes_silent_ends_with_the_time_of_the_command(
    monkeypatch: pytest.MonkeyPatch, size: int, thread: str
) -> None:
    ours, theirs = os.pipe()
    with io.FileIO(ours) as reader, io.FileIO(theirs, "w") as writer, read_ahead(reader) as ahead:
        writer.write(b"the beginning")
        assert ahead.read(BLOCK) == b"the beginning"
        monkeypatch.setattr(concurrency._TimeLimit, "until", time.monotonic() + 0.2)
        read = partial(ahead.read, size)
        if thread != "main":
            read = partial(concurrency.alone(read).result, 60)
        with pytest.raises(NetworkError, match="within --timeout") as caught:
            read()
        assert not caught.value.passing
        writer.close()
        assert settled(ahead)


def test_what_has_come_is_read_without_waiting_for_more() -> None:
    ours, theirs = os.pipe()
    with (
        io.FileIO(ours) as reader,
        io.FileIO(theirs, "w") as writer,
        read_ahead(reader) as ahead,
    ):
        writer.write(b"the beginning")
        assert ahead.read(BLOCK) == b"the beginning"


def test_whoever_writes_to_a_pipe_is_read_to_the_end() -> None:
    writing = subprocess.Popen(
        (
            sys.executable,
            "-c",
            "import os; [os.write(1, bytes(1 << 20)) for _ in range(40)]",
        ),
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    with writing:
        assert writing.stdout
        with read_to_the_end(writing.stdout) as stream:
            assert stream.read(1) == bytes(1)
    assert writing.returncode == 0, "it was not told that nobody listens"


def test_a_pipe_gets_room_for_a_mebibyte() -> None:
    reads, writes = os.pipe()
    with io.FileIO(reads) as stream, io.FileIO(writes, "w") as there, read_ahead(stream) as ahead:
        assert fcntl.fcntl(reads, fcntl.F_GETPIPE_SZ) == 1024 * 1024
        there.write(b"data")
        there.close()
        assert ahead.read() == b"data"
