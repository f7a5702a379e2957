"""Which tags a command moved, so that it can say so however it ends."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dockless.model.reference import Reference

_MOST_NAMED = 5


class TagMoves:
    """Which tags were moved, and which may have been; threads may share it."""

    def __init__(self) -> None:
        self._done: list[Reference] = []
        self._begun: list[Reference] = []

    def begin(self, tag: "Reference") -> None:
        """Note that a tag may be moved from now on."""
        self._begun.append(tag)

    def end(self, tag: "Reference", *, moved: bool) -> None:
        """Note that a tag was moved, or surely was not."""
        # first, so that it is in one of the two at any moment
        if moved:
            self._done.append(tag)
        self._begun.remove(tag)

    def __str__(self) -> str:
        """Return what is known, as sentences."""
        done, begun = list(self._done), [tag for tag in self._begun if tag not in self._done]
        if not done and not begun:
            return "No tag was moved."
        told = []
        if done:
            told.append(f"{_named(done)} {'was' if len(done) == 1 else 'were'} moved.")
        if begun:
            told.append(f"{_named(begun)} may have been moved.")
        return " ".join(told)


def _named(tags: "list[Reference]") -> str:
    return f"{len(tags)} tags" if len(tags) > _MOST_NAMED else ", ".join(map(str, tags))
