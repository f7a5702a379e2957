import pytest

from dockless.ssh.tunnel import _place


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
