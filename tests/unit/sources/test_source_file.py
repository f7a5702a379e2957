import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockless import concurrency
from dockless.errors import NetworkError, SourceError
from dockless.sources.source_file import SourceFile, reading


def test_what_the_system_says_against_reading_is_an_error_of_the_source(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(SourceError, match=f"{path} cannot be read: "):
            SourceFile(path)
    with SourceFile(Path("/proc/self/mem")) as file:  # nothing is mapped at its beginning
        for read in (file.read, file.readall, lambda: file.readinto(bytearray(1))):
            with pytest.raises(SourceError, match="/proc/self/mem cannot be read: Input/output"):
                read()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied"), "x cannot be read: this user has no permission"),
        (OSError(116, "Stale file handle"), "x cannot be read: Stale file handle"),
        (NotADirectoryError(20, "Not a directory"), "x cannot be read: Not a directory"),
    ],
)
def test_errors_of_the_system_are_said(error: OSError, said: str) -> None:
    with pytest.raises(SourceError, match=said), reading("x"):
        raise error


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    os.mkfifo(tmp_path / "pipe.tar")
    yield tmp_path / "pipe.tar"
    concurrency.end_by(None)


READS: list[Callable[[SourceFile], object]] = [
    lambda file: file.read(10),
    lambda file: file.read(),
    lambda file: file.readall(),
    lambda file: file.readinto(bytearray(10)),
]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("writer", [False, True])
def test_the_writer_of_a_pipe_is_waited_for_until_the_time_is_over(
    pipe: Path,
    read: Callable[[SourceFile], object],
    writer: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    with SourceFile(pipe) as file, contextlib.ExitStack() as stack:
        if writer:  # which writes nothing
            stack.enter_context(pipe.open("wb"))
        concurrency.end_by(time.monotonic())
        with pytest.raises(NetworkError, match=r"Reading .*pipe\.tar did not finish within"):
            read(file)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("size", [0, 5, 70_000, 3_000_000])
def test_a_pipe_is_read_to_its_end(pipe: Path, size: int) -> None:
    def write() -> None:
        pipe.write_bytes(b"x" * size)

    writer = threading.Thread(target=write)
    with SourceFile(pipe) as file:
        writer.start()
        assert len(file.read()) == size
    writer.join(20)


@pytest.mark.parametrize("read", [lambda file: file.read(5), lambda file: file.readall(),
                                  lambda file: file.readinto(bytearray(5))])  # fmt: skip
def test_a_pipe_that_no_process_writes_to_is_not_waited_for_without_end(
    pipe: Path, read: Callable[[SourceFile], object]
) -> None:
    with (
        SourceFile(pipe, patience=0.1) as file,
        pytest.raises(SourceError, match=r"pipe\.tar cannot be read: no process writes"),
    ):
        read(file)


@pytest.mark.parametrize("sent", [b"", b"x", b"x" * 100_000])
def test_a_writer_that_is_slow_to_begin_is_waited_for(pipe: Path, sent: bytes) -> None:
    read: list[bytes] = []
    with SourceFile(pipe, patience=0.1) as file:
        descriptor = os.open(pipe, os.O_WRONLY)
        reader = threading.Thread(target=lambda: read.append(file.readall()))
        reader.start()
        reader.join(0.5)
        assert reader.is_alive()
        with os.fdopen(descriptor, "wb") as writer:
            writer.write(sent)
        reader.join(20)
    assert read == [sent]
