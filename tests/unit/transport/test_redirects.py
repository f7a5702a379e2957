import pytest

from dockless.errors import AuthError, NetworkError
from dockless.transport.http import Request
from dockless.transport.redirects import sent_on

URL = "https://auth.example.com/token"
HEADERS = {"Authorization": "Basic x", "cookie": "y", "Accept": "z"}
REFRESH = Request(
    method="POST", url=URL, headers={"Content-Type": "text/plain"}, body=b"refresh_token=secret"
)


@pytest.mark.parametrize("status", [200, 300, 304, 401, 404])
def test_other_answers_stand(status: int) -> None:
    assert sent_on(REFRESH, status, "https://elsewhere/") is None


def test_a_redirect_to_nowhere_stands() -> None:
    assert sent_on(REFRESH, 307, "") is None


def test_a_body_that_was_sent_cannot_be_sent_again() -> None:
    assert (
        sent_on(Request(method="PATCH", url=URL, headers={}, body=iter([b"x"])), 307, "/other")
        is None
    )


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example.com/token",
        "http://auth.example.com/token",
        "https://auth.example.com:8443/token",
        "//elsewhere.example.com/token",
        "https://elsewhere.example.com\\@auth.example.com/token",
    ],
)
def test_a_body_with_a_secret_does_not_go_elsewhere(status: int, location: str) -> None:
    with pytest.raises(AuthError, match="must not get the credential") as caught:
        sent_on(REFRESH, status, location)
    assert "https://auth.example.com" in caught.value.what
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "location", ["/v2/token", f"{URL}?again=1", "https://AUTH.example.com:443/"]
)
def test_a_body_with_a_secret_goes_on_at_its_own_origin(location: str) -> None:
    following = sent_on(REFRESH, 307, location)
    assert following is not None
    assert (following.method, following.body) == ("POST", REFRESH.body)


def test_after_see_other_nothing_of_the_body_is_left() -> None:
    following = sent_on(REFRESH, 303, "https://elsewhere.example.com/")
    assert following == Request(method="GET", url="https://elsewhere.example.com/", headers={})


@pytest.mark.parametrize(
    ("location", "kept"),
    [
        ("/other", HEADERS),
        ("https://elsewhere.example.com/", {"Accept": "z"}),
        ("http://auth.example.com/token", {"Accept": "z"}),
        ("https://auth.example.com:8443/token", {"Accept": "z"}),
    ],
)
def test_headers_with_secrets_stay_at_their_origin(location: str, kept: dict[str, str]) -> None:
    following = sent_on(Request(method="GET", url=URL, headers=HEADERS), 302, location)
    assert following is not None
    assert following.headers == kept


@pytest.mark.parametrize("location", ["http://[x/", "ftp://a/", "mailto:a@b", "http://a:99999/"])
def test_a_location_that_is_no_web_address_is_an_error(location: str) -> None:
    with pytest.raises(NetworkError, match="not a URL") as caught:
        sent_on(Request(method="GET", url=URL, headers={}), 302, location)
    assert not caught.value.passing
