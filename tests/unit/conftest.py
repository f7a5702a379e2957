"""Unit tests open no socket, and see a home, settings and keyring that are empty."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockless.model.secret import forget


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """Make every attempt to open a socket fail."""


@pytest.fixture(autouse=True)
def empty_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the home and everything in the environment that leads to settings or secrets."""
    home = tmp_path_factory.mktemp("home")
    for name in os.environ:
        if name.startswith(("DOCKLESS_", "DOCKER_", "XDG_", "REGISTRY_AUTH_FILE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return home


@pytest.fixture(autouse=True)
def nothing_sent() -> Iterator[None]:
    """Forget the secrets that a test showed to somebody, so that the next test's words stay."""
    yield
    forget()
