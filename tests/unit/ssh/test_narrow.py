"""Hosts that run no commands, or not many at once."""

import contextlib
from collections.abc import Iterator
from typing import cast

import paramiko
import pytest

from dockless.ssh.narrow import runs_nothing
from dockless.ssh.sessions import Sessions


@pytest.mark.parametrize(
    ("stdout", "stderr", "words"),
    [
        (b"This account is currently not available.\n", b"", "It says: This account is currently"),
        (b"", b"fatal: unrecognized command 'sh -c x'\n", "unrecognized command '…'."),
        (b"Only backups run here.\n", b"", "It says: Only backups run here."),
        (b"", b"", "runs no commands for this account."),
        (b"\x1b[2Jmenu\n", b"", r"It says: \x1b[2Jmenu."),
        (b"This service allows sftp connections only.\n", b"", "SFTP only"),
        (b"", b"bad message from 1.2.3.4 local user x", "SFTP only"),
        (b"", b"'sh' is not recognized as an internal or external command,", "cmd.exe"),
        (b"", b"sh : The term 'sh' is not recognized as the name of a cmdlet", "PowerShell"),
    ],
)
def test_the_words_of_the_server_are_shown(stdout: bytes, stderr: bytes, words: str) -> None:
    error = runs_nothing("build1", "sh -c x", stdout, stderr)
    assert words in error.what
    assert error.exit_code == 7
    assert "again" not in str(error)


class Connection:
    """A connection that allows so many sessions at once."""

    def __init__(self, most: int) -> None:
        self.left = most

    def open_session(self, timeout: float) -> "Connection":
        del timeout
        if not self.left:
            raise paramiko.ChannelException(1, "open failed")
        self.left -= 1
        return self


@pytest.mark.parametrize(("most", "wanted"), [(1, 3), (2, 3), (2, 5), (10, 3)])
def test_further_connections_are_made_where_one_allows_few_sessions(most: int, wanted: int) -> None:
    made: list[Connection] = []
    ended: list[Connection] = []

    @contextlib.contextmanager
    def again() -> Iterator[paramiko.Transport]:
        connection = Connection(most)
        made.append(connection)
        yield cast("paramiko.Transport", connection)
        ended.append(connection)

    with contextlib.closing(
        Sessions(cast("paramiko.Transport", Connection(most)), again)
    ) as sessions:
        for _ in range(wanted):
            sessions.open(1.0)
    assert len(made) == (wanted - 1) // most
    assert sorted(map(id, made)) == sorted(map(id, ended))


def test_a_host_that_opens_no_session_at_all_is_not_connected_to_again() -> None:
    def again() -> contextlib.AbstractContextManager[paramiko.Transport]:
        raise AssertionError

    sessions = Sessions(cast("paramiko.Transport", Connection(0)), again)
    with pytest.raises(paramiko.ChannelException):
        sessions.open(1.0)
