"""WWW-Authenticate headers, by RFC 9110 and as servers write them."""

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from dockless.errors import PushError
from dockless.model.endpoint import Endpoint
from dockless.registry.challenges import (
    LONGEST_HEADER,
    Challenge,
    chosen,
    demanded,
    is_web_address,
    offered,
    parse_challenges,
)

REALM = "https://auth.example.com/token"
BEARER = Challenge("bearer", {"realm": REALM, "service": "s"})
BASIC = Challenge("basic", {"realm": "r"})
NEGOTIATE = Challenge("negotiate", {})
NTLM = Challenge("ntlm", {})


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="r"', [BASIC]),
        (f'Bearer realm="{REALM}",service="s"', [BEARER]),
        (f'Bearer realm="{REALM}",service="s",Basic realm="r"', [BEARER, BASIC]),
        (f'Basic realm="r", Bearer realm="{REALM}", service="s"', [BASIC, BEARER]),
        (f'BEARER REALM="{REALM}" , Service = s\t,  bAsIc rEaLm=r', [BEARER, BASIC]),
        ('Negotiate, NTLM, Basic realm="r"', [NEGOTIATE, NTLM, BASIC]),
        ('Negotiate YIIBhg+/e.-_~==, NTLM TlRM, Basic realm="r"', [NEGOTIATE, NTLM, BASIC]),
        ('Basic realm="r",Negotiate', [BASIC, NEGOTIATE]),
        (
            r'Basic realm="a, Bearer realm=\"x\" \\ \q",charset="UTF-8"',
            [Challenge("basic", {"realm": r'a, Bearer realm="x" \ q', "charset": "UTF-8"})],
        ),
        (
            'Bearer realm="x",scope="repository:a:pull,push repository:b:pull"',
            [
                Challenge(
                    "bearer", {"realm": "x", "scope": "repository:a:pull,push repository:b:pull"}
                )
            ],
        ),
        (
            'Digest realm="r", qop="auth,auth-int", nonce=abc==, Basic realm="r"',
            [Challenge("digest", {"realm": "r", "qop": "auth,auth-int", "nonce": "abc=="}), BASIC],
        ),
        (', ,Basic realm="r",, ,', [BASIC]),
        # no longer what the RFC allows
        (
            f"Bearer realm={REALM}?a=b,service=s",
            [Challenge("bearer", {"realm": f"{REALM}?a=b", "service": "s"})],
        ),
        (f'Bearer realm="{REALM}" service="s" Basic realm="r"', [BEARER, BASIC]),
        (
            'Bearer realm="x",service=,a=1',
            [Challenge("bearer", {"realm": "x", "service": "", "a": "1"})],
        ),
        ('Basic realm="open, Bearer', [Challenge("basic", {"realm": ""})]),
        ('"lost, quote", Basic realm="r"', [BASIC]),
        ('realm="of nothing", Basic realm="r"', [BASIC]),
        ("Basic", [Challenge("basic", {})]),
        ("", []),
        ("=, ;/:", []),
        ('"', []),
    ],
)
def test_every_challenge_of_a_header_is_read(header: str, expected: list[Challenge]) -> None:
    assert list(parse_challenges(header)) == expected


@given(st.text(st.sampled_from('aB=", \\\t\r\n\0é/:'), max_size=80))
def test_no_header_breaks_the_reader(header: str) -> None:
    for challenge in parse_challenges(header):
        assert challenge.scheme == challenge.scheme.lower()
        assert is_web_address(challenge.parameters.get("realm", "")) in {True, False}


def test_a_header_without_end_is_read_as_far_as_its_bound() -> None:
    many = parse_challenges("a ," * LONGEST_HEADER)
    assert len(many) == -(-LONGEST_HEADER // 3)


def test_several_headers_are_read_each_by_itself() -> None:
    headers = urllib3.HTTPHeaderDict()
    headers.add("WWW-Authenticate", 'Negotiate realm="open')
    headers.add("www-authenticate", f'Bearer realm="{REALM}",service="s"')
    headers.add("WWW-Authenticate", 'Basic realm="r"')
    assert offered(headers)[1:] == (BEARER, BASIC)


SECURE = Endpoint(host="registry.example.com")
PLAIN = Endpoint(host="registry.example.com", plain_http=True)
UNUSABLE = ("", "/token", "auth.example.com", "ftp://a/", "file:///etc/passwd", "http://[x/",
            "https://a:port/", "https://a:0/", "https://a:99999/", "https://", "https:///x",
            "https://a b/", "https://é/", "https://a/\x07")  # fmt: skip


@pytest.mark.parametrize("realm", UNUSABLE)
def test_basic_is_answered_where_no_token_service_can_be_asked(realm: str) -> None:
    bearer = Challenge("bearer", {"realm": realm})
    assert not is_web_address(realm)
    assert chosen((bearer, BASIC), PLAIN) == BASIC
    assert chosen((bearer,), PLAIN) == bearer  # whose error says why


@pytest.mark.parametrize(
    ("challenges", "expected"),
    [
        ((BEARER, BASIC), BEARER),
        ((BASIC, BEARER), BEARER),
        ((NEGOTIATE, BASIC), BASIC),
        ((NTLM, BEARER), BEARER),
        ((NEGOTIATE, NTLM), None),
        ((), None),
    ],
)
def test_a_token_comes_before_the_password(
    challenges: tuple[Challenge, ...], expected: Challenge | None
) -> None:
    assert chosen(challenges, SECURE) == expected


def test_the_first_bearer_that_can_be_asked_is_taken() -> None:
    assert chosen((Challenge("bearer", {}), BASIC, BEARER), SECURE) == BEARER


def test_a_token_service_without_tls_is_for_registries_without_it() -> None:
    plain = Challenge("bearer", {"realm": "HTTP://Registry.Example.com:8080/"})
    assert chosen((plain, BASIC), PLAIN) == plain
    assert chosen((plain, BASIC), SECURE) == BASIC


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        ({}, "with 401 and no readable"),
        ({"WWW-Authenticate": ""}, "with 401 and no readable"),
        ({"WWW-Authenticate": "NTLM, Negotiate abc, NTLM"}, "does not support: Ntlm, Negotiate."),
    ],
)
def test_what_cannot_be_answered_is_one_clear_error(headers: dict[str, str], said: str) -> None:
    with pytest.raises(PushError, match=said) as caught:
        demanded(headers, Endpoint(host="registry.example.com"))
    assert "Basic or Bearer" in caught.value.remedy


def test_the_error_names_a_few_kinds_and_none_at_length() -> None:
    header = ", ".join(f"{'x' * 500}{number}" for number in range(50))
    with pytest.raises(PushError) as caught:
        demanded({"WWW-Authenticate": header}, Endpoint(host="registry.example.com"))
    assert len(str(caught.value)) < 400
