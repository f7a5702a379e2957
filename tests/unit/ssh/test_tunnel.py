from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import paramiko
import pytest

from dockless.errors import EngineError
from dockless.ssh.tunnel import _place, tunnel

if TYPE_CHECKING:
    from dockless.ssh.executor import RemoteShell


@pytest.mark.parametrize(
    ("method", "target", "place"),
    [
        (b"CONNECT", "Registry.example.com:443", ("registry.example.com", 443)),
        (b"CONNECT", "[fe80::1]:5000", ("fe80::1", 5000)),
        (b"GET", "http://registry:5000/v2/", ("registry", 5000)),
        (b"HEAD", "http://registry/v2/", ("registry", 80)),
    ],
)
def test_where_a_request_wants_to_go(method: bytes, target: str, place: tuple[str, int]) -> None:
    assert _place(method, target) == place


def test_a_port_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        _place(b"CONNECT", "registry:x")


class Forwarding:
    """A connection to a host that forwards these ports; 0 stands for any that is free."""

    def __init__(self, *allowed: int) -> None:
        self._allowed = allowed

    def is_active(self) -> bool:
        return True

    def request_port_forward(self, address: str, port: int, handler: object = None) -> int:
        del address, handler
        if port not in self._allowed:
            raise paramiko.SSHException("TCP forwarding request denied")
        return port or 40000

    def cancel_port_forward(self, address: str, port: int) -> None:
        """Cancel nothing."""


@pytest.mark.parametrize(
    ("allowed", "port", "words"),
    [
        ((0,), 5000, "Port 5000 of build1, where its engine would look for the registry, is taken"),
        ((0, 80), 443, "Port 443 of build1"),
        ((), 5000, "allows no reverse forwarding"),
        ((), 0, "allows no reverse forwarding"),
    ],
)
def test_a_port_that_is_taken_is_told_from_forwarding_that_is_forbidden(
    allowed: tuple[int, ...], port: int, words: str
) -> None:
    shell = SimpleNamespace(host="build1", transport=Forwarding(*allowed))
    with (
        pytest.raises(EngineError, match=words),
        tunnel(cast("RemoteShell", shell), [("registry", 5000)], port),
    ):
        pass
