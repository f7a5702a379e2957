"""A scheme in front of a host where nothing is sent to it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from dockless.cli.main import dockless
from dockless.errors import AuthError, UsageError


@pytest.mark.parametrize("host", ["http://ghcr.io", "https://GHCR.io/", "ghcr.io"])
def test_a_scheme_in_front_of_the_host_does_not_matter(host: str, empty_home: Path) -> None:
    assert empty_home.is_dir()
    error = CliRunner().invoke(dockless, ["whoami", host]).exception
    assert isinstance(error, AuthError)
    assert error.what == "There is no login for ghcr.io."
    done = CliRunner().invoke(dockless, ["logout", host])
    assert not isinstance(done.exception, UsageError), done.exception
