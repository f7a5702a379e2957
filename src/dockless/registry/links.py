"""The next page of a list: the Link headers of an answer, by RFC 8288, section 3."""

import re
from collections.abc import Mapping

from dockless.transport.http import header_lines

_LONGEST_HEADER = 32 * 1024
# possessive throughout, so that no header takes more than one walk through it
_TARGET = re.compile(r"[\s,]*+<(?P<url>[^>]*+)>")
_PARAMETER = re.compile(
    r"\s*+;\s*+(?P<name>[^\s=;,<>\"]*+)"
    r"(?:\s*+=\s*+(?:\"(?P<quoted>(?:[^\"\\]|\\.)*+)\"|(?P<bare>[^\s;,\"]*+)))?+"
)
_REST = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*+"?)*+,?+')


def next_page(headers: Mapping[str, str]) -> str:
    """Return where the next page is, as the answer says it; empty where there is none.

    Names of parameters and relations have no case, and a link may have several relations.
    """
    lines = header_lines(headers, "Link")
    return next((url for line in lines for url in _next(line[:_LONGEST_HEADER])), "")


def _next(line: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(line):
        target = _TARGET.match(line, at)
        if target is None:
            rest = _REST.match(line, at)
            at = max(rest.end() if rest else 0, at + 1)
            continue
        at, relations = target.end(), None
        while (parameter := _PARAMETER.match(line, at)) and parameter.end() > at:
            at = parameter.end()
            # of several, the first counts
            if parameter["name"].lower() == "rel" and relations is None:
                relations = (parameter["quoted"] or parameter["bare"] or "").lower().split()
        if "next" in (relations or ()):
            found.append(target["url"].strip())
    return found
