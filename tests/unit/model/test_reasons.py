"""What libraries' errors say, without what is for programmers."""

import errno
import http.client
import re
import socket
import ssl

import paramiko
import pytest
import urllib3
from urllib3 import exceptions

from dockless.model.reasons import clean, kind, reason

FRAGMENTS = re.compile(
    r"Errno|0x[0-9a-f]|ssl\.c|\bb['\"]|object at|Pool\(|Connection\(|Error\b|Exception\b|[<>{}\[\]]"
)
"""What must not be in a sentence for people."""

POOL = urllib3.HTTPSConnectionPool("registry.example.com")
CONNECTION = urllib3.connection.HTTPSConnection("registry.example.com")
REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
EXPIRED = ssl.SSLCertVerificationError(
    1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: expired (_ssl.c:1006)"
)
EXPIRED.verify_message = "certificate has expired"


def caused(error: Exception, cause: BaseException) -> Exception:
    """Return an error as it is raised from another one."""
    error.__cause__ = cause
    return error


ERRORS = (
    (REFUSED, "Connection refused"),
    (OSError(errno.EHOSTUNREACH, ""), "No route to host"),
    (ConnectionResetError("[Errno 104] Connection reset by peer"), "Connection reset by peer"),
    (caused(exceptions.NewConnectionError(CONNECTION, "x"), REFUSED), "Connection refused"),
    (
        exceptions.NewConnectionError(
            CONNECTION, "Failed to establish a new connection: [Errno 111] Connection refused"
        ),
        "Failed to establish a new connection: Connection refused",
    ),
    (
        exceptions.MaxRetryError(POOL, "/v2/", caused(exceptions.ProtocolError("x"), REFUSED)),
        "Connection refused",
    ),
    (
        exceptions.ProtocolError("Connection aborted.", http.client.RemoteDisconnected("Remote…")),
        "it closes the connection without a response",
    ),
    (
        exceptions.ProtocolError("Connection aborted.", http.client.BadStatusLine("\x16\x03")),
        "its response is not HTTP",
    ),
    (
        exceptions.ProtocolError("Connection broken", exceptions.IncompleteRead(3, 5)),
        "its response was truncated",
    ),
    (http.client.LineTooLong("header line"), "its response is not HTTP"),
    (exceptions.ProxyError("Cannot connect to proxy.", REFUSED), "Connection refused"),
    (
        exceptions.ProxyError("x", OSError("Tunnel connection failed: 407 Who is there")),
        "Tunnel connection failed: 407 Who is there",
    ),
    (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "cannot be resolved"),
    (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "no name server responds"),
    (exceptions.SSLError(EXPIRED), "its certificate is not trusted: certificate has expired"),
    (ssl.SSLEOFError(8, "EOF occurred in violation of protocol (_ssl.c:1006)"), "handshake"),
    (
        ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"),
        "wrong version number",
    ),
    (ssl.SSLError("[X509: NO_CERTIFICATE] no certificate found (_ssl.c:4149)"), "no certificate"),
    (TimeoutError("_ssl.c:992: The handshake operation timed out"), "does not respond in time"),
    (
        paramiko.SSHException("Error reading SSH protocol banner[Errno 104] Connection reset"),
        "Error reading SSH protocol banner",
    ),
    (EOFError(), "it closes the connection"),
    (ValueError("<urllib3.connection.HTTPConnection object at 0x7f00dead>"), "broke"),
    (exceptions.InvalidHeader("b'\\x00\\xff'"), "broke"),
    (Exception(), "broke"),
)


@pytest.mark.parametrize(("error", "said"), ERRORS, ids=lambda each: type(each).__name__)
def test_an_error_is_said_in_words_for_people(error: Exception, said: str) -> None:
    assert said in reason(error)
    assert not FRAGMENTS.search(reason(error).replace("Error reading", ""))
    assert not reason(error).endswith(".")


def test_causes_that_lead_in_a_circle_have_an_end() -> None:
    one, other = Exception("<x at 0x7f001234>"), Exception("b'y'")
    one.__cause__, other.__cause__ = other, one
    assert reason(one) == "the connection broke"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("HTTPSConnectionPool(host='x', port=443): Read timed out.", "Read timed out"),
        ("('Connection aborted.', 'x')", "Connection aborted.', 'x"),
        ("[Errno -2] Name or service not known", "Name or service not known"),
        ("ssl.c:1006: it broke", "it broke"),
        ("urllib3.exceptions.ReadTimeoutError: it broke", "it broke"),
        ("got length b'zz'", ""),
        ("0x7f3a5c001234", ""),
        ("\n \t", ""),
        ("12345", ""),
    ],
)
def test_a_text_is_cleaned_or_dropped(text: str, said: str) -> None:
    assert clean(text) == said


class KeyringLocked(Exception):  # noqa: N818 - the keyring library's own
    """Stands in for the library's."""


class PasswordSetError(Exception):
    """Stands in for the library's."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyringLocked("s3cret"), "it is locked"),
        (caused(RuntimeError("s3cret"), PasswordSetError("s3cret")), "it does not store the entry"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "s3cret"), "connection refused"),
        (FileNotFoundError(errno.ENOENT, "s3cret", "s3cret"), "no such file or directory"),
        (ConnectionResetError("s3cret"), "the connection broke"),
        (TimeoutError("s3cret"), "it does not respond in time"),
        (ZeroDivisionError("s3cret"), "zero division error"),
    ],
)
def test_a_kind_is_said_without_the_text(error: Exception, said: str) -> None:
    assert kind(error) == said
