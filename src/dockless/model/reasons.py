"""Why a connection failed, as readable text, independent of the library.

Libraries put into their errors what only programmers can use: numbers of errors, names of classes,
addresses in memory, places in a C source, and bytes as Python writes them. What an error means is
in the errors that it was made from, so those are looked at first, and its text last.
"""

import http.client
import os
import re
import socket
import ssl
from collections.abc import Iterator

_MOST_CAUSES = 20
_BROKEN = "the connection broke"
_LATE = "it does not respond in time"

# in the order in which they are taken away
_FRAGMENTS = tuple(
    re.compile(pattern)
    for pattern in (
        r"<[^<>]* at 0x[0-9a-fA-F]+>(?:, |: ?)?",
        r"\b(?:[a-z_0-9]+\.)*[A-Z]\w*(?:Connection|Pool|Manager|Socket)\w*\([^()]*\)(?:: ?)?",
        r"\(?\b_?ssl\.c:\d+\)?:? ?",
        r"\[(?:Errno|WinError) -?\d+\] ?",
        r"\[(?:SSL|X509|PEM|ASN1|CONF)[^\]]*\] ?",
        r"\b(?:[a-z_0-9]+\.)*[A-Z]\w*(?:Error|Exception|Warning|Timeout|Disconnected)\b(?:: ?)?",
        r"\(Caused by\b ?",
        r"\bMax retries exceeded with url: \S+ ?",
        r"[\\]x[0-9a-fA-F]{2}",
    )
)
_LEFT = re.compile(
    r"\[Errno|0x[0-9a-f]{4}|\b_?ssl\.c\b|\bb['\"]|\w+\.\w+ object|Traceback|\(\)|[<>{}]"
)
_EDGES = " \t\r\n.,:;()'\""
# the first that fits
_MEANINGS: tuple[tuple[type[BaseException], str], ...] = (
    (http.client.RemoteDisconnected, "it closes the connection without a response"),
    (http.client.IncompleteRead, "its response was truncated"),
    (http.client.HTTPException, "its response is not HTTP"),
    (TimeoutError, _LATE),
    (EOFError, "it closes the connection"),
)
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KINDS = {
    "KeyringLocked": "it is locked",
    "LockedException": "it is locked",
    "InitError": "it could not be opened",
    "NoKeyringError": "no usable one exists",
    "PasswordSetError": "it does not store the entry",
    "PasswordDeleteError": "it does not delete the entry",
    "PromptDismissedException": "its dialog was closed without an answer",
    "ItemNotFoundException": "it lost the entry",
    "SecretServiceNotAvailableException": "no Secret Service responds on the session bus",
    "DBusErrorResponse": "the session bus responds with an error",
    "AuthenticationError": "the session bus rejects this user",
    # of the codec for host names, at a label of more than 63 characters
    "UnicodeError": "no host can have such a name",
    "UnicodeDecodeError": "it contains something that is not text",
    "UnicodeEncodeError": "it does not accept this text",
    "ModuleNotFoundError": "a part of it is not installed",
    "ImportError": "a part of it is not installed",
    "MemoryError": "there is not enough memory",
}


def reason(error: BaseException) -> str:
    """Return why a connection, or what was said on it, failed: a clause without a full stop.

    Args:
        error: What came out of a library, or out of Python itself.
    """
    causes = tuple(_causes(error))
    for each in causes:
        if said := _known(each):
            return said
    for each in reversed(causes):
        if said := clean(str(each)):
            return said
    return _BROKEN


def kind(error: BaseException) -> str:
    """Return what kind of failure an error is, without its text, in which secrets may be.

    Returns:
        A clause without a full stop; for what is not known, the name of its class in words.
    """
    for each in _causes(error):
        if said := _KINDS.get(type(each).__name__):
            return said
        # its own text may come from anywhere, that of its number is the system's
        if isinstance(each, OSError) and each.errno and not isinstance(each, ssl.SSLError):
            return _lower(os.strerror(each.errno))
        if isinstance(each, TimeoutError):
            return _LATE
        if isinstance(each, EOFError | ConnectionError):
            return _BROKEN
    return _WORD.sub(" ", type(error).__name__.strip("_")).replace("_", " ").lower()


def clean(text: str) -> str:
    """Return a library's text without what is for programmers; empty where little else is left."""
    for fragment in _FRAGMENTS:
        text = fragment.sub("", text)
    text = " ".join(text.split()).strip(_EDGES)
    words = re.search(r"[^\W\d_]{2}", text)
    return text if words and not _LEFT.search(text) else ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those that it was made from, the outer ones first, each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_CAUSES:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        named = (getattr(each, name, None) for name in ("original_error", "reason"))
        inner = (*named, *each.args, each.__cause__, each.__context__)
        waiting += [one for one in inner if isinstance(one, BaseException)]


def _known(error: BaseException) -> str:
    """Return what an error of Python's own means; empty for any other."""
    if isinstance(error, ssl.SSLError):
        return _tls(error)
    for kinds, said in _MEANINGS:
        if isinstance(error, kinds):
            return said
    return _system(error) if isinstance(error, OSError) else ""


def _tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        said = clean(error.verify_message or "")
        return f"its certificate is not trusted{f': {said}' if said else ''}"
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return "it closes the connection during the TLS handshake"
    named = (getattr(error, "reason", None) or "").replace("_", " ").lower()
    if named in ("wrong version number", "record layer failure", "http request"):
        return "it does not use TLS"
    return named or clean(str(error)).lower() or "TLS fails"


def _system(error: OSError) -> str:
    """Return the system's message for an OSError; empty where it has none."""
    if isinstance(error, socket.gaierror):
        temporary = error.errno == socket.EAI_AGAIN
        return "no name server responds" if temporary else "its name cannot be resolved"
    said = clean(error.strerror or "")
    if said or not error.errno:
        return said or clean(str(error))
    return os.strerror(error.errno)


def _lower(text: str) -> str:
    return f"{text[:1].lower()}{text[1:]}"
