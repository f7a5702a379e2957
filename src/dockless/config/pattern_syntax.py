"""Regular expressions in the syntax of RE2, which Go has and skopeo takes: parsed into a tree.

See https://github.com/google/re2/wiki/Syntax. It has neither references nor assertions about what
precedes or follows, so that matching takes time in proportion to the text; see `tag_pattern`. What
is matched are tags, so that of Unicode's classes only the ASCII characters count.
"""

import re
import sys
from collections.abc import Callable

from msgspec import Struct

OTHER = "\ufffd"
"""Stands for every character that is not ASCII."""
_ASCII = frozenset(map(chr, range(128)))
ALL = _ASCII | {OTHER}
_MOST_REPEATS = 1000
_MOST_DIGITS = 9
_MOST_DEPTH = 100
_WORD = frozenset(each for each in _ASCII if each.isalnum() or each == "_")
_DIGIT = frozenset("0123456789")
_SPACE = frozenset("\t\n\f\r ")
_UPPER, _LOWER = (frozenset(filter(of, _ASCII)) for of in (str.isupper, str.islower))
_PUNCTUATION = frozenset(each for each in _ASCII if each.isprintable()) - _WORD - {" "} | {"_"}
_PERL = {"d": _DIGIT, "s": _SPACE, "w": _WORD}
_POSIX = {
    "alnum": _WORD - {"_"},
    "alpha": _UPPER | _LOWER,
    "ascii": _ASCII,
    "blank": frozenset("\t "),
    "cntrl": frozenset(each for each in _ASCII if not each.isprintable()),
    "digit": _DIGIT,
    "graph": _WORD | _PUNCTUATION,
    "lower": _LOWER,
    "print": _WORD | _PUNCTUATION | {" "},
    "punct": _PUNCTUATION,
    "space": _SPACE | {"\v"},
    "upper": _UPPER,
    "word": _WORD,
    "xdigit": frozenset("0123456789abcdefABCDEF"),
}
_SYMBOLS = {
    "S": "$+<=>^`|~", "Sc": "$", "Sk": "^`", "Sm": "+<=>|~", "P": "", "Pc": "_", "Pd": "-",
    "Ps": "([{", "Pe": ")]}", "Po": "!\"#%&'*,./:;?@\\",
}  # fmt: skip
_NOT_OF_ASCII = (
    "Lt Lm Lo M Mn Mc Me Nl No Pi Pf So Zl Zp Cf Cs Co Arabic Armenian Cyrillic Devanagari "
    "Georgian Greek Han Hangul Hebrew Hiragana Katakana Thai"
)
_UNICODE = {
    **dict.fromkeys(_NOT_OF_ASCII.split(), frozenset[str]()),
    "Any": ALL, "L": _UPPER | _LOWER, "Lu": _UPPER, "Ll": _LOWER, "N": _DIGIT, "Nd": _DIGIT,
    "Latin": _UPPER | _LOWER, "Z": frozenset(" "), "Zs": frozenset(" "), "C": _POSIX["cntrl"],
    "Cc": _POSIX["cntrl"], "Common": ALL - _UPPER - _LOWER,
    **{name: frozenset(found) for name, found in _SYMBOLS.items()},
    "P": _PUNCTUATION - frozenset(_SYMBOLS["S"]),
}  # fmt: skip
_CONTROLS = {"a": "\a", "f": "\f", "t": "\t", "n": "\n", "r": "\r", "v": "\v"}
_REPEAT = re.compile(r"\{([0-9]+)(,?)([0-9]*)\}")
_FLAGS = re.compile(r"\?([imsU]*)(?:-([imsU]+))?([:)])")
_NAMED = re.compile(r"\?P?<(\w+)>", re.ASCII)
_CLASS_NAME = re.compile(r"\[:(\^?)(\w+):\]")
_PROPERTY = re.compile(r"(\^?)(\w)|\{(\^?)(\w+)\}", re.ASCII)
_CODE = re.compile(r"x([0-9A-Fa-f]{2})|x\{([0-9A-Fa-f]{1,6})\}|([0-7]{2,3}|0)")


class Characters(Struct, frozen=True):
    """One character of a set."""

    of: frozenset[str]


class Edge(Struct, frozen=True):
    """A place between characters: whether what precedes and what follows, if any, allow it."""

    holds: Callable[[str, str], bool]


class Sequence(Struct, frozen=True):
    """One part after the other."""

    parts: "tuple[Tree, ...]"


class Alternatives(Struct, frozen=True):
    """One of several parts."""

    parts: "tuple[Tree, ...]"


class Repeat(Struct, frozen=True):
    """A part several times; `most` is None where that has no limit."""

    part: "Tree"
    least: int
    most: int | None


Tree = Characters | Edge | Sequence | Alternatives | Repeat


_EDGES: dict[str, Callable[[str, str], bool]] = {
    "A": lambda before, _: not before,
    "z": lambda _, after: not after,
    "b": lambda before, after: (before in _WORD) != (after in _WORD),
    "B": lambda before, after: (before in _WORD) == (after in _WORD),
}
_LINES: dict[str, Callable[[str, str], bool]] = {
    "^": lambda before, _: before in ("", "\n"),
    "$": lambda _, after: after in ("", "\n"),
}


def parse(pattern: str) -> Tree:
    """Return the tree of a pattern; raise ValueError with a phrase where it is not one."""
    return _Parser(pattern).whole()


class _Parser:
    """Reads a pattern from its beginning; flags hold until the end of their group."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._flags: frozenset[str] = frozenset()
        self._depth = 0

    def whole(self) -> Tree:
        tree = self._choice()
        if self._place < len(self._text):
            raise ValueError("it has a ) without its (")
        return tree

    def _next(self) -> str:
        return self._text[self._place : self._place + 1]

    def _took(self, text: str) -> bool:
        if not self._text.startswith(text, self._place):
            return False
        self._place += len(text)
        return True

    def _matched(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if found := pattern.match(self._text, self._place):
            self._place = found.end()
        return found

    def _choice(self) -> Tree:
        parts = [self._sequence()]
        while self._took("|"):
            parts.append(self._sequence())
        return Alternatives(tuple(parts)) if len(parts) > 1 else parts[0]

    def _sequence(self) -> Tree:
        parts: list[Tree] = []
        while self._next() not in ("", "|", ")"):
            if self._took("\\Q"):
                quoted, end, _ = self._text[self._place :].partition("\\E")
                self._place += len(quoted) + len(end)
                single = [self._one(each) for each in quoted]
                parts += single[:-1]
                parts += [self._repeated(each) for each in single[-1:]]
            else:
                parts.append(self._repeated(self._atom()))
        return Sequence(tuple(parts))

    def _repeated(self, part: Tree) -> Tree:
        doubled = False
        while True:
            counted = None
            if self._next() in ("*", "+", "?"):
                least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[self._next()]
                self._place += 1
            elif counted := self._matched(_REPEAT):
                if max(len(counted[1]), len(counted[3])) > _MOST_DIGITS:
                    raise ValueError("it repeats too often")
                least = int(counted[1])
                most = least if not counted[2] else int(counted[3]) if counted[3] else None
                if max(least, most or 0) > _MOST_REPEATS or (most is not None and most < least):
                    raise ValueError("it repeats too often")
            else:
                return part
            self._took("?")  # which prefers fewer: what matches at all is the same
            if doubled:
                raise ValueError("it has a repetition of a repetition")
            part, doubled = Repeat(part, least, most), True

    def _atom(self) -> Tree:
        if self._took("("):
            return self._group()
        if self._took("["):
            return Characters(self._class())
        if self._took("\\"):
            return self._escaped()
        self._refuse_repeat()
        character = self._next()
        self._place += 1
        if character == ".":
            return Characters(ALL if "s" in self._flags else ALL - {"\n"})
        if character in "^$":
            whole = _EDGES["A" if character == "^" else "z"]
            return Edge(_LINES[character] if "m" in self._flags else whole)
        return self._one(character)

    def _refuse_repeat(self) -> None:
        if self._next() in ("*", "+", "?") or self._matched(_REPEAT):
            raise ValueError("it repeats nothing")

    def _group(self) -> Tree:
        before = self._flags
        if found := self._matched(_FLAGS):
            self._flags = (self._flags | set(found[1])) - set(found[2] or "")
            if found[3] == ")":
                self._refuse_repeat()
                return Sequence(())
        elif not self._matched(_NAMED) and self._next() == "?":
            raise ValueError("it has a group that RE2 does not have")
        self._depth += 1
        if self._depth > _MOST_DEPTH:
            raise ValueError("it nests too deeply")
        inner = self._choice()
        self._depth -= 1
        if not self._took(")"):
            raise ValueError("it has a ( without its )")
        self._flags = before
        return inner

    def _escaped(self) -> Tree:
        character = self._next()
        if character in _EDGES and character:
            self._place += 1
            return Edge(_EDGES[character])
        return Characters(self._cased(self._set_of_escape()))

    def _set_of_escape(self) -> frozenset[str]:
        """Return the characters of what follows a backslash."""
        if code := self._matched(_CODE):
            number = int(code[3], 8) if code[3] else int(code[1] or code[2], 16)
            return frozenset(chr(number)) if number <= sys.maxunicode else frozenset()
        character = self._next()
        self._place += 1
        if character.lower() in _PERL and character:
            found = _PERL[character.lower()]
            return ALL - found if character.isupper() else found
        if character in ("p", "P") and (named := self._matched(_PROPERTY)):
            name, negated = named[2] or named[4], bool(named[1] or named[3])
            if name not in _UNICODE:
                raise ValueError("it has a class of Unicode that is not known here")
            found = _UNICODE[name]
            return ALL - found if negated != (character == "P") else found
        if character in _CONTROLS:
            return frozenset(_CONTROLS[character])
        if not character or character.isalnum():
            raise ValueError("it has an escape that RE2 does not have")
        return frozenset(character)

    def _class(self) -> frozenset[str]:
        negated, found, first = self._took("^"), frozenset[str](), True
        while first or self._next() != "]":
            first = False
            if not self._next():
                raise ValueError("it has a [ without its ]")
            found |= self._member()
        self._place += 1
        found = self._cased(found)
        return ALL - found if negated else found

    def _member(self) -> frozenset[str]:
        """Return the characters of a member of a class, which may be a range."""
        if named := self._matched(_CLASS_NAME):
            if named[2] not in _POSIX:
                raise ValueError("it has a class that RE2 does not have")
            return ALL - _POSIX[named[2]] if named[1] else _POSIX[named[2]]
        low = self._single()
        after = self._text[self._place + 1 : self._place + 2]
        if len(low) != 1 or self._next() != "-" or after in ("]", ""):
            return low
        self._place += 1
        high = self._single()
        if len(high) != 1 or max(high) < max(low):
            raise ValueError("it has a range that is none")
        return frozenset(each for each in ALL if max(low) <= each <= max(high)) | low | high

    def _single(self) -> frozenset[str]:
        if self._took("\\"):
            return self._set_of_escape()
        character = self._next()
        self._place += 1
        return frozenset(character)

    def _one(self, character: str) -> Tree:
        return Characters(self._cased(frozenset(character)))

    def _cased(self, found: frozenset[str]) -> frozenset[str]:
        if "i" not in self._flags:
            return found
        return found | {way(each) for each in found for way in (str.lower, str.upper)}
