import pytest
import urllib3

from dockless.errors import NetworkError
from dockless.transport.download import client


@pytest.mark.parametrize("proxy", ["http://user:pass@proxy.test:3128", "user:pass@proxy.test:3128"])
def test_the_environments_proxy_is_used_with_its_login(proxy: str) -> None:
    http = client({"https_proxy": proxy}, "example.com")
    assert isinstance(http, urllib3.ProxyManager)
    assert http.proxy is not None
    assert (http.proxy.host, http.proxy.port) == ("proxy.test", 3128)
    assert http.proxy_headers == {"proxy-authorization": "Basic dXNlcjpwYXNz"}


@pytest.mark.parametrize(
    ("exempt", "direct"),
    [
        ("example.com", True),
        (".example.com, other.test", True),
        ("*", True),
        ("ample.com", False),
        ("", False),
        (",", False),
    ],
)
def test_no_proxy_names_the_domains_that_are_reached_directly(exempt: str, *, direct: bool) -> None:
    environment = {"HTTPS_PROXY": "http://proxy.test:3128", "NO_PROXY": exempt}
    is_proxied = isinstance(client(environment, "example.com"), urllib3.ProxyManager)
    assert is_proxied is not direct


def test_a_senseless_proxy_is_an_error_that_does_not_show_its_password() -> None:
    with pytest.raises(NetworkError, match="https_proxy") as caught:
        client({"https_proxy": "ftp://user:hunter2@proxy.test"}, "example.com")
    assert "hunter2" not in str(caught.value)
