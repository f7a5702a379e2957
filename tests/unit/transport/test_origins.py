import pytest

from dockless.errors import StrayError
from dockless.model.endpoint import Endpoint
from dockless.transport.origins import (
    Origin,
    check_destination,
    check_peer,
    goes_along,
    may_have_secret,
    origin,
)

SECURE = Endpoint(host="registry.example.com")
PLAIN = Endpoint(host="registry.example.com:5000", plain_http=True)
HERE = Endpoint(host="127.0.0.1:5000", plain_http=True)
NAMED = Endpoint(host="registry.example.com", insecure_realms=("auth.example.com", "10.0.0.7:8080"))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("HTTPS://Registry.Example.com/v2/", Origin("https", "registry.example.com", 443)),
        ("http://[fe80::1]:5000", Origin("http", "[fe80::1]", 5000)),
        ("https://me:secret@a.example/x", Origin("https", "a.example", 443)),
        # urllib3 connects to the first host, other readers of URLs see the second one
        ("https://a.example\\@registry.example.com/", Origin("https", "a.example", 443)),
        ("http://[x/", None),
        ("ftp://a.example/", None),
        ("/token", None),
        ("https:///token", None),
    ],
)
def test_an_origin_is_where_urllib3_connects_to(url: str, expected: Origin | None) -> None:
    assert origin(url) == expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("https://a/x", "https://a/y?z", True),
        ("https://a/x", "https://A:443/y", True),
        ("http://a/x", "https://a/x", True),
        ("https://a/x", "http://a/x", False),
        ("https://a/x", "https://a:444/x", False),
        ("http://a:80/x", "https://a:8443/x", False),
        ("http://a:5000/x", "https://a/x", False),
        ("https://a/x", "https://b/x", False),
        ("https://a/x", "https://a.b/x", False),
        ("https://a/x", "https://sub.a/x", False),
        ("https://a/x", "https://b\\@a/x", False),
        ("https://a/x", "nonsense", False),
    ],
)
def test_a_secret_goes_along_to_its_own_origin_only(
    before: str,
    after: str,
    expected: bool,  # noqa: FBT001 - it is the expectation
) -> None:
    assert goes_along(before, after) == expected


@pytest.mark.parametrize(
    ("realm", "endpoint", "expected"),
    [
        ("https://anywhere.example/token", SECURE, True),
        ("https://anywhere.example/token", HERE, True),
        ("http://auth.example.com/token", SECURE, False),
        ("http://registry.example.com/token", SECURE, False),
        ("http://127.0.0.1/token", SECURE, False),
        ("http://127.0.0.1:9000/token", HERE, True),
        ("http://localhost:9000/token", HERE, True),
        ("http://[::1]:9000/token", HERE, True),
        ("http://elsewhere/token", HERE, False),
        ("http://127.0.0.1.example.com/token", HERE, False),
        ("http://127.0.0.1@elsewhere/token", HERE, False),
        ("http://elsewhere\\@127.0.0.1/token", HERE, False),
        ("http://registry.example.com:5001/token", PLAIN, True),
        ("http://auth.example.com/token", PLAIN, False),
        ("http://127.0.0.1/token", PLAIN, False),
        ("http://AUTH.example.com:99/token", NAMED, True),
        ("http://10.0.0.7:8080/token", NAMED, True),
        ("http://10.0.0.7/token", NAMED, False),
        ("http://other.example.com/token", NAMED, False),
        ("nonsense", NAMED, False),
    ],
)
def test_a_realm_without_tls_gets_a_secret_only_where_that_is_meant(
    realm: str,
    endpoint: Endpoint,
    expected: bool,  # noqa: FBT001 - it is the expectation
) -> None:
    assert may_have_secret(realm, endpoint) == expected


LINK_LOCAL = (
    "169.254.169.254",
    "169.254.0.1",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.254.169.254.",
    "[fe80::1]",
    "[fe80::1%25eth0]",
    "[::ffff:169.254.169.254]",
    "[2002:a9fe:a9fe::1]",
    "[64:ff9b::a9fe:a9fe]",
)


@pytest.mark.parametrize("host", LINK_LOCAL)
@pytest.mark.parametrize("endpoint", [SECURE, HERE, PLAIN])
def test_a_link_local_address_is_not_asked(host: str, endpoint: Endpoint) -> None:
    with pytest.raises(StrayError, match="link-local") as caught:
        check_destination(f"http://{host}:8080/latest/", endpoint)
    assert not caught.value.passing
    assert endpoint.host in caught.value.what


@pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "[2001:db8::1]", "a.example", "169.253.1.1"])
def test_other_addresses_are_asked(host: str) -> None:
    check_destination(f"https://{host}/v2/", SECURE)


@pytest.mark.parametrize(
    "endpoint",
    [
        Endpoint(host="169.254.7.7:5000", plain_http=True),
        Endpoint(host="registry.example.com", insecure_realms=("169.254.7.7",)),
        Endpoint(host="registry.example.com", insecure_realms=("169.254.7.7:81",)),
    ],
)
def test_a_link_local_address_that_was_typed_is_asked(endpoint: Endpoint) -> None:
    check_destination("http://169.254.7.7:81/token", endpoint)
    check_peer("169.254.7.7", Origin("http", "169.254.7.7", 81), endpoint)
    with pytest.raises(StrayError):
        check_destination("http://169.254.7.8:81/token", endpoint)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%eth0", "::ffff:169.254.1.1"])
def test_a_name_that_leads_to_a_link_local_address_gets_nothing(address: str) -> None:
    place = Origin("https", "storage.example.com", 443)
    with pytest.raises(StrayError, match=r"points to storage\.example\.com"):
        check_peer(address, place, SECURE)
    check_peer("192.0.2.1", place, SECURE)
    # the registry's own name may lead anywhere: the user typed it
    check_peer(address, Origin("https", "registry.example.com", 443), SECURE)
