"""Why images of a mirror failed: an error that several share is printed once."""

import threading
from collections.abc import Callable, Iterable

from dockless.errors import DocklessError
from dockless.model.counts import counted

_MOST_NAMED = 3
_Words = tuple[type[DocklessError], str, str]


class Complaints:
    """Prints errors; threads may share it.

    Args:
        complain: Called with a line.
        others: What one of the others is, whose error was printed before.
    """

    def __init__(self, complain: Callable[[str], None], others: str = "other image") -> None:
        self._complain = complain
        self._others = others
        self._guard = threading.Lock()
        self._names: dict[_Words, list[str]] = {}

    def all_at_once(self, errors: Iterable[tuple[str, str, DocklessError]]) -> None:
        """Print errors that are known together, each with the number of images that it hit.

        Args:
            errors: The name of each image, where a list asks for it, or nothing, and its error,
                whose words begin with that place.
        """
        together: dict[_Words, list[tuple[str, DocklessError]]] = {}
        for name, place, error in errors:
            words = _words(error, f"{place}: " if place else "")
            hit = f"{name} ({place})" if place else name
            together.setdefault(words, []).append((hit, error))
        for (_, what, remedy), having in together.items():
            if len(having) == 1:
                self._complain(str(having[0][1]))
            else:
                names = _listed([name for name, _ in having])
                said = f"{what} This error hit {counted(len(having), 'image')}: {names}."
                self._complain(f"{said} {remedy}".strip())

    def add(self, place: str, name: str, error: DocklessError, own: str) -> None:
        """Print the error of an image, unless one like it was printed before.

        Args:
            place: Where a list asks for the image; empty on the command line.
            name: The image.
            error: Its error.
            own: What no other image has of the error's words: its repository.
        """
        with self._guard:
            names = self._names.setdefault(_words(error, own), [])
            names.append(name)
            if len(names) == 1:
                named = "" if error.what.startswith(f"{name} ") else f"{name}: "
                self._complain(f"{f'{place}: ' if place else ''}{named}{error}")

    def finish(self) -> None:
        """Print how many others had an error that was printed."""
        with self._guard:
            repeated, self._names = self._names, {}
        for first, *others in repeated.values():
            if others:
                count = counted(len(others), self._others)
                self._complain(f"{count} failed with the error of {first}: {_listed(others)}.")


def _words(error: DocklessError, own: str) -> _Words:
    """Return what of an error may be that of others, too."""
    return type(error), error.what.replace(own, ""), error.remedy.replace(own, "")


def _listed(names: list[str]) -> str:
    shown, more = ", ".join(names[:_MOST_NAMED]), len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown
