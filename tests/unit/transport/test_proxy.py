"""Proxies as Go's httpproxy finds them; the cases of NO_PROXY are those of its documentation."""

import pytest

from dockless.errors import UsageError
from dockless.transport.proxy import Proxy, proxy

PROXY = "http://proxy.example:3128"


@pytest.mark.parametrize(
    ("variables", "url", "expected"),
    [
        ({}, "https://host.example/v2/", None),
        ({"HTTPS_PROXY": PROXY}, "https://host.example/v2/", Proxy(PROXY)),
        ({"https_proxy": PROXY, "HTTPS_PROXY": "http://x"}, "https://host.example", Proxy(PROXY)),
        ({"HTTP_PROXY": PROXY}, "https://host.example/v2/", None),
        ({"HTTP_PROXY": PROXY}, "http://host.example/v2/", Proxy(PROXY)),
        ({"HTTPS_PROXY": "proxy.example:3128"}, "https://host.example", Proxy(PROXY)),
        ({"HTTPS_PROXY": "https://p.example"}, "https://host.example", Proxy("https://p.example")),
        ({"HTTPS_PROXY": PROXY}, "https://localhost:5000/", None),
        ({"HTTPS_PROXY": PROXY}, "https://127.3.2.1:5000/", None),
        ({"HTTPS_PROXY": PROXY}, "https://[::1]:5000/", None),
    ],
)
def test_the_variables_are_heard(
    variables: dict[str, str], url: str, expected: Proxy | None
) -> None:
    assert proxy(url, variables) == expected


@pytest.mark.parametrize(
    ("exempt", "host", "direct"),
    [
        ("host.example", "host.example", True),
        ("host.example", "sub.host.example", True),
        ("host.example", "otherhost.example", False),
        (".host.example", "sub.host.example", True),
        (".host.example", "host.example", False),
        ("*.host.example", "sub.host.example", True),
        ("*.host.example", "host.example", False),
        ("HOST.example", "host.EXAMPLE", True),
        ("host.example:443", "host.example", True),
        ("host.example:5000", "host.example", False),
        ("host.example:5000", "host.example:5000", True),
        ("10.0.0.5", "10.0.0.5", True),
        ("10.0.0.0/8", "10.20.30.40", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.5", "10.0.0.50", False),
        ("fd00::/8", "[fd12::1]", True),
        ("[fd12::1]:5000", "[fd12::1]:5000", True),
        ("[fd12::1]:5000", "[fd12::1]", False),
        ("a.example, host.example", "host.example", True),
        ("*", "host.example", True),
        ("", "host.example", False),
        (",", "host.example", False),
    ],
)
def test_no_proxy_is_heard_as_go_hears_it(exempt: str, host: str, *, direct: bool) -> None:
    found = proxy(f"https://{host}/v2/", {"HTTPS_PROXY": PROXY, "NO_PROXY": exempt})
    assert (found is None) is direct


def test_who_we_are_to_the_proxy_is_apart_and_not_shown() -> None:
    found = proxy("https://h.example", {"HTTPS_PROXY": "http://user:p%40ss@proxy.example:3128"})
    assert found == Proxy(PROXY, "user:p@ss")
    assert "p@ss" not in repr(found)


@pytest.mark.parametrize("text", ["http://", "http://user:secret@", "http://host:port"])
def test_a_proxy_that_is_none_is_a_usage_error_and_not_shown(text: str) -> None:
    with pytest.raises(UsageError, match="HTTPS_PROXY is not the URL") as caught:
        proxy("https://h.example", {"HTTPS_PROXY": text})
    assert "secret" not in str(caught.value)
