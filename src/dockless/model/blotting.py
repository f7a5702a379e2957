"""Secrets blotted out of foreign words: a registry, proxy or program may echo what it was sent.

What was shown to others in this process is taken out of their words, in every form in which it may
come back, before these are cut, and become part of an error, a note or a receipt.
"""

import base64
import functools
import re

from dockless.model.secret import sent

BLOT = "***"
_SHORT = 8
# text that was escaped repeatedly has several of these
_SLASHES, _PERCENT, _AMPERSAND = r"\\*", "%(?:25)*", "&(?:amp;)*"


def forms(text: str) -> frozenset[str]:
    """Return what a secret may come back as, before it is escaped: plain, base64, hexadecimal."""
    data = text.encode(errors="replace")
    packed = (base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode())
    stripped = (each.rstrip("=") for each in packed)
    hexadecimal = () if len(data) * 2 < _SHORT else (data.hex(),)
    return frozenset({text, data.decode(), *packed, *stripped, *hexadecimal} - {""})


def blotted(words: str) -> str:
    """Return foreign words without what was shown to others.

    A short one is blotted where it stands as a word by itself. To be called before words are cut,
    since of a cut secret the rest stays.
    """
    for secret in sent():
        words = _pattern(secret.reveal()).sub(BLOT, words)
    return words


@functools.lru_cache(maxsize=256)
def _pattern(text: str) -> re.Pattern[str]:
    """Return what matches a secret in every form and escape; upper and lower case count as one."""
    found = []
    for form in sorted(forms(text), key=len, reverse=True):
        escaped = "".join(map(_character, form))
        found.append(escaped if len(form) >= _SHORT else rf"(?<!\w){escaped}(?!\w)")
    return re.compile("|".join(found) or r"(?!)", re.IGNORECASE)


def _character(each: str) -> str:
    """Return a pattern for one character: as it is, and escaped as URLs, JSON, Go or HTML do it."""
    if each.isascii() and each.isalnum():
        return each
    code, data = ord(each), each.encode(errors="replace")
    units = each.encode("utf-16-be", errors="surrogatepass")
    pairs = (units[place : place + 2].hex() for place in range(0, len(units), 2))
    ways = [
        _SLASHES + re.escape(each),
        "".join(f"{_PERCENT}{byte:02x}" for byte in data),
        "".join(rf"\\+u{pair}" for pair in pairs),
        "".join(rf"\\+x{byte:02x}" for byte in data),
        "".join(rf"\\+{byte:03o}" for byte in data),
        rf"\\+U{code:08x}",
        f"{_AMPERSAND}#0*{code};",
        f"{_AMPERSAND}#x0*{code:x};",
    ]
    if name := _entity_names().get(code):
        ways.append(f"{_AMPERSAND}{name};")
    if letter := {"\t": "t", "\n": "n", "\r": "r", "\b": "b", "\f": "f"}.get(each):
        ways.append(rf"\\+{letter}")
    if each == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(ways)})"


@functools.cache
def _entity_names() -> dict[int, str]:
    """Return the names that HTML has for characters, by their numbers."""
    from html.entities import codepoint2name  # noqa: PLC0415 - large, and most runs blot nothing

    return codepoint2name | {ord("'"): "apos"}
