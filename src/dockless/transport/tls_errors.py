"""TLS errors as our errors, from OpenSSL's messages."""

import re
import ssl
import time
from typing import TYPE_CHECKING

from dockless.errors import NetworkError
from dockless.model.endpoint import TlsRemedies
from dockless.model.printable import bounded

if TYPE_CHECKING:
    from collections.abc import Callable

    from dockless.transport.peer import Certificate

# where in CPython's source an error was made, which the ssl module puts into its text
_PLACE = re.compile(r"_ssl\.c:\d+: | ?\(_ssl\.c:\d+\)")
# the codes of OpenSSL's X509_verify_cert(3)
_NOT_YET, _EXPIRED = 9, 10
_OTHER_NAME = frozenset({62, 64})
_PURPOSE = 26
_WEAK = frozenset({66, 67, 68})
_NO_AUTHORITY = frozenset({0, 2, 18, 19, 20, 21, 27})  # 0 where the code is not known
_MOST_NAMES = 5
_LONGEST_SAID = 200
_USUAL = TlsRemedies()


def plain(text: str) -> str:
    """Return the text of an error of the ssl module without its place in CPython's source."""
    return _PLACE.sub("", text)


_BROKEN = re.compile(
    r"alert (?:unexpected message|bad record mac|record overflow|decode error|decrypt error"
    r"|decompression failure|internal error|illegal parameter|user canceled)",
    re.IGNORECASE,
)
"""Alerts of RFC 8446, section 6.2, that say nothing of versions, ciphers or certificates."""


def _unseen() -> None:
    """Read no certificate."""


def tls_error(
    host: str,
    error: Exception,
    reason: str,
    look: "Callable[[], Certificate | None]" = _unseen,
    remedies: TlsRemedies = _USUAL,
) -> NetworkError:
    """Return the error for a TLS connection that failed.

    Args:
        host: What was connected to.
        error: urllib3's error, with that of the ssl module among its arguments.
        reason: What it says, as a clause.
        look: Reads the certificate that is not trusted, to say what is wrong with it.
        remedies: What to do, by the options that apply to it.
    """
    text = plain(str(error))
    if "WRONG_VERSION_NUMBER" in text or "record layer" in text:
        return NetworkError(
            f"{host} does not use TLS.",
            remedies.no_tls,
            passing=False,
        )
    causes = (error, *error.args)
    found = next((each for each in causes if isinstance(each, ssl.SSLCertVerificationError)), None)
    if found or "certificate verify failed" in text.lower():
        said = found.verify_message if found else text.rpartition("failed: ")[2]
        code = found.verify_code if found else 0
        seen = look() if code in {_EXPIRED, *_OTHER_NAME} else None
        return _certificate_error(host, code, said.rstrip("."), seen, remedies.untrusted)
    if _BROKEN.search(text):  # what arrived was not what was sent, or the peer failed
        return NetworkError(f"TLS with {host} broke off: {text.rpartition('] ')[2].strip(')')}.")
    if "alert" in text.lower():
        return NetworkError(
            f"{host} rejects this TLS connection: {text.rpartition('] ')[2].strip(')')}.",
            "It may require a client certificate: give a folder that has one with --cert-dir.",
            passing=False,
        )
    return NetworkError(f"TLS with {host} failed: {reason}.")


def _certificate_error(
    host: str, code: int, said: str, seen: "Certificate | None", remedy: str
) -> NetworkError:
    what = f"The certificate of {host} is not trusted: {said}."
    if code in _OTHER_NAME:
        what, remedy = _other_name(host, said, seen)
    elif code == _EXPIRED:
        what, remedy = _expired(host, seen)
    elif code == _NOT_YET:
        what = f"The certificate of {host} is not valid yet."
        remedy = "Correct this machine's clock, or wait until the certificate is valid."
    elif code == _PURPOSE:
        what = (
            f"The certificate of {host}, or one that it was signed with, is not for servers: "
            f"{said}."
        )
        remedy = "Have one issued for servers (serverAuth, where it has an extendedKeyUsage)."
    elif code in _WEAK:
        what = (
            f"The certificate of {host}, or one that it was signed with, is too weak for this "
            f"machine: {said}."
        )
        remedy = "Have one issued with a larger key, such as RSA with 3072 bits, and SHA-256."
    elif code not in _NO_AUTHORITY:
        remedy = "The registry's operator has to replace it, or the one that it was signed with."
    return NetworkError(what, remedy, passing=False)


def _other_name(host: str, said: str, seen: "Certificate | None") -> tuple[str, str]:
    remedy = "Use a name that the certificate covers, or have one issued for this name."
    if seen is None:
        return f"The certificate of {host} is for other names: {said}.", remedy
    if not seen.names:
        common = bounded(seen.subject, _LONGEST_SAID)
        what = (
            f"The certificate of {host} has no subjectAltName, and its common name {common!r} is "
            "not used to identify hosts."
        )
        return what, "Have one issued that has the registry's name in its subjectAltName."
    names = bounded(", ".join(seen.names[:_MOST_NAMES]), _LONGEST_SAID)
    rest = len(seen.names) - _MOST_NAMES
    more = f" and {rest} more" if rest > 0 else ""
    return f"The certificate of {host} is for other names: {names}{more}.", remedy


def _expired(host: str, seen: "Certificate | None") -> tuple[str, str]:
    if seen and seen.ends > time.time():
        what = (
            f"The certificate of {host} is valid, but one that it was signed with has expired: an "
            "intermediate or root certificate of its chain."
        )
        remedy = (
            "The registry's operator has to send the current chain; a root certificate of this "
            "machine is renewed with its package ca-certificates, or named with --ca-file."
        )
        return what, remedy
    remedy = (
        "The registry's operator has to renew it; "
        "if it is still valid, correct this machine's clock."
    )
    return f"The certificate of {host} has expired.", remedy
