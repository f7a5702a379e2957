"""A value that remembers who said it, and the one rule of who is heard."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Setting(Struct, Generic[T_co], frozen=True):
    """A value and where it came from.

    Attributes:
        value: The value.
        origin: Its source in words for people, such as `--tag` or `config/deploy.yml:3`.
    """

    value: T_co
    origin: str


def first(candidates: Iterable[Setting[T] | None]) -> Setting[T] | None:
    """Return the first setting that somebody gave; those after it are not even looked at."""
    return next((candidate for candidate in candidates if candidate is not None), None)
