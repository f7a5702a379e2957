"""Unit tests cannot reach the network, nor the settings of whoever runs them."""

import os
import socket
from pathlib import Path

import pytest
from pytest_socket import SocketBlockedError


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_a_socket_cannot_be_opened() -> None:
    with pytest.raises(SocketBlockedError):
        socket.socket()


def test_the_home_is_empty() -> None:
    assert list(Path.home().iterdir()) == []
    assert not any(name.startswith(("DOCKLESS_", "DOCKER_", "XDG_")) for name in os.environ)
