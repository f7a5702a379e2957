"""ERB in a deploy.yml, as far as it can be answered without Ruby.

Kamal evaluates the file with ERB, with its trim mode `-`, before it reads the YAML. What asks for
environment variables is answered here, as are conditions on them; the value of anything else is
left as a mark, and is an error only where it is needed.
"""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct

from dockless.config.ruby_expression import Unknown, evaluate, is_true, ruby_text
from dockless.errors import UsageError

MARK = "\ue000"
"""What begins the place of a tag that cannot be answered: a character of no script."""

_MARKED = re.compile("\ue000(?P<name>[^\ue000\ue001]*+)\ue001")
_LONGEST = 1 << 20
_KINDS = ("=", "#", "%", "-")

# Everything here takes time in proportion to the text, whatever it is: a file may be anyone's.
# Possessive repetitions (`*+`) are never tried again with fewer characters.
_STEP = re.compile(r"\s*+(?P<word>if|unless|elsif|else|end)\b(?P<condition>.*+)", re.DOTALL)
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


class _Branch(Struct, kw_only=True):
    """A condition that is open.

    Attributes:
        tag: Its `if` or `unless`.
        takes: Whether what stands here now is part of the file.
        over: Whether no later branch can be: one was, or all of it lies in what is left out.
        ends: Whether `else` was read.
    """

    tag: _Tag
    takes: bool
    over: bool
    ends: bool = False


def answered(text: str, name: str, environment: Mapping[str, str]) -> str:
    """Return a file's text with its ERB answered by the environment, or marked.

    What a condition leaves out becomes empty lines, so that lines keep their numbers.

    Args:
        text: The file's text.
        name: What errors call the file.
        environment: The variables that `ENV` has.

    Raises:
        UsageError: It has Ruby that writes no value and is not a condition that can be answered: it
            decides what the file is. Or the variables make it longer than 1 MiB.
    """
    page = _Page(text, name, environment)
    end = 0
    for tag in _tags(text):
        end = page.read(tag, end)
    return page.whole(end)


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


class _Page:
    """A text whose tags are answered one after another.

    Line ends that ERB leaves out are kept, so that lines keep their numbers, but before the blanks
    that begin what is then the line: these it keeps, too.
    """

    def __init__(self, text: str, name: str, environment: Mapping[str, str]) -> None:
        self._text = text
        self._name = name
        self._environment = environment
        self._parts: list[str] = []
        self._length = 0
        self._blanks: list[str] = []  # of the line that is begun, where it has nothing else
        self._line_ends = 0  # that belong before them
        self._branches: list[_Branch] = []
        self._gap: int | None = None  # where what is left out begins, if that is on its own lines

    def read(self, tag: _Tag, start: int) -> int:
        """Answer a tag, where the text before it begins at `start`; return where it goes on.

        Raises:
            UsageError: As `answered` does.
        """
        in_comment = tag.first < tag.start and self._text[tag.first] == "#"  # of YAML
        step = None if in_comment else _step(tag)
        if not self._takes and not (step and self._ends_gap(step)):
            if not in_comment and tag.kind not in ("=", "#"):
                self._follow(tag, step)
            return tag.end
        alone = tag.kind != "=" and _is_alone(tag, self._text)
        self._read_before(tag, start, alone=alone)
        if in_comment:
            self._write(tag.text)
            return tag.end
        if tag.kind == "=":
            self._write(self._value(tag))
        elif tag.kind != "#":
            self._follow(tag, step)
        trims = tag.text.endswith("-%>") and self._text.startswith("\n", tag.end)
        if alone:
            self._line_ends += tag.text.count("\n") + trims
        self._gap = tag.end + trims if alone else None
        return tag.end + trims

    def whole(self, end: int) -> str:
        """Return what comes out, with the text from `end` on, where no tag is left."""
        if self._branches:
            raise self._refused(self._branches[-1].tag)
        self._write(self._text[end:])
        return "".join(self._parts)

    def _read_before(self, tag: _Tag, start: int, *, alone: bool) -> None:
        """Read the text between two tags."""
        if self._takes:
            begin = max(start, self._text.rfind("\n", start, tag.start) + 1)
            starts_line = tag.first >= tag.start
            blanks = "" if starts_line and tag.kind == "-" else self._text[begin : tag.start]
            self._write(self._text[start:begin])
            if alone:
                self._blanks.append(blanks)
            else:
                self._write(blanks)
        elif alone and self._gap is not None:
            self._line_ends += self._text.count("\n", self._gap, tag.start)

    def _write(self, text: str) -> None:
        if not self._takes or not text:
            return
        added = ("\n" * self._line_ends, *self._blanks, text)
        self._line_ends, self._blanks = 0, []
        self._parts += added
        self._length += sum(map(len, added))
        if self._length > _LONGEST:
            raise UsageError(
                f"{self._name} is longer than 1 MiB with the variables that its ERB asks for.",
                "Write the values themselves, or set shorter ones.",
            )

    def _refused(self, tag: _Tag, variable: str = "") -> UsageError:
        """Return the error for a tag that decides what the file is."""
        place = f"{self._name}:{self._text.count(chr(10), 0, tag.start) + 1}"
        if variable:
            return UsageError(
                f"{place} needs the variable {variable}, which is not set.",
                "Set it, or leave that condition out.",
            )
        return UsageError(
            f"{place} is ERB (`<%`), which is Ruby code and is not run.",
            "Write the value itself, or give it by an option or a DOCKLESS_ variable. Conditions "
            'may compare `ENV["NAME"]` with strings.',
        )

    @property
    def _takes(self) -> bool:
        return not self._branches or self._branches[-1].takes

    def _value(self, tag: _Tag) -> str:
        value = evaluate(tag.code, self._environment)
        return f"{MARK}{value.variable}\ue001" if isinstance(value, Unknown) else ruby_text(value)

    def _ends_gap(self, step: re.Match[str]) -> bool:
        """Whether a tag may end what is left out now: it is of the condition that leaves it out."""
        nested = len(self._branches) > 1 and not self._branches[-2].takes
        return not nested and step["word"] in ("elsif", "else", "end")

    def _follow(self, tag: _Tag, step: re.Match[str] | None) -> None:
        """Follow a tag that begins, continues or ends a condition.

        Raises:
            UsageError: It is none, or its condition cannot be answered and its branch is reached.
        """
        if step is None:
            raise self._refused(tag)
        word, condition = step["word"], step["condition"]
        if word in ("if", "unless"):
            reached = self._takes
            takes = reached and self._holds(tag, condition) == (word == "if")
            self._branches.append(_Branch(tag=tag, takes=takes, over=takes or not reached))
            return
        if not self._branches or (word != "elsif" and condition.strip()):
            raise self._refused(tag)
        branch = self._branches[-1]
        if word == "end":
            self._branches.pop()
        elif branch.ends:
            raise self._refused(tag)
        else:
            branch.takes = not branch.over and (word == "else" or self._holds(tag, condition))
            branch.over = branch.over or branch.takes
            branch.ends = word == "else"

    def _holds(self, tag: _Tag, condition: str) -> bool:
        value = evaluate(condition, self._environment)
        if isinstance(value, Unknown):
            raise self._refused(tag, value.variable)
        return is_true(value)


def unset_variable(text: str) -> str:
    """Return the variable that a marked value needs and that is not set; empty for other Ruby."""
    found = _MARKED.search(text)
    return found["name"] if found else ""


def _step(tag: _Tag) -> re.Match[str] | None:
    """Return what a tag of a condition says; None for any other tag."""
    return _STEP.fullmatch(tag.code) if tag.kind in ("", "-") else None


def _is_alone(tag: _Tag, text: str) -> bool:
    """Whether a tag has its lines for itself."""
    rest = _BLANK.match(text, tag.end)
    after = rest.end() if rest else tag.end
    return tag.first >= tag.start and text[after : after + 1] in ("", "\n")
