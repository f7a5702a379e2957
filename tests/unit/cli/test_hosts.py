"""`dockless hosts` says what else deploy.yml means."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Run = Callable[..., Result]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("minimum_version: 9.1.0\n", "asks for Kamal 9.1.0"),
        ("ssh: {key_data: ['-----BEGIN X-----']}\n", "a private key as plain text"),
        ("registry: {server: ghcr.io, username: u, password: hunter2}\n", "password as plain text"),
        ("ssh: {key_data: [KEY]}\n", ""),
    ],
)
def test_warnings_about_the_file_are_printed(run: Run, project: Path, more: str, said: str) -> None:
    (project / "config").mkdir()
    (project / "config/deploy.yml").write_text(f"service: s\nservers: [me@web1]\n{more}")
    done = run("hosts")
    assert done.stdout == "  1  me@web1:22\n"
    assert done.stderr.count("Warning: ") == bool(said)
    assert said in done.stderr
    assert "hunter2" not in done.output
