"""A kind's own sources of tokens, as the search for a credential sees them."""

from collections.abc import Callable

from msgspec import Struct

from dockless.model.secret import Credential


class Way(Struct, frozen=True):
    """One program or library that may give a token for a registry.

    Attributes:
        name: What it is called.
        missing: Why it cannot be asked here, such as `boto3 is not installed`; empty when it can.
        ask: Gives the credential, or says why there is none; it raises nothing for that.
    """

    name: str
    missing: str
    ask: Callable[[], Credential | str]
