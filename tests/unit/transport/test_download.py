import io
from collections.abc import Sequence
from typing import Self, cast

import pytest
import urllib3

from dockless.errors import NetworkError, UsageError
from dockless.transport.download import client, fetch
from dockless.transport.proxy import proxy

URL = "https://example.com/crane.tar.gz"


@pytest.mark.parametrize("proxy", ["http://user:pass@proxy.test:3128", "user:pass@proxy.test:3128"])
def test_the_environments_proxy_is_used_with_its_login(proxy: str) -> None:
    http = client({"https_proxy": proxy}, URL)
    assert isinstance(http, urllib3.ProxyManager)
    assert http.proxy is not None
    assert (http.proxy.host, http.proxy.port) == ("proxy.test", 3128)
    assert http.proxy_headers == {"proxy-authorization": "Basic dXNlcjpwYXNz"}


@pytest.mark.parametrize(
    ("exempt", "host", "direct"),
    [
        ("example.com", "example.com", True),
        (".other.test, example.com", "cdn.example.com", True),
        ("*", "example.com", True),
        ("ample.com", "example.com", False),
        ("", "example.com", False),
        (",", "example.com", False),
        ("10.0.0.0/8", "10.20.30.40", True),
        ("172.16.0.0/12", "172.40.0.1", False),
        ("fd00::/8", "[fd12::7]", True),
        ("example.com:443", "example.com", True),
        ("Example.COM", "example.com", True),
        (".example.com", "example.com", False),
        ("*.example.com", "cdn.example.com", True),
        ("", "127.0.0.1:8443", True),
        ("", "localhost", True),
    ],
)
def test_no_proxy_is_heard_as_for_a_registry(exempt: str, host: str, *, direct: bool) -> None:
    environment = {"HTTPS_PROXY": "http://proxy.test:3128", "NO_PROXY": exempt}
    http = client(environment, f"https://{host}/crane.tar.gz")
    assert isinstance(http, urllib3.ProxyManager) is not direct


def test_a_senseless_proxy_is_an_error_that_does_not_show_its_password() -> None:
    with pytest.raises(NetworkError, match="https_proxy") as caught:
        client({"https_proxy": "ftp://user:hunter2@proxy.test"}, URL)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["http://", "http://user:hunter2@", "http://host:hunter2"])
def test_a_proxy_without_a_host_is_a_usage_error_that_does_not_show_its_password(text: str) -> None:
    with pytest.raises(UsageError, match="HTTPS_PROXY") as caught:
        client({"https_proxy": text}, URL)
    assert "hunter2" not in str(caught.value)


class Server:
    """Stands in for the clients of all URLs: sends on from each to the next, and has the last."""

    def __init__(self, led: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._led = list(led)

    def request(self, _: str, url: str, **__: object) -> urllib3.HTTPResponse:
        self.asked.append(url)
        if len(self.asked) > len(self._led):
            return urllib3.HTTPResponse(io.BytesIO(b"crane"), status=200, preload_content=False)
        headers = {"Location": self._led[len(self.asked) - 1]}
        return urllib3.HTTPResponse(io.BytesIO(), headers, status=302, preload_content=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize(
    ("led", "proxied"),
    [
        ((), (True,)),
        (("https://files.inside.test/crane",), (True, False)),
        (("/other", "https://files.inside.test/a", "b", "https://cdn.test/c"),
         (True, True, False, False, True)),
    ],
)  # fmt: skip
def test_a_redirect_goes_through_the_proxy_of_its_own_url(
    led: Sequence[str], proxied: Sequence[bool]
) -> None:
    environment = {"HTTPS_PROXY": "http://proxy.test:3128", "NO_PROXY": ".inside.test"}
    server = Server(led)
    found = []

    def client_for(url: str) -> urllib3.PoolManager:
        found.append(proxy(url, environment) is not None)
        return cast("urllib3.PoolManager", server)

    assert b"".join(fetch(client_for, URL)) == b"crane"
    assert tuple(found) == proxied
    assert [isinstance(client(environment, url), urllib3.ProxyManager) for url in server.asked] == [
        *proxied
    ]


def test_a_file_that_is_always_elsewhere_is_an_error() -> None:
    server = Server([URL] * 100)
    with pytest.raises(NetworkError, match="more than 5 redirects"):
        list(fetch(lambda _: cast("urllib3.PoolManager", server), URL))
    assert len(server.asked) == 6
