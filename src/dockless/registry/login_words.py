"""What a registry or its token service says of a credential that it does not accept.

A registry has the distribution-spec's form (`errors`), a service of OAuth that of RFC 6749, section
5.2 (`error_description`), Docker Hub `details`, and others `message`.
"""

from typing import Any

from dockless.oci.untrusted_json import parse_json
from dockless.registry.refusal import clean
from dockless.transport.http import Response

_LONGEST_BODY = 64 * 1024
_MOST_COMPLAINTS = 3
_MEMBERS = ("error_description", "details", "detail", "message", "msg", "error")
_NO_NEWS = frozenset(
    {
        "",
        "access denied",
        "authentication required",
        "access forbidden",
        "denied",
        "forbidden",
        "requested access to the resource is denied",
        "unauthorized",
    }
)
"""Messages, in lower case, that say nothing beyond the status."""


def login_words(response: Response) -> str:
    """Return what an answer says beyond its status, as one bounded line without secrets.

    Empty where it says nothing, or answers with a page.
    """
    if "html" in response.headers.get("Content-Type", "").lower():
        return ""
    body = response.body[:_LONGEST_BODY]
    try:
        members = parse_json(body)
    except (ValueError, RecursionError):
        text = body.decode(errors="replace").lstrip()
        messages = [] if text.startswith(("<", "{", "[")) else [text]
    else:
        messages = _messages(members)
    told = (clean(message).rstrip(".") for message in messages)
    news = dict.fromkeys(each for each in told if each.lower() not in _NO_NEWS)
    return clean("; ".join(list(news)[:_MOST_COMPLAINTS])).rstrip(".")


def _messages(members: Any) -> list[str]:  # noqa: ANN401 - any JSON
    """Return the messages of an answer: that of each error, else the first that it has itself."""
    if isinstance(members, str):
        return [members]
    if not isinstance(members, dict):
        return []
    errors = members.get("errors")
    if isinstance(errors, list) and errors:
        said = (each.get("message") for each in errors if isinstance(each, dict))
        return [each for each in said if isinstance(each, str)]
    found = (members.get(name) for name in _MEMBERS)
    return [each for each in found if isinstance(each, str) and each][:1]
