"""The credential-helper protocol, for `docker-credential-dockless`.

It answers as helpers that are built on github.com/docker/docker-credential-helpers do
(`credentials/credentials.go` and `credentials/error.go`), to the byte where other tools look for
words: they know a missing login by its sentence alone.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct, field

from dockless.credentials import credential_sources
from dockless.credentials.keyring_logins import IDENTITY_TOKEN
from dockless.credentials.login_keys import scope
from dockless.credentials.token_source import TokenSource
from dockless.errors import AuthError, DocklessError
from dockless.model.login import Login
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import DOCKER_HUB, docker_key
from dockless.oci.untrusted_json import parse_as

PROGRAM = "docker-credential-dockless"
_NOT_FOUND = "credentials not found in native keychain"
_NO_SERVER = "no credentials server URL"
_NO_USERNAME = "no credentials username"
_USAGE = f"Usage: {PROGRAM} <store|get|erase|list|version>"


class WritableKeyring(credential_sources.Keyring, Protocol):
    """What the protocol needs of a keyring; every method may raise AuthError."""

    def put(self, scope: str, credential: Credential) -> None:
        """Keep a login."""

    def remove(self, scope: str, username: str = "") -> tuple[str, ...]:
        """Remove the scope's logins."""

    def logins(self) -> Sequence[Login]:
        """Return every stored login."""


class HelperKeyrings(Struct, frozen=True, kw_only=True):
    """Where the protocol looks, and where it stores.

    Attributes:
        all: Every available keyring, the preferred one first.
        preferred: Gives the one that new logins go to.
        token_sources: Gives the token sources of a host's kind of registry.
        identity: The account or profile of these tokens.
    """

    all: Sequence[WritableKeyring]
    preferred: Callable[[], WritableKeyring]
    token_sources: Callable[[str], Sequence[TokenSource]] = lambda _: ()
    identity: str = ""


class Reply(NamedTuple):
    """How the program ends: its exit status, and what it writes to stdout; maybe a secret."""

    code: int
    output: Secret


def handle(arguments: Sequence[str], stdin: bytes, keyrings: HelperKeyrings, version: str) -> Reply:
    """Answer one call.

    Args:
        arguments: What follows the program's name.
        stdin: What the caller wrote: a server, or with `store` a login as JSON.
        keyrings: Where the logins are.
        version: Our version.
    """
    if len(arguments) != 1:
        return _failed(_USAGE)
    action = arguments[0]
    if action in ("version", "--version", "-v"):
        return _said(f"{PROGRAM} (dockless) {version}\n")
    steps: Mapping[str, Callable[[str, HelperKeyrings], Reply]] = {
        "get": _get,
        "store": _store,
        "erase": _erase,
        "list": _list,
    }
    if action not in steps:
        return _failed(f"Unknown credential action `{action}`")
    # lines are run together, as the Go scanner does
    text = "".join(stdin.decode(errors="surrogateescape").splitlines())
    try:
        return steps[action](text, keyrings)
    except DocklessError as error:
        return _failed(str(error))


def server_url(kept_for: str) -> str:
    """Return docker's name for the scope of a login."""
    host, slash, path = kept_for.partition("/")
    if host != DOCKER_HUB:
        return kept_for
    # docker keeps the tokens of its web login under further paths of this URL
    return f"{docker_key(host)}{path.removeprefix('v1/')}" if slash else docker_key(host)


def _get(server: str, keyrings: HelperKeyrings) -> Reply:
    server = server.strip()
    if not server:
        return _failed(_NO_SERVER)
    found = _found(scope(server), keyrings)
    if found is None:
        return _failed(_NOT_FOUND)
    user = IDENTITY_TOKEN if found.identity_token else found.username
    secret = found.identity_token or found.password
    return _said(_json({"ServerURL": server, "Username": user, "Secret": secret.reveal()}))


def _found(wanted: str, keyrings: HelperKeyrings) -> Credential | None:
    failed: AuthError | None = None
    for keyring in keyrings.all:
        try:
            if login := keyring.get(wanted):
                return login
        except AuthError as error:  # such as the desktop's, in the user namespace of podman
            failed = failed or error
    for token_source in keyrings.token_sources(wanted):
        token = token_source.missing or credential_sources.kept_token(
            wanted, token_source, keyrings.all, keyrings.identity
        )
        if isinstance(token, Credential):
            return token
    if failed:
        raise failed
    return None


def _store(text: str, keyrings: HelperKeyrings) -> Reply:
    members = _members(text)
    if members is None:
        return _failed("the credential to store is not JSON with ServerURL, Username and Secret")
    server, user, secret = members
    if not server:
        return _failed(_NO_SERVER)
    if not user:
        return _failed(_NO_USERNAME)
    credential = (
        Credential(username="", password=Secret(""), identity_token=Secret(secret))
        if user == IDENTITY_TOKEN
        else Credential(username=user, password=Secret(secret))
    )
    keyrings.preferred().put(scope(server), credential)
    return _said("")


class _HelperLogin(Struct, frozen=True):
    """A login as Docker stores one."""

    server: str = field(default="", name="ServerURL")
    user: str = field(default="", name="Username")
    secret: str = field(default="", name="Secret")


def _members(text: str) -> tuple[str, str, str] | None:
    try:
        login = parse_as(text, _HelperLogin)
    except ValueError:
        return None
    return login.server.strip(), login.user, login.secret


def _erase(server: str, keyrings: HelperKeyrings) -> Reply:
    server = server.strip()
    if not server:
        return _failed(_NO_SERVER)
    for keyring in keyrings.all:
        keyring.remove(scope(server))
    return _said("")


def _list(_: str, keyrings: HelperKeyrings) -> Reply:
    users = {
        server_url(login.scope): login.username
        for keyring in reversed(keyrings.all)
        for login in keyring.logins()
        if login.default
    }
    return _said(_json(dict(sorted(users.items()))))


def _json(value: Mapping[str, str]) -> str:
    """Return JSON as Go's encoder writes it: compact, HTML escaped, with a line's end."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return f"{text}\n"


def _said(text: str) -> Reply:
    return Reply(0, Secret(text))


def _failed(text: str) -> Reply:
    return Reply(1, Secret(f"{text}\n"))
