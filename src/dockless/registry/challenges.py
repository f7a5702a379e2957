"""A registry's challenges with 401: its WWW-Authenticate headers, by RFC 9110, section 11.6.1.

Servers write more than the RFC allows (addresses without quotes, parameters without a value). What
can be read is read, blanks in place of commas included, and the rest is skipped up to the next
comma.
"""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from dockless.errors import PushError
from dockless.model.endpoint import Endpoint
from dockless.transport.http import header_lines
from dockless.transport.origins import may_have_secret

LONGEST_HEADER = 32 * 1024
"""How many characters of each header are read; a usual challenge has some hundred."""

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"  # noqa: S105 - a grammar's name for a word
# possessive throughout, so that no header takes more than one walk through it
_GAP = re.compile(r"[\s,]*+")
_SCHEME = re.compile(rf"(?P<scheme>{_TOKEN})(?=[ \t,]|$)")
_TOKEN68 = re.compile(r"[ \t]++[A-Za-z0-9\-._~+/]++=*+[ \t]*+(?=,|$)")
_PARAMETER = re.compile(
    rf"(?P<name>{_TOKEN})[ \t]*+=[ \t]*+"
    # an address without quotes has characters that a token may not have
    r'(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<bare>[^\s,"]*+))'
)
_REST = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)*+')
_ESCAPED = re.compile(r"\\(.)")


class Challenge(Struct, frozen=True):
    """One way to authenticate that a registry offers.

    Attributes:
        scheme: In lower case: `basic`, `bearer`, or another that cannot be answered here.
        parameters: By name, in lower case: `realm`, and for tokens `service`.
    """

    scheme: str
    parameters: Mapping[str, str]


def demanded(headers: Mapping[str, str], endpoint: Endpoint) -> Challenge:
    """Return the challenge to answer, out of the headers of a 401.

    Raises:
        PushError: None can be answered.
    """
    challenges = offered(headers)
    challenge = chosen(challenges, endpoint)
    if challenge is None:
        raise PushError(
            f"{endpoint.host} requires a kind of authentication that dockless does not support: "
            f"{_names(challenges) or 'it responds with 401 and no readable challenge'}.",
            "It has to offer Basic or Bearer; check the host, and any proxy in front of it.",
        )
    return challenge


def offered(headers: Mapping[str, str]) -> tuple[Challenge, ...]:
    """Return every challenge of an answer's WWW-Authenticate headers, in their order."""
    name = "WWW-Authenticate"
    # each header by itself, so that a quote left open in one does not swallow the next
    lines = header_lines(headers, name)
    return tuple(challenge for line in lines for challenge in parse_challenges(line))


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Read one WWW-Authenticate header, which may have several challenges."""
    header = header[:LONGEST_HEADER]
    found: list[tuple[str, dict[str, str]]] = []
    at = _end(_GAP, header, 0)
    while at < len(header):
        if parameter := _PARAMETER.match(header, at):
            if found:
                found[-1][1][parameter["name"].lower()] = _value(parameter)
            at = parameter.end()
        elif scheme := _SCHEME.match(header, at):
            found.append((scheme["scheme"].lower(), {}))
            at = _after_scheme(header, scheme.end())
        else:
            at = _end(_REST, header, at)
        at = _end(_GAP, header, at)
    return tuple(Challenge(scheme, parameters) for scheme, parameters in found)


def _after_scheme(header: str, at: int) -> int:
    """Return where the scheme's first parameter may be: after a token68, if there is one."""
    first = _end(_GAP, header, at)
    blob = _TOKEN68.match(header, at)
    # `realm=x` is a parameter, `eHl6=` is a token68
    return blob.end() if blob and not _has_value(header, first) else at


def _has_value(header: str, at: int) -> bool:
    parameter = _PARAMETER.match(header, at)
    return bool(parameter and (parameter["quoted"] is not None or parameter["bare"].strip("=")))


def _value(parameter: re.Match[str]) -> str:
    quoted = parameter["quoted"]
    return parameter["bare"] if quoted is None else _ESCAPED.sub(r"\1", quoted)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


def chosen(challenges: tuple[Challenge, ...], endpoint: Endpoint) -> Challenge | None:
    """Return the challenge to answer, or None when none can be answered.

    A token before the password itself, whatever their order; the password where no token service
    is named that may be sent one. crane 0.22 and skopeo 1.22 take the first that they know.

    Args:
        challenges: What is offered.
        endpoint: The registry, which determines where a secret may be sent.
    """
    bearer = [each for each in challenges if each.scheme == "bearer"]
    basic = [each for each in challenges if each.scheme == "basic"]
    askable = [each for each in bearer if _fits(each, endpoint)]
    # one that cannot be asked comes last, for the error that says so
    return next(iter((*askable, *basic, *bearer)), None)


def _fits(challenge: Challenge, endpoint: Endpoint) -> bool:
    realm = challenge.parameters.get("realm", "")
    return is_web_address(realm) and may_have_secret(realm, endpoint)


def _names(challenges: tuple[Challenge, ...]) -> str:
    names = [challenge.scheme[:20].capitalize() for challenge in challenges]
    return ", ".join(list(dict.fromkeys(names))[:5])


def is_web_address(realm: str) -> bool:
    """Whether this is an http or https URL that can be asked for a token."""
    try:
        parts = urlsplit(realm)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of a host in brackets, or of a port
        return False
    return known and realm.isascii() and realm.isprintable() and " " not in realm
