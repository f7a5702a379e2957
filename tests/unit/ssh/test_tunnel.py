from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import paramiko
import pytest

from dockless.errors import EngineError
from dockless.model.endpoint import Endpoint
from dockless.ssh.tunnel import _place, registry_tunnel, tunnel

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


def build1(*allowed: int) -> "RemoteShell":
    return cast("RemoteShell", SimpleNamespace(host="build1", transport=Forwarding(*allowed)))


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
    with (
        pytest.raises(EngineError, match=words),
        tunnel(build1(*allowed), [("registry", 5000)], port, fixed=True),
    ):
        pass


@pytest.mark.parametrize(
    ("allowed", "host", "seen"),
    [
        ((0, 5000), "localhost:5000", ""),
        ((0,), "localhost:5000", "localhost:40000"),
        ((0,), "127.0.0.1:5001", "127.0.0.1:40000"),
        ((0,), "localhost", "localhost:40000"),
        ((0,), "[::1]:5000", "[::1]:40000"),
        ((5000,), "127.0.0.1:5000", ""),
    ],
)
def test_where_the_port_of_a_registry_is_taken_there_crane_gets_another(
    allowed: tuple[int, ...], host: str, seen: str
) -> None:
    with registry_tunnel(build1(*allowed), Endpoint(host=host), "crane") as reached:
        assert (reached.host, reached.environment) == (seen, {})


@pytest.mark.parametrize(
    ("engine", "allowed", "words"),
    [
        ("skopeo", (0,), "Port 5000 of build1"),
        ("skopeo", (), "allows no reverse forwarding"),
        ("crane", (), "allows no reverse forwarding"),
    ],
)
def test_skopeo_gets_no_other_port_and_nobody_where_forwarding_is_forbidden(
    engine: str, allowed: tuple[int, ...], words: str
) -> None:
    with (
        pytest.raises(EngineError, match=words),
        registry_tunnel(build1(*allowed), Endpoint(host="localhost:5000"), engine),
    ):
        pass
