"""Which registry a login is for, and a login for display: everything but its secret."""

from collections.abc import Callable

from msgspec import Struct

from dockless.model.kinds import Kind
from dockless.model.secret import Secret


class LoginTarget(Struct, frozen=True):
    """The registry, or the namespace in one, that a login is for.

    Attributes:
        kind: The kind of registry.
        host: Its `host[:port]`, in lower case; Docker Hub's three names are one.
        scope: The host, or `host/namespace`.
    """

    kind: Kind
    host: str
    scope: str


class Login(Struct, frozen=True, kw_only=True):
    """A login that is stored on this machine.

    Attributes:
        scope: What it holds for: `host[:port]`, or `host[:port]/namespace`.
        username: The account; empty when unknown.
        place: Where it is stored, as text for messages.
        default: Whether it is used when no username is given.
        expires: When it ends, in seconds since 1970; None when that is not known.
    """

    scope: str
    username: str
    place: str
    default: bool = True
    expires: float | None = None


class ConfiguredLogin(Struct, frozen=True, kw_only=True):
    """The login that the project's own configuration has for one registry.

    Attributes:
        host: The registry's host.
        origin: Its position, as text for messages.
        username: Gives the account, empty when there is none.
        password: Gives the password. Both may read the secrets files and run what these name, and
            raise what these raise.
        essential: Whether such an error ends the search for a credential, and is not a warning.
    """

    host: str
    origin: str
    username: Callable[[], str]
    password: Callable[[], Secret]
    essential: bool = True
