import resource
from pathlib import Path

import pytest

from dockless.credentials.passphrases import SshAnswers
from dockless.credentials.prompting import NOBODY
from dockless.ssh import ssh_options
from dockless.ssh.ssh_options import hosts_at_once, ssh_connections


class Asked:
    """Options of a command line."""

    accept_new_host_keys = True
    allow_ssh_commands = False


@pytest.mark.parametrize(
    ("parallel", "files", "hosts"),
    [(None, 4096, 16), (3, 4096, 3), (100, 160, 10), (None, 64, 4), (5, 8, 1)],
)
def test_hosts_at_once_fit_the_limit_of_open_files(
    monkeypatch: pytest.MonkeyPatch, parallel: int | None, files: int, hosts: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    monkeypatch.setattr(ssh_options, "cores", lambda: 2)
    assert hosts_at_once(parallel) == hosts


def test_connections_are_made_as_the_options_say(tmp_path: Path) -> None:
    notes: list[str] = []
    answers = SshAnswers(NOBODY, {})
    made = ssh_connections(Asked(), answers, {"HOME": str(tmp_path)}, notes.append)
    assert made.accept_new
    assert made.ask == answers.answer
    assert made.note == notes.append
