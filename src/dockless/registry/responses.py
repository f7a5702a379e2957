"""What the headers and status of a registry's response say."""

from http import HTTPStatus

from dockless.oci.content import Presence
from dockless.oci.manifest import Descriptor
from dockless.transport.http import Response

_MOST_DIGITS = 19  # those of the largest length that a file has
_WANTS_TLS = (
    b"http request to an https server",
    b"plain http request was sent to https port",
    b"speaking plain http to an ssl-enabled server",
)


def presence(blob: Descriptor, response: Response) -> Presence:
    """Return a blob's state from the response to HEAD; an unknown length counts as right."""
    if response.status != HTTPStatus.OK:
        return Presence()
    length = said_length(response)
    if length is None or length == blob.size:
        return Presence(frozenset({blob.digest}))
    return Presence(damaged={blob.digest: length})


def says_empty(response: Response) -> bool:
    """Whether the response to HEAD gives a length of 0."""
    return (
        response.status == HTTPStatus.OK
        and response.headers.get("Content-Length", "").strip() == "0"
    )


def said_length(response: Response) -> int | None:
    """Return how long what was asked for by HEAD is; None where the answer does not say so.

    Content-Length is missing in some answers, proxies make it 0, and where the answer is compressed
    on the way it counts other bytes.
    """
    said = response.headers.get("Content-Length", "").strip()
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity") or len(said) > _MOST_DIGITS:
        return None
    return int(said) or None if said.isascii() and said.isdigit() else None


def first_in_clear(response: Response) -> str:
    """Return the first URL without TLS that a request was redirected to; empty for none."""
    return next((url for url in response.via if not url.lower().startswith("https:")), "")


def wants_tls(response: Response) -> bool:
    """Whether a server says that its port is for TLS, in the words of Go, nginx or Apache."""
    body = response.body.lower()
    return response.status == HTTPStatus.BAD_REQUEST and any(words in body for words in _WANTS_TLS)


def shown_type(response: Response) -> str:
    """Return the media type of an answer, to be shown."""
    from dockless.model.blotting import blotted  # noqa: PLC0415 - rare
    from dockless.model.printable import bounded  # noqa: PLC0415 - rare

    return bounded(blotted(response.headers.get("Content-Type", "no content type")))


def is_html(response: Response) -> bool:
    """Whether it is a page for people, such as a proxy's or one to log in at."""
    return "text/html" in response.headers.get("Content-Type", "").lower()
