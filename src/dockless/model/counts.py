"""Numbers of things, and lists of them, as words of a sentence."""

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """Return `no layers`, `1 layer`, `2 layers`."""
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def number(count: int, noun: str) -> str:
    """Return `0 bytes`, `1 byte`, `2 bytes`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def share(count: int, total: int, noun: str) -> str:
    """Return `0 of 0 images`, `1 of 1 image`, `1 of 2 images`."""
    return f"{count} of {total} {noun}{'' if total == 1 else 's'}"


def references(count: int, total: int) -> str:
    """Return `1 of 2 references is`, `2 of 2 references are`."""
    return f"{share(count, total, 'reference')} {'is' if count == 1 else 'are'}"


def listed(words: Sequence[str], conjunction: str) -> str:
    """Return `a`, `a or b`, `a, b or c`, with the conjunction that is given."""
    *others, last = words
    return f"{', '.join(others)} {conjunction} {last}" if others else last
