import gzip
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import urllib3
from urllib3 import exceptions

from dockless import __version__
from dockless.errors import NetworkError, ServerError, StrayError
from dockless.model.endpoint import Endpoint
from dockless.oci.manifest import LONGEST_MANIFEST
from dockless.transport import http as module
from dockless.transport import peer
from dockless.transport.http import HttpClient
from dockless.transport.proxy import Proxy

HOST = "registry.example.com"
URL = f"https://{HOST}/v2/"
LED: list[str] = []
POOL = urllib3.HTTPSConnectionPool(HOST)


@dataclass
class Pool:
    """A connection pool that gives one answer, or fails; it keeps what it was asked."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: Exception | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    released: int = 0
    reason: str = "Reason"
    length_remaining: int | None = None

    def request(self, method: str, url: str, **how: Any) -> "Pool":  # noqa: ANN401 - as urllib3's
        self.asked.append({"method": method, "url": url, **how})
        if self.error:
            raise self.error
        return self

    def read(self, size: int) -> bytes:
        return self.body[:size]

    def release_conn(self) -> None:
        self.released += 1

    def close(self) -> None:
        """Nothing is open."""


def connected(pool: Pool, until: float | None = None) -> HttpClient:
    http = HttpClient(Endpoint(host=HOST), {}, until)
    http._pools = {f"https://{HOST}": pool}  # type: ignore[dict-item] # as far as it is used
    return http


def failed(error: Exception) -> NetworkError:
    with pytest.raises(NetworkError) as caught:
        connected(Pool(error=error)).ask("GET", URL)
    return caught.value


def test_an_answer_has_status_headers_and_body() -> None:
    pool = Pool(404, {"X": "1"}, b"body")
    answer = connected(pool).ask("GET", URL, {"Accept": "x"}, b"sent")
    assert (answer.status, answer.headers["X"], answer.body) == (404, "1", b"body")
    assert pool.asked[0]["headers"] == {"Accept": "x", "User-Agent": f"dockless/{__version__}"}
    assert pool.asked[0]["body"] == b"sent"
    assert pool.released == 1


@pytest.mark.parametrize("left", [1, 50, 10**9])
def test_an_answer_that_was_cut_is_none(left: int) -> None:
    pool = Pool(body=b"half", length_remaining=left)
    with pytest.raises(NetworkError, match="its response was truncated") as caught:
        connected(pool).ask("GET", URL)
    assert caught.value.passing
    assert pool.released == 0
    assert connected(Pool(404, body=b"half", length_remaining=left)).ask("GET", URL).status == 404


def test_an_answer_that_never_ends_is_cut_and_its_connection_not_used_again() -> None:
    pool = Pool(body=bytes(LONGEST_MANIFEST + 2))
    assert len(connected(pool).ask("GET", URL).body) == LONGEST_MANIFEST + 1
    assert pool.released == 0


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "GZIP"])
def test_a_document_that_was_compressed_unasked_is_inflated_as_far_as_one_goes(
    encoding: str,
) -> None:
    headers = {"Content-Encoding": encoding}
    assert connected(Pool(200, headers, gzip.compress(b"body"))).ask("GET", URL).body == b"body"
    assert connected(Pool(200, headers, b"body")).ask("GET", URL).body == b"body"
    bomb = Pool(200, headers, gzip.compress(bytes(50_000_000)))
    assert len(connected(bomb).ask("GET", URL).body) == LONGEST_MANIFEST + 1
    assert not bomb.asked[0]["decode_content"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_registry_in_trouble_may_recover(status: int) -> None:
    with pytest.raises(
        NetworkError, match=f"responds with {status} Reason to GET of /v2/."
    ) as caught:
        connected(Pool(status, {"Retry-After": "7"})).ask("GET", f"{URL}?secret")
    assert isinstance(caught.value, ServerError) == (status == 500)
    assert (caught.value.passing, caught.value.retry_after) == (True, 7.0)


def test_no_answer_is_waited_for_past_the_deadline() -> None:
    pool = Pool()
    with pytest.raises(NetworkError, match="--timeout") as caught:
        connected(pool, time.monotonic() - 1).ask("GET", URL)
    assert not caught.value.passing
    assert pool.asked == []
    connected(pool, time.monotonic() + 3).ask("GET", URL)
    assert 0 < pool.asked[0]["timeout"].read_timeout <= 3


@pytest.mark.parametrize(
    ("error", "said", "passing"),
    [
        (exceptions.ConnectTimeoutError(POOL, URL), "does not respond in time", True),
        (
            exceptions.ReadTimeoutError(POOL, URL, "Read timed out."),
            "accepts connections but does not respond in time",
            True,
        ),
        (exceptions.ProtocolError("Connection aborted."), "cannot be reached", True),
        (exceptions.ProtocolError("x", OSError(104, "reset")), "cannot be reached: reset.", True),
        (exceptions.MaxRetryError(POOL, URL, exceptions.ProtocolError("x")), "reached", True),
        (
            exceptions.NameResolutionError(HOST, POOL, OSError("Name or service not known")),  # type: ignore[arg-type] # socket.gaierror has this shape
            "its name cannot be resolved",
            False,
        ),
        (exceptions.LocationParseError("x"), "not a reachable host", False),
        (exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong"), "does not use TLS", False),
        (exceptions.SSLError("certificate verify failed: self-signed"), "not trusted", False),
        (
            exceptions.MaxRetryError(POOL, URL, exceptions.SSLError("tlsv13 alert certificate")),
            "rejects this TLS connection",
            False,
        ),
        (exceptions.SSLError("sslv3 alert handshake failure"), "rejects this TLS", False),
        (exceptions.SSLError("sslv3 alert unexpected message"), "broke off", True),
        (exceptions.SSLError("tlsv1 alert internal error (_ssl.c:1)"), "broke off", True),
        (exceptions.SSLError("sslv3 alert bad record mac"), "broke off: sslv3 alert bad", True),
    ],
)
def test_a_connection_that_fails_is_explained(error: Exception, said: str, passing: bool) -> None:  # noqa: FBT001 - it is the expectation
    found = failed(error)
    assert said in found.what
    assert HOST in found.what
    assert found.passing == passing


@pytest.mark.parametrize(
    ("code", "message", "said", "remedy"),
    [
        (
            62,
            "Hostname mismatch, certificate is not valid for 'x'.",
            "is for other names: ",
            "name",
        ),
        (64, "IP address mismatch.", "is for other names: IP address mismatch.", "issued for"),
        (10, "certificate has expired", f"of {HOST} has expired.", "renew"),
        (9, "certificate is not yet valid", "is not valid yet.", "clock"),
        (20, "unable to get local issuer certificate", "is not trusted: unable", "--ca-file"),
        (18, "self-signed certificate", "is not trusted: self-signed", "--ca-file"),
        (26, "unsuitable certificate purpose", "is not for servers: unsuitable", "serverAuth"),
        (66, "EE certificate key too weak", "is too weak for this machine: EE", "larger key"),
        (67, "CA certificate key too weak", "is too weak for this machine: CA", "larger key"),
        (68, "CA signature digest algorithm too weak", "too weak for this machine", "SHA-256"),
        (24, "invalid CA certificate", "is not trusted: invalid CA", "operator has to replace"),
        (47, "permitted subtree violation", "is not trusted: permitted", "operator has to replace"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_called_by_its_name(
    monkeypatch: pytest.MonkeyPatch, code: int, message: str, said: str, remedy: str
) -> None:
    monkeypatch.setattr(peer, "unverified", lambda *_: None)  # there is no server to read it of
    cause = ssl.SSLCertVerificationError(
        1, f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {message} (_ssl.c:992)"
    )
    cause.verify_code, cause.verify_message = code, message
    for error in (
        exceptions.SSLError(cause),
        exceptions.MaxRetryError(POOL, URL, exceptions.SSLError(cause)),
    ):
        found = failed(error)
        assert said in found.what
        assert remedy in found.remedy
        assert "_ssl.c" not in found.what
        assert ".." not in found.what
        assert not found.passing


@pytest.mark.parametrize(
    "text",
    [
        "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required (_ssl.c:992)",
        "certificate verify failed: self-signed certificate (_ssl.c:992)",
        "[SSL: UNEXPECTED_EOF] EOF occurred in violation of protocol (_ssl.c:992)",
        "_ssl.c:992: The handshake operation timed out",
    ],
)
def test_no_error_names_a_place_in_pythons_source(text: str) -> None:
    assert "_ssl.c" not in failed(exceptions.SSLError(text)).what


def test_a_proxy_that_does_not_answer_is_named_and_not_the_registry() -> None:
    refused = exceptions.NewConnectionError(
        urllib3.connection.HTTPConnection(HOST), "[Errno 111] Connection refused"
    )
    error = exceptions.ProxyError("Unable to connect to proxy", refused)
    http = HttpClient(Endpoint(host=HOST), {"HTTPS_PROXY": "http://me:secret@127.0.0.1:9"})
    http._pools = {f"https://{HOST}": Pool(error=exceptions.MaxRetryError(POOL, URL, error))}  # type: ignore[dict-item] # as above
    with pytest.raises(NetworkError) as caught:
        http.ask("GET", URL)
    assert caught.value.what.startswith(f"The proxy http://127.0.0.1:9 does not reach {HOST}: ")
    assert "HTTPS_PROXY" in caught.value.remedy
    assert "secret" not in str(caught.value)


def test_an_answer_from_elsewhere_is_named_with_the_registry() -> None:
    http = connected(Pool())
    http._pools["https://storage.example.com"] = Pool(error=exceptions.ProtocolError("x"))  # type: ignore[assignment] # as above
    with pytest.raises(NetworkError, match=rf"{HOST} \(storage\.example\.com\)"):
        http.ask("GET", "https://storage.example.com/x")


def test_a_redirect_goes_through_the_proxy_of_its_own_url(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def manager(via: Proxy | None) -> Callable[..., Pool]:
        def made(**_: object) -> Pool:
            pool = Pool(307, {"Location": LED.pop(0)}) if LED else Pool()
            asked.append((via.url if via else "", pool.headers.get("Location", "")))
            return pool

        return made

    led = ["https://inside.example.com/a", "http://outside.example.com/b", "http://127.0.0.1:5/c"]
    monkeypatch.setattr(module, "manager_for", manager)
    monkeypatch.setattr(f"{__name__}.LED", list(led))
    environment = {"HTTPS_PROXY": "http://one:1", "HTTP_PROXY": "http://two:2",
                   "NO_PROXY": "inside.example.com"}  # fmt: skip
    answer = HttpClient(Endpoint(host=HOST), environment).ask("GET", URL)
    assert [via for via, _ in asked] == ["http://one:1", "", "http://two:2", ""]
    assert answer.via == tuple(led)


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (503, None, rf"{HOST} \(storage\.example\.com\) responds with 503"),
        (200, exceptions.ProtocolError("x"), rf"{HOST} \(storage\.example\.com\) cannot be"),
        (200, exceptions.ConnectTimeoutError(POOL, URL), r"storage\.example\.com"),
    ],
)
def test_what_fails_after_a_redirect_is_named(status: int, error: Exception, said: str) -> None:
    http = connected(Pool(302, {"Location": "https://storage.example.com/x"}))
    http._pools["https://storage.example.com"] = Pool(status, error=error)  # type: ignore[assignment] # as above
    with pytest.raises(NetworkError, match=said):
        http.ask("GET", URL)


@pytest.mark.parametrize("location", ["7?a=b", "../d/7?a=b", "/c/d/7?a=b"])
def test_a_location_is_relative_to_the_url_that_responded(location: str) -> None:
    http = connected(Pool(307, {"Location": "https://storage.example.com/c/d/6"}))
    storage = Pool(202, {"Location": location})
    http._pools["https://storage.example.com"] = storage  # type: ignore[assignment] # as above
    assert http.ask("POST", URL).location == "https://storage.example.com/c/d/7?a=b"
    assert not connected(Pool(202)).ask("POST", URL).location


def test_a_server_that_sends_on_for_ever_is_left() -> None:
    pool = Pool(302, {"Location": URL})
    with pytest.raises(NetworkError, match="more than 5 times") as caught:
        connected(pool).ask("GET", URL)
    assert len(pool.asked) == 6
    assert not caught.value.passing


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "https://0xa9fea9fe/", "http://[fe80::1]/"]
)
def test_no_link_local_address_is_asked(url: str) -> None:
    pool = Pool(302, {"Location": url})
    with pytest.raises(StrayError):
        connected(pool).ask("GET", URL)
    with pytest.raises(StrayError):
        connected(pool).ask("PATCH", url)
    assert len(pool.asked) == 1
