import os
import subprocess
import sys

import pytest

from dockless.engines.memory import _pipe, in_memory
from dockless.model.secret import Secret

CONTENT = '{"auths": {"host": {"auth": "Ym9iOnB3"}}}'
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="memfd is Linux's")


def read_in_child(descriptor: int) -> str:
    argv = ("cat", f"/dev/fd/{descriptor}")
    done = subprocess.run(argv, pass_fds=[descriptor], capture_output=True, text=True, check=True)
    return done.stdout


def test_a_child_reads_it() -> None:
    with in_memory(Secret(CONTENT)) as descriptor:
        assert os.get_inheritable(descriptor)
        assert read_in_child(descriptor) == CONTENT


@linux_only
def test_every_child_reads_it_from_the_start() -> None:
    with in_memory(Secret(CONTENT)) as descriptor:
        assert [read_in_child(descriptor) for _ in range(3)] == [CONTENT] * 3


@linux_only
def test_nobody_can_change_it() -> None:
    with in_memory(Secret(CONTENT)) as descriptor:
        with pytest.raises(PermissionError):
            os.pwrite(descriptor, b"x", 0)
        with pytest.raises(PermissionError):
            os.ftruncate(descriptor, 0)


@linux_only
def test_no_folder_has_it() -> None:
    with in_memory(Secret(CONTENT)) as descriptor:
        assert os.fstat(descriptor).st_nlink == 0


def test_it_is_closed_afterwards() -> None:
    with in_memory(Secret(CONTENT)) as descriptor:
        pass

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_it_is_closed_when_the_block_fails() -> None:
    with pytest.raises(ValueError, match="broken"), in_memory(Secret(CONTENT)) as descriptor:
        raise ValueError("broken")

    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)


def test_without_memfd_a_pipe_does() -> None:
    descriptor = _pipe(CONTENT.encode())
    try:
        assert read_in_child(descriptor) == CONTENT
    finally:
        os.close(descriptor)
