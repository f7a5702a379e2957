"""Secrets, and the credentials made of them."""

import base64
import math
import threading
from typing import NoReturn

from msgspec import Struct


class Secret:
    """A password or token that is not shown by accident.

    It is not a `str`: it cannot be formatted, joined, pickled or copied, and prints as `***`. What
    copies deeply, such as `copy.deepcopy`, fails on it; `msgspec.structs.replace` does not.
    `reveal()` is the only access to the text, which makes every use of it easy to find.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """Return the text itself."""
        return self._text

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(Secret)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        raise TypeError("a secret cannot be formatted")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")


_WITH_ARTICLE = frozenset({"command line", "environment", "prompt"})


class Credential(Struct, frozen=True, kw_only=True):
    """A credential for one registry host.

    Attributes:
        username: The account; empty for a token that needs none.
        password: The password, or the access token that stands in for it.
        identity_token: An OAuth2 refresh token, as `docker login` keeps for some registries;
            when it is set, username and password are not used.
        origin: Its source, as text for messages, such as `environment`.
        expires: When it ends, in seconds since 1970; None when that is not known.
        registry_token: A token for one repository that the registry's token service gave for
            it; when it is set, nothing else need be shown to the registry.
    """

    username: str
    password: Secret
    identity_token: Secret | None = None
    origin: str = ""
    expires: float | None = None
    registry_token: Secret | None = None

    def __post_init__(self) -> None:
        """Check that no secret is plain text, which would be shown where the credential is.

        Raises:
            TypeError: One is; it is not quoted.
        """
        for name in ("password", "identity_token", "registry_token"):
            value = getattr(self, name)
            if not isinstance(value, Secret) and (value is not None or name == "password"):
                raise TypeError(
                    f"{name} of a Credential must be a dockless.Secret, not "
                    f"{type(value).__name__}: write {name}=Secret(TEXT)."
                )

    @property
    def source(self) -> str:
        """Its source, as used after `from`."""
        return f"the {self.origin}" if self.origin in _WITH_ARTICLE else self.origin

    def basic(self) -> Secret:
        """Return the base64 of `username:password` (RFC 7617, UTF-8).

        Bytes that are not UTF-8, from an environment or a file, come out as they went in.
        """
        pair = f"{self.username}:{self.password.reveal()}"
        try:
            data = pair.encode(errors="surrogateescape")
        except UnicodeEncodeError:  # a surrogate that stands for no byte, from an escape in JSON
            data = pair.encode(errors="surrogatepass")
        return Secret(base64.b64encode(data).decode("ascii"))


class Grant(Struct, frozen=True):
    """What another program may send to a registry on our behalf.

    Attributes:
        credential: The credential; None to stay anonymous.
        ends: The moment, on the clock of `time.monotonic`, when it ends.
    """

    credential: Credential | None
    ends: float = math.inf


_guard = threading.Lock()
_sent: dict[str, Secret] = {}


def remember(credential: Credential | None) -> None:
    """Take in a credential that is about to be sent to a server or program; see `blotting`."""
    if credential is None:
        return
    remember_secret(credential.basic())
    for secret in (credential.password, credential.identity_token, credential.registry_token):
        if secret:
            remember_secret(secret)


def remember_secret(secret: Secret) -> None:
    """Take in one password or token that is about to be sent to a server or program."""
    with _guard:
        _sent[secret.reveal()] = secret


def sent() -> tuple[Secret, ...]:
    """Return what this process has shown to others."""
    with _guard:
        return tuple(_sent.values())


def forget() -> None:
    """Forget what was shown, as a new process would."""
    with _guard:
        _sent.clear()
