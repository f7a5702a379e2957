"""Unit tests open no socket, and see a home, settings and keyring that are empty."""

import itertools
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dockless.model.secret import forget

NewFolder = Callable[[str], Path]
_NAME_CHARACTERS = 30


@pytest.fixture(scope="session")
def new_folder(tmp_path_factory: pytest.TempPathFactory) -> NewFolder:
    """Make a folder whose name begins with these words, and ends with a number of its own.

    pytest's `mktemp` lists all folders that there are to find such a number: with two folders for
    each of thousands of tests, that took most of the time.
    """
    parent = tmp_path_factory.mktemp("unit")
    numbers = itertools.count()

    def make(words: str) -> Path:
        folder = parent / f"{words}{next(numbers)}"
        folder.mkdir(mode=0o700)
        return folder

    return make


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, new_folder: NewFolder) -> Path:
    """A folder that only this test uses, in place of pytest's own fixture."""
    return new_folder(re.sub(r"\W", "_", request.node.name)[:_NAME_CHARACTERS])


@pytest.fixture(autouse=True)
def no_sockets(socket_disabled: None) -> None:
    """Make every attempt to open a socket fail."""


@pytest.fixture(autouse=True)
def empty_home(new_folder: NewFolder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the home and everything in the environment that leads to settings or secrets."""
    home = new_folder("home")
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
