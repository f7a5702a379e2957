import pytest

from dockless.model.endpoint import Endpoint, is_loopback


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        (Endpoint(host="ghcr.io"), "https://ghcr.io"),
        (Endpoint(host="10.0.0.5:5000", plain_http=True), "http://10.0.0.5:5000"),
        (Endpoint(host="docker.io"), "https://registry-1.docker.io"),
    ],
)
def test_the_url_is_where_the_host_is_served(endpoint: Endpoint, url: str) -> None:
    assert endpoint.url == url


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1", "127.8.9.1:5000", "[::1]", "[::1]:5000"]
)
def test_this_machine_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["10.0.0.5:5000", "localhost.example.com", "127.0.0.1.example.com", "[fe80::1]:5000", "", "[x"],
)
def test_other_machines_are_not_this_one(host: str) -> None:
    assert not is_loopback(host)
