"""External text in a form that cannot control a terminal.

Names come from archives, messages from registries and hosts, and neither is to be trusted: a
control character can set a window's title or write over a line, a bidirectional override can show
a name in another order than it has (Trojan Source, CVE-2021-42574), and a line end can make up a
whole line.
"""

import json
from collections.abc import Mapping

_IGNORABLE = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0100, 0xE01EF),
)
"""The first and last of letters and marks that show as nothing at all: Default_Ignorable_Code_Point
of Unicode's DerivedCoreProperties, without what `str.isprintable` refuses by its category."""
_UNSEEN = frozenset(
    {"\u2800", *(chr(code) for first, last in _IGNORABLE for code in range(first, last + 1))}
)
"""These, and the Braille pattern without a dot."""

_SHOWN = 40
_MOST_SAID = 1000
_LONGEST_LINE = 4000


def printable(text: str) -> str:
    r"""Return text in which all but line ends is visible; the rest is escaped, as in `\x1b`."""
    if str.isprintable(text) and _UNSEEN.isdisjoint(text):
        return text
    return "".join(each if _is_seen(each) or each == "\n" else _escaped(each) for each in text)


def one_line(text: str) -> str:
    r"""Return text as one line that is visible; a line end is escaped, too, as in `\n`."""
    return printable(text).replace("\n", "\\n")


def printed_lines(text: str) -> str:
    """Return what a program printed, visible, with its tabs and with line ends of any system."""
    return "\t".join(map(printable, text.replace("\r\n", "\n").replace("\r", "\n").split("\t")))


def json_text(document: Mapping[str, object]) -> str:
    """Return a document as text, in visible ASCII and line ends, without an end of line."""
    # JSON lets DEL stand as it is
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f")


def shortened(text: str) -> str:
    """Return what was given, for a message: of hundreds of digits the first ones."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


def bounded(words: str, most: int = _MOST_SAID) -> str:
    """Return what a registry or a program said, for a message: of very much only the beginning.

    Secrets have to be blotted before, since of a cut one the rest would stay.

    Args:
        words: What it said.
        most: How many characters of that are shown.
    """
    return words if len(words) <= most else f"{words[:most]}… (shortened)"


def bounded_lines(text: str) -> str:
    """Return a message of ours, in which words of others may stand, with no line of any length."""
    if len(text) <= _LONGEST_LINE:
        return text
    return "\n".join(bounded(line, _LONGEST_LINE) for line in text.split("\n"))


def _is_seen(character: str) -> bool:
    return character.isprintable() and character not in _UNSEEN


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()
