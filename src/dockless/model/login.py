"""What is told of a login: everything but its secret."""

from msgspec import Struct


class Login(Struct, frozen=True):
    """A login that is kept somewhere on this machine.

    Attributes:
        scope: What it holds for: `host[:port]`, or `host[:port]/namespace`.
        username: The account; empty when the place does not tell.
        place: Where it is kept, in words for people.
        default: Whether it is used when no username is asked for.
        expires: When it ends, in seconds since 1970; None when that is not known.
    """

    scope: str
    username: str
    place: str
    default: bool = True
    expires: float | None = None
