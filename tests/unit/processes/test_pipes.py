"""Pipes whose other end stops: every wait ends with the command's time."""

import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockless import concurrency
from dockless.errors import NetworkError
from dockless.processes import pipes

pytestmark = pytest.mark.timeout(30)


@pytest.fixture(autouse=True)
def _without_end() -> Iterator[None]:
    yield
    concurrency.end_by(None)


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[tuple[int, int]]:
    """The reading and the writing end of a FIFO."""
    os.mkfifo(tmp_path / "pipe")
    reads = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    writes = os.open(tmp_path / "pipe", os.O_WRONLY | os.O_NONBLOCK)
    yield reads, writes
    os.close(reads)
    os.close(writes)


@pytest.mark.parametrize("size", [0, 1, 70_000, 1_000_000])
def test_a_reader_gets_all_of_it(ends: tuple[int, int], size: int) -> None:
    read: list[bytes] = []

    def take() -> None:
        while sum(map(len, read)) < size and pipes.readable(ends[0]):
            read.append(os.read(ends[0], 4096))

    reader = threading.Thread(target=take)
    reader.start()
    pipes.write(ends[1], b"x" * size, "a pipe")
    reader.join(20)
    assert b"".join(read) == b"x" * size


@pytest.mark.parametrize("size", [70_000, 1_000_000])
def test_a_reader_that_stops_is_waited_for_until_the_time_is_over(
    ends: tuple[int, int], size: int
) -> None:
    concurrency.end_by(time.monotonic())
    with pytest.raises(NetworkError, match="Writing to a pipe did not finish within --timeout"):
        pipes.write(ends[1], b"x" * size, "a pipe")
    assert pipes.is_full(ends[1])


def test_a_writer_that_stops_is_waited_for_until_the_time_is_over(ends: tuple[int, int]) -> None:
    concurrency.end_by(time.monotonic())
    assert not pipes.readable(ends[0])
    os.write(ends[1], b"x")
    assert pipes.readable(ends[0])
    assert not pipes.is_full(ends[1])


def _refused(path: Path, *_: object, **__: object) -> int:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


@pytest.mark.parametrize("form", ["/dev/fd/{}", "/proc/self/fd/{}"])
def test_a_pipe_of_another_user_is_written_by_what_is_open(
    monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    reads, writes = os.pipe()
    path, wrong = Path(form.format(writes)), Path(form.format(reads))
    with monkeypatch.context() as other:
        other.setattr(os, "access", lambda *_: False)
        other.setattr(os, "open", _refused)
        assert pipes.may_write(path)
        assert not pipes.may_write(wrong)
        opened = pipes.open_to_write(path, os.O_NONBLOCK)
        with pytest.raises(PermissionError):
            pipes.open_to_write(wrong, 0)
    assert os.get_blocking(writes)  # it is another process's as well
    os.write(opened, b"told")
    os.close(opened)
    assert os.read(reads, 100) == b"told"
    os.close(reads)
    os.close(writes)


@pytest.mark.parametrize("size", [1, 4096, 200_000])
def test_a_pipe_that_blocks_is_written_in_time(size: int) -> None:
    reads, writes = os.pipe()
    concurrency.end_by(time.monotonic() + 0.2)
    try:
        if size > 100_000:
            with pytest.raises(NetworkError, match="within --timeout"):
                pipes.write(writes, b"x" * size, "a pipe")
        else:
            pipes.write(writes, b"x" * size, "a pipe")
            assert os.read(reads, size + 1) == b"x" * size
    finally:
        concurrency.end_by(None)
        os.close(reads)
        os.close(writes)
