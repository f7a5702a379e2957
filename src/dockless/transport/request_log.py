"""The log of requests, for `--debug`: each request and its response, without anything secret.

The lines go to the logger `dockless.requests`, at the level DEBUG. Of the headers only those named
here are shown, of Authorization only the scheme. Of URLs, the state of an upload and the values of
all query parameters but those of the distribution-spec are left out: signatures and tokens stand
there. What is known to be a secret is blotted out of the rest.
"""

import contextlib
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from dockless.model.blotting import BLOT, blotted

_log = logging.getLogger("dockless.requests")
_PARAMETERS = frozenset(
    {"artifactType", "digest", "from", "last", "mount", "n", "scope", "service"}
)
_SENT = ("Accept", "Content-Type", "Content-Length", "Content-Range", "Range")
_RECEIVED = (
    "Content-Type",
    "Content-Length",
    "Docker-Content-Digest",
    "Location",
    "OCI-Chunk-Min-Length",
    "OCI-Filters-Applied",
    "OCI-Subject",
    "Range",
    "Retry-After",
    "Server",
    "Via",
    "WWW-Authenticate",
)
_UPLOAD = re.compile(r"(/blobs/uploads/).+")
_URL = re.compile(r"(?:https?://|/)[^\s\"',;]+")


@contextlib.contextmanager
def logged(
    method: str, url: str, headers: Mapping[str, str]
) -> Iterator[Callable[[int, Mapping[str, str]], None]]:
    """Log a request that is about to be sent, and that it got no response if the block raises.

    Yields what logs the status and the headers of the response.
    """
    begun = time.monotonic()
    asked = f"{method} {shown_url(url)}"
    _debug(f"-> {asked}{_sent(headers)}")
    answered = False

    def log_response(status: int, received: Mapping[str, str]) -> None:
        nonlocal answered
        answered = True
        _debug(f"<- {status} after {time.monotonic() - begun:.3f} s: {asked}{_received(received)}")

    try:
        yield log_response
    except Exception as error:
        what = "cut off" if answered else "no response"
        seconds = time.monotonic() - begun
        _debug(f"<- {what} after {seconds:.3f} s: {asked}: {type(error).__name__}")
        raise


def shown_url(url: str) -> str:
    """Return a URL without a user, the state of an upload, and secrets in its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return BLOT
    host = parts.netloc.rpartition("@")[2]
    start = f"{parts.scheme}://{host}" if host else ""
    shown = "&".join(map(_shown_parameter, parts.query.split("&"))) if parts.query else ""
    path = _UPLOAD.sub(rf"\1{BLOT}", parts.path)
    return f"{start}{path}{'?' if shown else ''}{shown}"


def _shown_parameter(parameter: str) -> str:
    name, is_, _ = parameter.partition("=")
    if not is_:
        return BLOT
    return parameter if name in _PARAMETERS else f"{name}={BLOT}"


def _sent(headers: Mapping[str, str]) -> str:
    shown = [f"{name}: {headers[name]}" for name in _SENT if name in headers]
    if "Authorization" in headers:
        scheme, blank, _ = headers["Authorization"].partition(" ")
        shown.insert(0, f"Authorization: {scheme if blank else ''}{blank}{BLOT}")
    return _in_brackets(shown)


def _received(headers: Mapping[str, str]) -> str:
    values = {name.lower(): value for name, value in headers.items()}
    return _in_brackets(
        [
            f"{name}: {_without_secrets(values[name.lower()])}"
            for name in _RECEIVED
            if name.lower() in values
        ]
    )


def _without_secrets(value: str) -> str:
    return _URL.sub(lambda found: shown_url(found[0]), value)


def _in_brackets(headers: list[str]) -> str:
    return f" ({'; '.join(headers)})" if headers else ""


def _debug(line: str) -> None:
    _log.debug("%s", blotted(line))
