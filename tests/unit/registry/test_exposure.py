import pytest

from dockless.model.endpoint import Endpoint
from dockless.registry.challenges import chosen, offered
from dockless.registry.exposure import exposure, upload_exposure

SECURE = Endpoint(host="registry.example.com")
PLAIN = Endpoint(host="registry.example.com", plain_http=True)
HERE = Endpoint(host="127.0.0.1:5000", plain_http=True)
BASIC = 'Basic realm="r"'


def bearer(realm: str) -> str:
    return f'Bearer realm="{realm}",service="s"'


@pytest.mark.parametrize(
    ("header", "endpoint", "crane", "skopeo"),
    [
        (BASIC, SECURE, False, False),
        (bearer("https://a.example/t"), SECURE, False, False),
        # who takes the first that it knows shows the password in clear
        (f"{bearer('http://a.example/t')}, {BASIC}", SECURE, True, True),
        (f"{BASIC}, {bearer('http://a.example/t')}", SECURE, True, True),
        (f"{bearer('http://a.example/t')}, {BASIC}", HERE, True, True),
        (f"{bearer('http://a.example/t')}, {bearer('https://a.example/t')}", SECURE, False, True),
        # crane has a token and asks nobody; skopeo would check no certificate there
        (bearer("https://a.example/t"), PLAIN, False, True),
        (bearer("https://a.example/t"), HERE, False, True),
        (bearer("https://127.0.0.1:7/t"), HERE, False, False),
        (bearer("http://127.0.0.1:7/t"), HERE, False, False),
        (bearer("http://registry.example.com/t"), PLAIN, False, False),
        (f"{bearer('http://[x/')}, {BASIC}", SECURE, False, False),
    ],
)
def test_a_program_gets_no_login_that_it_could_show_to_others(
    header: str,
    endpoint: Endpoint,
    crane: bool,  # noqa: FBT001 - the expectation
    skopeo: bool,  # noqa: FBT001 - the same
) -> None:
    headers = {"WWW-Authenticate": header}
    challenge = chosen(offered(headers), endpoint)
    assert challenge
    for program, expected in (("crane", crane), ("skopeo", skopeo)):
        why = exposure(program, challenge, headers, endpoint)
        assert bool(why) == expected, program
        assert not why or (program in why and "a.example" in why)


@pytest.mark.parametrize(
    ("place", "crane", "skopeo"),
    [
        ("", False, False),
        ("https://store.example", False, True),
        ("http://store.example", False, True),
        ("http://registry.example.com", True, True),
        ("http://registry.example.com:8080", True, True),
        ("https://registry.example.com:8443", False, True),
        ("http://registry.example.com.evil.example", False, True),
    ],
)
def test_a_program_gets_no_password_where_uploads_lead_it_astray(
    place: str,
    crane: bool,  # noqa: FBT001 - the expectation
    skopeo: bool,  # noqa: FBT001 - the same
) -> None:
    for program, expected in (("crane", crane), ("skopeo", skopeo)):
        why = upload_exposure(program, place, SECURE)
        assert bool(why) == expected, program
        assert not expected or (program in why and place in why)
