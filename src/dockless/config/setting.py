"""A value with its origin, and the rule of precedence."""

from collections.abc import Iterable
from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Setting(Struct, Generic[T_co], frozen=True):
    """A value and where it came from.

    Attributes:
        value: The value.
        origin: Its source as text for messages, such as `--tag` or `config/deploy.yml:3`.
    """

    value: T_co
    origin: str


def first(candidates: Iterable[Setting[T] | None]) -> Setting[T] | None:
    """Return the first setting that is set; those after it are not evaluated."""
    return next((candidate for candidate in candidates if candidate is not None), None)
