import email.utils
from types import SimpleNamespace

import pytest
from urllib3 import exceptions

from dockless.errors import NetworkError
from dockless.model.endpoint import Endpoint, TlsRemedies
from dockless.transport import http_errors


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("0", 0),
        ("-3", None),
        ("nan", None),
        ("soon", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
        (email.utils.formatdate(1_000_060, usegmt=True), 60),
        (email.utils.formatdate(0, usegmt=True), None),
        ("inf", None),
        ("999999999999", 86_400),
    ],
)
def test_retry_after_is_seconds_or_a_date(
    monkeypatch: pytest.MonkeyPatch, header: str, expected: float
) -> None:
    monkeypatch.setattr(http_errors, "time", SimpleNamespace(time=lambda: 1_000_000.0))
    assert http_errors.retry_after(header) == expected


@pytest.mark.parametrize("header", ["", "soon"])
def test_a_retry_after_that_says_nothing_is_none(header: str) -> None:
    assert http_errors.retry_after(header) is None


NO_TLS = "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1000)"
UNTRUSTED = (
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer "
    "certificate (_ssl.c:1000)"
)
OWN = TlsRemedies(no_tls="Name it in a list.", untrusted="Put it into certs.d.")


@pytest.mark.parametrize(
    ("said", "remedy", "usual"),
    [
        (NO_TLS, OWN.no_tls, "If plain HTTP is intended, use --insecure."),
        (UNTRUSTED, OWN.untrusted, "Name the authority that signed it with --ca-file FILE or "),
    ],
)
@pytest.mark.parametrize("host", ["registry.example.com", "10.9.9.9:5610", "[::1]:5"])
def test_a_failure_of_tls_advises_what_applies_to_the_registry(
    host: str, said: str, remedy: str, usual: str
) -> None:
    for endpoint, url, expected in (
        (Endpoint(host=host, remedies=OWN), f"https://{host}/v2/", remedy),
        (Endpoint(host=host), f"https://{host}/v2/", usual),
        (Endpoint(host=host, remedies=OWN), "https://tokens.example.com/", usual),
    ):
        with (
            pytest.raises(NetworkError) as caught,
            http_errors.network_errors(endpoint, url, {}),
        ):
            raise exceptions.SSLError(said)
        assert caught.value.remedy.startswith(expected)
        assert not caught.value.passing
