"""The token sources of a registry kind, as seen by the search for a credential."""

from collections.abc import Callable

from msgspec import Struct

from dockless.model.secret import Credential


class TokenSource(Struct, frozen=True):
    """One program or library that may give a token for a registry.

    Attributes:
        name: Its name.
        missing: Why it cannot be used here, such as `boto3 is not installed`; empty when it can.
        ask: Gives the credential, or the reason for none; it does not raise for that.
    """

    name: str
    missing: str
    ask: Callable[[], Credential | str]
