"""Secrets blotted out of foreign words: a registry, proxy or program may echo what it was sent.

What was shown to others in this process is taken out of their words, in every form in which it may
come back, before these are cut, and become part of an error, a note or a receipt.

The words are looked at in several views: as they are, with their escapes undone, also those of
quoted-printable, and as the digits of hexadecimal numbers. Each character of a view knows which
characters of the words it stands for. In a view, a secret is found as it is, reversed, or within
base64, base32 or hexadecimal, whatever stands before and after it there; blanks and upper case do
not count. All of that takes time in proportion to the words.
"""

import base64
import functools
import itertools
import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from dockless.model.secret import sent

BLOT = "***"
_SHORT = 8
_ROUNDS = 8  # of escapes within escapes
_SHRINKS = 16  # an escape has at most about this many characters
_BASE32_BYTES = 256  # Python encodes it slowly
# text that was escaped repeatedly has several of the signs; the view is in lower case
_ESCAPES = r"""
    %(?:25)*(?:u(?P<wide>[0-9a-f]{4})|(?P<percent>[0-9a-f]{2}))
    |&(?:amp;)*(?:\#0*(?P<decimal>[0-9]{1,7});|\#x0*(?P<hex>[0-9a-f]{1,6});|(?P<name>[a-z0-9]{2,8});)
    |\\+(?:u(?P<high>d[89ab][0-9a-f]{2})\\+u(?P<low>d[c-f][0-9a-f]{2})
        |u(?P<long>00(?:0[0-9a-f]|10)[0-9a-f]{4})|u(?P<unit>[0-9a-f]{4})|u\{(?P<braced>[0-9a-f]{1,6})\}
        |x(?P<byte>[0-9a-f]{2})|(?P<octal>[0-3][0-7]{2})|(?P<blank>[nrtbf])|)
    |(?P<plus>\+)"""
_ESCAPED = re.compile(_ESCAPES, re.VERBOSE)
_QUOTED = re.compile(
    rf"=(?:(?:\r?\n|(?:\\+r)?\\+n)|(?P<quoted>[0-9a-f]{{2}}))|{_ESCAPES}", re.VERBOSE
)
_UNDONE = (None, _ESCAPED, _QUOTED)
_PLAIN = re.compile(r"[\w./:;,~!$^()@#|<>?*{}\[\]'\"-]*", re.ASCII)


class _View(Struct, frozen=True):
    """A text, each character of which stands for some of the words: UTF-8, a byte a character."""

    text: str
    starts: list[int]
    ends: list[int]

    def without(self, pattern: re.Pattern[str]) -> "_View":
        return self.replaced(pattern, lambda _: "")

    def replaced(self, pattern: re.Pattern[str], value: Callable[[re.Match[str]], str]) -> "_View":
        made = _View("", [], [])
        texts, end = [], 0
        for found in itertools.chain(pattern.finditer(self.text), (None,)):
            until = found.start() if found else len(self.text)
            texts.append(self.text[end:until])
            made.starts.extend(self.starts[end:until])
            made.ends.extend(self.ends[end:until])
            if found:
                end = found.end()
                texts.append(value(found))
                made.starts.extend([self.starts[until]] * len(texts[-1]))
                made.ends.extend([self.ends[end - 1]] * len(texts[-1]))
        return _View("".join(texts), made.starts, made.ends)


class _Needle(Struct, frozen=True):
    """What is looked for in a view.

    Attributes:
        view: The number of the view.
        text: The text.
        around: How many characters before and after it have some bits of it, too.
    """

    view: int
    text: str
    around: tuple[int, int] = (0, 0)


def blotted(words: str) -> str:
    """Return foreign words without what was shown to others.

    A short one is blotted where it stands as a word by itself. To be called before words are cut,
    since of a cut secret the rest stays.
    """
    found: list[tuple[int, int]] = []
    views: tuple[_View, ...] = ()
    for secret in sent():
        text = secret.reveal()
        if len(text) <= len(words) * _SHRINKS:
            views = views or _views(words)
            for needle in _needles(text):
                found += _places(views[needle.view], needle, words)
    parts, end = [], 0
    for start, until in sorted(found):
        if start >= end:
            parts += [words[end:start], BLOT]
        end = max(end, until)
    return "".join((*parts, words[end:]))


def _places(view: _View, needle: _Needle, words: str) -> Iterator[tuple[int, int]]:
    """Yield where a needle is in the words."""
    before, after = needle.around
    place = view.text.find(needle.text)
    while place >= 0:
        end = place + len(needle.text)
        last = min(end + after, len(view.text))
        while (before or after) and last < len(view.text) and view.text[last] == "=":
            last += 1
        span = view.starts[max(0, place - before)], view.ends[last - 1]
        if len(needle.text) >= _SHORT or _is_word(words, *span):
            yield span
        place = view.text.find(needle.text, end)


def _is_word(words: str, start: int, end: int) -> bool:
    before, after = words[start - 1 : start], words[end : end + 1]
    return not (_WORD.match(before) or _WORD.match(after))


def _views(words: str) -> tuple[_View, ...]:
    """Return the views: three with all characters, the same without blanks, and the digits."""
    whole = tuple(_undone(_bytes(words), pattern) for pattern in _UNDONE)
    closed = (each.without(_BLANKS) for each in whole)
    return (*whole, *closed, whole[0].without(_BETWEEN_DIGITS))


_WORD = re.compile(r"\w")
_BLANKS = re.compile(r"[ \t\r\n\f\v]+")
_BETWEEN_DIGITS = re.compile(r"(?:0x|(?<=\\)x|[^0-9a-z])+")
_DIGITS = 6


def _bytes(words: str) -> _View:
    """Return the words in lower case, without what is not printed, which may hide a secret."""
    texts, starts, ends = [], list[int](), list[int]()
    for place, each in enumerate(words):
        if each.isprintable() or each.isspace():
            data = each.lower().encode(errors="replace").decode("latin-1")
            texts.append(data)
            starts.extend([place] * len(data))
            ends.extend([place + 1] * len(data))
    return _View("".join(texts), starts, ends)


def _undone(view: _View, pattern: re.Pattern[str] | None) -> _View:
    for _ in range(_ROUNDS):
        if pattern is None or not pattern.search(view.text):
            break
        view = view.replaced(pattern, _value)
    return view


def _value(found: re.Match[str]) -> str:
    """Return the bytes that an escape stands for."""
    kind = found.lastgroup or ""
    text = found[kind] if kind else ""
    if kind in ("plus", "blank", ""):
        return " " if kind else ""
    if kind in ("percent", "byte", "quoted", "octal"):
        return bytes([int(text, 8 if kind == "octal" else 16)]).lower().decode("latin-1")
    if kind == "name":
        number = _entities().get(text, -1)
    elif kind == "low":
        number = 0x10000 + ((int(found["high"], 16) - 0xD800) << 10) + int(text, 16) - 0xDC00
    else:
        number = int(text, 10 if kind == "decimal" else 16)
    if not 0 <= number < 0x110000:  # noqa: PLR2004 - the end of Unicode
        return found[0][1:]  # without the sign, so that it is not looked at again
    return chr(number).lower().encode(errors="replace").decode("latin-1")


@functools.cache
def _entities() -> dict[str, int]:
    """Return the characters that HTML has names for, by the names in lower case."""
    from html.entities import name2codepoint  # noqa: PLC0415 - large, and most runs blot nothing

    return {name.lower(): code for name, code in name2codepoint.items()} | {"apos": ord("'")}


@functools.lru_cache(maxsize=1024)
def _needles(secret: str) -> tuple[_Needle, ...]:
    """Return what a secret may come back as."""
    data = secret.encode(errors="replace")
    found = [*_as_text(secret), *_as_text(secret[::-1] if len(secret) >= _SHORT else "")]
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        found += _in_views(encode(data).decode().rstrip("=").lower())
        for text, around in _inner(encode, 6, data):
            found += _in_views(text, around)
    if len(data) <= _BASE32_BYTES:
        for text, around in _inner(base64.b32encode, 5, data):
            found += _in_views(text, around)
    if len(data) * 2 >= _SHORT:
        found += [*_in_views(data.hex()), _Needle(_DIGITS, data.hex())]
    return tuple(dict.fromkeys(each for each in found if each.text))


def _as_text(text: str) -> Iterator[_Needle]:
    if _PLAIN.fullmatch(text):
        yield from _in_views(text.lower())
        return
    views = _views(text)
    for number in range(3):
        closed = views[number + 3].text
        # one that is short may stand for too much where blanks do not count
        is_long = len(closed) >= _SHORT
        yield _Needle(number + 3 * is_long, closed if is_long else views[number].text)


def _in_views(text: str, around: tuple[int, int] = (0, 0)) -> Iterator[_Needle]:
    """Yield a text without escapes, in lower case, for each view."""
    for number in range(3):
        seen = text.replace("+", "" if len(text) >= _SHORT else " ") if number else text
        yield _Needle(number + 3 * (len(text) >= _SHORT), seen, around)


def _inner(
    encode: Callable[[bytes], bytes], bits: int, data: bytes
) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield what of an encoding depends on the data alone, for each place that it may stand at.

    Args:
        encode: Encodes.
        bits: Those that a character of it has.
        data: The data.
    """
    for shift in range(3 if bits == 6 else 5):  # noqa: PLR2004 - base64
        begin, end = -(-shift * 8 // bits), (shift + len(data)) * 8 // bits
        text = encode(bytes(shift) + data).decode()[begin:end].lower()
        if len(text) >= _SHORT:
            rest = (shift + len(data)) * 8 % bits
            yield text, (1 if shift * 8 % bits else 0, 1 if rest else 0)
