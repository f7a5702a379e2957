"""Expressions of Ruby that ask for environment variables, answered without Ruby.

Strings, `nil`, `true`, `false`, `ENV["X"]`, `ENV.fetch`, `!`, `==`, `!=`, `&&`, `||`, parentheses,
and the methods of `_METHODS`, with Ruby's precedence. Anything else is not known, nor is what Ruby
raises an error for.
"""

import re
from collections.abc import Callable, Mapping

from msgspec import Struct

# Possessive repetitions (`*+`) are never tried again with fewer characters, so that this takes time
# in proportion to the text.
_TOKEN = re.compile(
    r"""\s*+(?:"(?P<double>[^"\\#]*+)"|'(?P<single>[^'\\]*+)'|(?P<word>[A-Za-z_]\w*+\??+)"""
    r"""|(?P<sign>==|!=|&&|\|\||[!()\[\]{},.]))"""
)
_NESTING = frozenset("!({,")
_DEEPEST = 40


class Unknown(Struct, frozen=True):
    """A value that cannot be told without Ruby.

    Attributes:
        variable: The variable that is not set and has no default; empty for any other reason.
    """

    variable: str = ""


RubyValue = str | bool | None | Unknown


class _Token(Struct, frozen=True):
    """A string, where `text` is what it holds, or a word or sign."""

    text: str
    is_string: bool = False


class _NotAnsweredError(Exception):
    """The expression has something that is not answered here."""


def evaluate(code: str, environment: Mapping[str, str]) -> RubyValue:
    """Return the value of an expression.

    Args:
        code: The expression.
        environment: The variables that `ENV` has.
    """
    try:
        reader = _ExpressionReader(_tokens(code), environment)
        value = reader.either()
        return Unknown() if reader.tokens else value
    except _NotAnsweredError:
        return Unknown()


def is_true(value: str | bool | None) -> bool:  # noqa: FBT001 - a value of Ruby
    """Whether a condition with this value holds: an empty string does, too."""
    return value is not None and value is not False


def ruby_text(value: str | bool | None) -> str:  # noqa: FBT001 - a value of Ruby
    """Return what Ruby writes for a value."""
    return {None: "", True: "true", False: "false"}[value] if not isinstance(value, str) else value


def _is_present(value: str | bool | None) -> bool:  # noqa: FBT001 - a value of Ruby
    return bool(value.strip() if isinstance(value, str) else value)


_METHODS: Mapping[str, Callable[[str | bool | None], RubyValue]] = {
    "nil?": lambda value: value is None,
    "blank?": lambda value: not _is_present(value),
    "present?": _is_present,
    "empty?": lambda value: value == "" if isinstance(value, str) else Unknown(),
    "to_s": ruby_text,
}
_NAMES: Mapping[str, bool | None] = {"nil": None, "true": True, "false": False}


def _tokens(code: str) -> list[_Token]:
    """Return the tokens of an expression, the last one first."""
    found, end = list[_Token](), 0
    text = code.rstrip()
    while end < len(text):
        match = _TOKEN.match(text, end)
        if match is None:
            raise _NotAnsweredError
        is_string = match.lastgroup in ("double", "single")
        found.append(_Token(match[match.lastgroup or 0], is_string=is_string))
        end = match.end()
    if sum(each.text in _NESTING for each in found) > _DEEPEST:  # the reader is recursive
        raise _NotAnsweredError
    return found[::-1]


class _ExpressionReader:
    """Reads an expression from its tokens; each method reads what its name says, and its value.

    Both sides of `&&` and `||` are read, and a side that Ruby does not evaluate may be unknown.
    """

    def __init__(self, tokens: list[_Token], environment: Mapping[str, str]) -> None:
        self.tokens = tokens
        self._count = len(tokens)
        self._environment = environment

    def either(self) -> RubyValue:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value if isinstance(value, Unknown) or is_true(value) else other
        return value

    def _both(self) -> RubyValue:
        value = self._comparison()
        while self._take("&&"):
            other = self._comparison()
            value = other if not isinstance(value, Unknown) and is_true(value) else value
        return value

    def _comparison(self) -> RubyValue:
        value = self._negation()
        sign = self._take("==") or self._take("!=")
        if not sign:
            return value
        other = self._negation()
        unknown = next((each for each in (value, other) if isinstance(each, Unknown)), None)
        return unknown or (value == other) == (sign == "==")

    def _negation(self) -> RubyValue:
        if not self._take("!"):
            return self._methods()
        value = self._negation()
        return value if isinstance(value, Unknown) else not is_true(value)

    def _methods(self) -> RubyValue:
        value = self._operand()
        while self._take("."):
            method = _METHODS.get(self._next().text)
            if method is None:
                raise _NotAnsweredError
            value = value if isinstance(value, Unknown) else method(value)
        return value

    def _operand(self) -> RubyValue:
        token = self._next()
        if token.is_string:
            return token.text
        if token.text == "(":
            value = self.either()
            self._expect(")")
            return value
        if token.text == "ENV":
            return self._variable()
        if token.text in _NAMES:
            return _NAMES[token.text]
        raise _NotAnsweredError

    def _variable(self) -> RubyValue:
        if self._take("["):
            name = self._string()
            self._expect("]")
            return self._environment.get(name)
        self._expect(".")
        self._expect("fetch")
        is_first = len(self.tokens) == self._count - 3
        enclosed = self._take("(")
        name = self._string()
        has_argument = self._take(",")
        default = argument = self.either() if has_argument else Unknown(name)
        if enclosed:
            self._expect(")")
        elif self.tokens or not is_first:  # Ruby takes the rest for arguments, or for an error
            raise _NotAnsweredError
        if self._take("{"):
            default = self.either()
            self._expect("}")
        if has_argument and isinstance(argument, Unknown):  # which Ruby evaluates in any case
            return argument
        return self._environment.get(name, default)

    def _string(self) -> str:
        token = self._next()
        if not token.is_string:
            raise _NotAnsweredError
        return token.text

    def _next(self) -> _Token:
        if not self.tokens:
            raise _NotAnsweredError
        return self.tokens.pop()

    def _take(self, sign: str) -> str:
        """Read a word or sign if it comes next; return it, or nothing."""
        if not self.tokens or self.tokens[-1] != _Token(sign):
            return ""
        return self.tokens.pop().text

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            raise _NotAnsweredError
