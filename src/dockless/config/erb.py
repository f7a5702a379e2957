"""ERB in a deploy.yml, as far as it can be answered without Ruby.

Kamal evaluates the file with ERB before it reads the YAML. What asks for an environment variable is
answered here; anything else is left as a mark, and is an error only where its value is needed.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from dockless.errors import UsageError

MARK = "\ue000"
"""What begins the place of a tag that cannot be answered: a character of no script."""

_MARKED = re.compile("\ue000(?P<name>[^\ue000\ue001]*+)\ue001")
_LONGEST = 1 << 20
_KINDS = ("=", "#", "%", "-")

# Everything here takes time in proportion to the text, whatever it is: a file may be anyone's.
# Possessive repetitions (`*+`) are never tried again with fewer characters.
_TEXT = r"""(?:"(?P<{0}d>[^"\\#]*+)"|'(?P<{0}s>[^'\\]*+)')"""
_ENV = re.compile(
    rf"\s*+ENV\s*+(?:\[\s*+{_TEXT.format('i')}\s*+\]|\.fetch\s*+\(?+\s*+{_TEXT.format('f')}"
    rf"\s*+(?:,\s*+{_TEXT.format('c')}\s*+)?+\)?+\s*+(?:\{{\s*+{_TEXT.format('b')}\s*+\}})?+)"
    rf"\s*+(?:\|\|\s*+{_TEXT.format('o')}\s*+)?+"
)
_BLANK = re.compile(r"[^\S\n]*+")


class _Tag(Struct, frozen=True, kw_only=True):
    """A tag of ERB in a text.

    Attributes:
        text: The tag, with its marks.
        kind: The sign after `<%`; empty for none.
        code: The Ruby code.
        start: Where it begins.
        end: Where the text after it begins.
        first: Where the line that it begins in has its first character that is not blank.
    """

    text: str
    kind: str
    code: str
    start: int
    end: int
    first: int


def answered(text: str, name: str, environment: Mapping[str, str]) -> str:
    """Return a file's text with its ERB answered by the environment, or marked.

    Args:
        text: The file's text.
        name: What errors call the file.
        environment: The variables that `ENV` has.

    Raises:
        UsageError: It has Ruby that writes no value, such as a condition: that decides what the
            file is. Or the variables make it longer than 1 MiB.
    """
    parts: list[str] = []
    end = length = 0
    for tag in _tags(text):
        parts += (text[end : tag.start], _answer(tag, text, name, environment))
        length += sum(map(len, parts[-2:]))
        end = tag.end
        if length > _LONGEST:
            raise UsageError(
                f"{name} is longer than 1 MiB with the variables that its ERB asks for.",
                "Write the values themselves, or set shorter ones.",
            )
    return "".join((*parts, text[end:]))


def _tags(text: str) -> Iterator[_Tag]:
    """Yield the tags of a text; what is opened and not closed is none."""
    before = first = 0
    start = text.find("<%")
    while start >= 0:
        close = text.find("%>", start + 2)
        if close < 0:
            return
        begun = text.rfind("\n", before, start) + 1
        if begun or not before:
            blank = _BLANK.match(text, begun)
            first = blank.end() if blank else begun
        inside = text[start + 2 : close]
        kind = inside[:1] if inside[:1] in _KINDS else ""
        end = close + 2
        yield _Tag(
            text=text[start:end],
            kind=kind,
            code=inside.removeprefix(kind).removesuffix("-"),
            start=start,
            end=end,
            first=first,
        )
        before, start = start, text.find("<%", end)


def _answer(tag: _Tag, text: str, name: str, environment: Mapping[str, str]) -> str:
    """Return what stands in the place of a tag."""
    if tag.kind == "#":
        return "\n" * tag.text.count("\n") if _is_alone(tag, text) else ""
    if tag.first < tag.start and text[tag.first] == "#":  # in a comment of YAML
        return tag.text
    if tag.kind != "=":
        line = text.count("\n", 0, tag.start) + 1
        raise UsageError(
            f"{name}:{line} is ERB (`<%`), which is Ruby code and is not run.",
            "Write the value itself, or give it by an option or a DOCKLESS_ variable.",
        )
    found = _ENV.fullmatch(tag.code)
    value = _value(found, environment) if found else None
    if value is not None:
        return value
    return f"{MARK}{_literal(found, 'f') if found else ''}\ue001"


def unset_variable(text: str) -> str:
    """Return the variable that a marked value needs and that is not set; empty for other Ruby."""
    found = _MARKED.search(text)
    return found["name"] if found else ""


def _value(found: re.Match[str], environment: Mapping[str, str]) -> str | None:
    """Return what `ENV` gives; None where Ruby raises an error."""
    fetched = _literal(found, "f")
    name = _literal(found, "i") if fetched is None else fetched
    value = environment.get(name or "")
    if value is None and fetched is not None:
        defaults = (_literal(found, "b"), _literal(found, "c"))
        return next((each for each in defaults if each is not None), None)
    other = _literal(found, "o")
    return other if value is None and other is not None else value or ""


def _literal(found: re.Match[str], group: str) -> str | None:
    return found[f"{group}d"] if found[f"{group}d"] is not None else found[f"{group}s"]


def _is_alone(tag: _Tag, text: str) -> bool:
    """Whether a tag has its lines for itself."""
    rest = _BLANK.match(text, tag.end)
    after = rest.end() if rest else tag.end
    return tag.first >= tag.start and text[after : after + 1] in ("", "\n")
