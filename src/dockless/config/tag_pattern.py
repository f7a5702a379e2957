"""Which tags a regular expression matches, in time that is in proportion to their length.

Python's own matcher may take for ever: `^(a|a)*$` doubles its work with every character. Here all
ways to match are followed at once, and where each character leads is remembered.
"""

from msgspec import Struct

from dockless.config.pattern_syntax import (
    OTHER,
    Alternatives,
    Characters,
    Edge,
    Repeat,
    Sequence,
    Tree,
    parse,
)

_MOST_STATES = 4_000
_MOST_BUILT = 100_000
_MOST_REMEMBERED = 10_000
_MOST_WORK = 500_000
"""How many places are visited for all tags together, some seconds of work."""


class _PatternState(Struct):
    """A place in a pattern.

    Attributes:
        then: The places that follow.
        takes: The characters that lead there; None where nothing is taken.
        edge: What has to hold there; None for nothing.
    """

    then: list[int]
    takes: frozenset[str] | None = None
    edge: Edge | None = None


_Places = frozenset[int]


class TagPattern:
    """A pattern that is searched for anywhere in a tag.

    Args:
        text: The pattern, in RE2's syntax.

    Raises:
        ValueError: It is not one, or too large; the text is a phrase about it.
    """

    def __init__(self, text: str) -> None:
        self._states: list[_PatternState] = []
        self._built = 0
        self._work = 0
        self._end = self._add(_PatternState([]))
        self._start = self._build(parse(text), self._end)
        self._known: dict[tuple[_Places, str, str], _Places] = {}

    def matches(self, tag: str) -> bool:
        """Whether it is found in a tag; raise ValueError where that takes too long."""
        places: _Places = frozenset()
        before = ""
        for character in (*tag, ""):
            after = character if character.isascii() else OTHER
            step = (places, before, after)
            found = self._known.get(step)
            if found is None:
                if len(self._known) >= _MOST_REMEMBERED:
                    self._known.clear()
                found = self._known[step] = self._step(*step)
            if self._end in found:
                return True
            places, before = found, _kind(after)
        return False

    def _step(self, places: _Places, before: str, after: str) -> _Places:
        """Return the places after a character: the end alone once it was reached before it."""
        open_ = self._without_taking({*places, self._start}, before, after)
        if self._end in open_:
            return frozenset({self._end})
        reached: set[int] = set()
        for place in open_:
            takes = self._states[place].takes
            if takes is not None and after in takes:
                reached.update(self._states[place].then)
        self._work += len(open_)
        if self._work > _MOST_WORK:
            raise ValueError("it takes too long for so many tags")
        return frozenset(reached)

    def _without_taking(self, places: set[int], before: str, after: str) -> set[int]:
        """Return the places that are reached between two characters."""
        seen, left = set(places), list(places)
        while left:
            state = self._states[left.pop()]
            if state.takes is None and (state.edge is None or state.edge.holds(before, after)):
                new = [each for each in state.then if each not in seen]
                seen.update(new)
                left += new
        return seen

    def _add(self, state: _PatternState) -> int:
        if len(self._states) >= _MOST_STATES:
            raise ValueError("it is too large")
        self._states.append(state)
        return len(self._states) - 1

    def _build(self, tree: Tree, then: int) -> int:
        """Add the states of a tree that is followed by a state; return its first."""
        self._built += 1
        if self._built > _MOST_BUILT:  # what repeats nothing has no states
            raise ValueError("it is too large")
        match tree:
            case Characters(of):
                return self._add(_PatternState([then], takes=of))
            case Edge():
                return self._add(_PatternState([then], edge=tree))
            case Sequence(parts):
                for part in reversed(parts):
                    then = self._build(part, then)
                return then
            case Alternatives(parts):
                return self._add(_PatternState([self._build(part, then) for part in parts]))
            case Repeat():
                return self._repeated(tree, then)

    def _repeated(self, tree: Repeat, then: int) -> int:
        if tree.most is None:
            loop = self._add(_PatternState([then]))
            self._states[loop].then.append(self._build(tree.part, loop))
            then = loop
        else:
            end = then
            for _ in range(tree.most - tree.least):
                then = self._add(_PatternState([self._build(tree.part, then), end]))
        for _ in range(tree.least):
            then = self._build(tree.part, then)
        return then


def _kind(before: str) -> str:
    """Return one character for all that are alike to what has to hold after them."""
    if before in ("", "\n"):
        return before
    return "a" if before == "_" or (before.isascii() and before.isalnum()) else "-"
