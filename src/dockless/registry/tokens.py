"""Answers to a registry's challenge: basic authentication, or a token from its token service.

The token protocol is that of the distribution project (docs/spec/auth/token.md and oauth.md).
"""

import math
import time
from urllib.parse import urlencode

from msgspec import Struct

from dockless.errors import AuthError, PushError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Secret, remember, remember_secret
from dockless.oci.untrusted_json import is_number, parse_json
from dockless.registry.challenges import Challenge, is_web_address
from dockless.transport.http import HttpClient, Response
from dockless.transport.origins import goes_along, may_have_secret

_UNAUTHORIZED, _FORBIDDEN, _BAD_REQUEST = 401, 403, 400
_OK = 200
_DEFAULT_LIFE_SECONDS = 60.0  # where the service does not say, by the specification
_LONGEST_LIFE_SECONDS = 10 * 365 * 24 * 3600
_MARGIN_SECONDS = 30.0
_LONGEST_SAID = 200


class Authorization(Struct, frozen=True, kw_only=True):
    """An authorization.

    Attributes:
        header: The Authorization header.
        token: The token in it; None for basic authentication, which has none.
        renew: The moment, on the clock of `time.monotonic`, from which a new one is wanted.
        ends: The moment when it ends.
    """

    header: Secret
    token: Secret | None = None
    renew: float = math.inf
    ends: float = math.inf


def authorize(
    http: HttpClient, challenge: Challenge, credential: Credential | None, scope: str
) -> Authorization | None:
    """Return the authorization for a challenge; None for anonymous.

    Raises:
        AuthError: The token service does not accept the credential.
        NetworkError: The token service cannot be reached.
    """
    remember(credential)
    if challenge.scheme == "basic":
        if credential is None:
            return None
        return Authorization(header=Secret(f"Basic {credential.basic().reveal()}"))
    # from before the question: its moments are compared with one another on our clock alone
    asked = time.monotonic()
    token, life = _token(http, challenge, credential, scope)
    remember_secret(token)
    header = Secret(f"Bearer {token.reveal()}")
    margin = min(_MARGIN_SECONDS, life / 4)
    return Authorization(header=header, token=token, renew=asked + life - margin, ends=asked + life)


def _token(
    http: HttpClient, challenge: Challenge, credential: Credential | None, scope: str
) -> tuple[Secret, float]:
    realm = challenge.parameters.get("realm", "")
    if not is_web_address(realm):
        raise PushError(
            f"{http.endpoint.host} names no usable token service: its realm is {_shown(realm)!r}.",
            "Ask the registry's operator to configure the URL of its token service.",
        )
    if credential and not may_have_secret(realm, http.endpoint):
        raise AuthError(
            f"{http.endpoint.host} asks for the credential to be sent without TLS, to "
            f"{_shown(realm)}.",
            "Nothing was sent. Ask the registry's operator to use https for its token service, or "
            "name its host with --insecure-realm if that network can be trusted.",
        )
    query = {"service": challenge.parameters.get("service", "")}
    if scope:
        query["scope"] = scope
    response = _asked(http, realm, query, credential)
    strayed = next((url for url in response.via if not goes_along(realm, url)), None)
    if credential and strayed:  # it was not sent there, so the token is that of a guest
        from dockless.transport.redirects import astray  # noqa: PLC0415 - rare

        raise astray(realm, strayed)
    return _read_token(response, http.endpoint, credential)


def _asked(
    http: HttpClient, realm: str, query: dict[str, str], credential: Credential | None
) -> Response:
    """Ask a token service for a token: with an identity token by POST, else by GET."""
    if credential and credential.identity_token:
        form = query | {
            "grant_type": "refresh_token",
            "client_id": "dockless",
            "refresh_token": credential.identity_token.reveal(),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(form, errors="surrogatepass").encode()
        return http.ask("POST", realm, headers, body)
    headers = {"Authorization": f"Basic {credential.basic().reveal()}"} if credential else {}
    joint = "&" if "?" in realm else "?"
    return http.ask("GET", f"{realm}{joint}{urlencode(query)}", headers)


def _shown(realm: str) -> str:
    from dockless.model.blotting import blotted  # noqa: PLC0415 - rare

    return blotted(realm)[:_LONGEST_SAID]


def _read_token(
    response: Response, endpoint: Endpoint, credential: Credential | None
) -> tuple[Secret, float]:
    """Return the token, and how many seconds it lives."""
    if response.status in (_UNAUTHORIZED, _FORBIDDEN, _BAD_REQUEST):
        raise refused(endpoint, credential, response)
    try:
        members = parse_json(response.body)
        token = members.get("token") or members.get("access_token")
        life = members.get("expires_in")
    except (ValueError, AttributeError, RecursionError):
        token, life = None, None
    # one that is not a word of printable ASCII cannot be in a header
    word = isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token
    if response.status != _OK or not isinstance(token, str) or not token or not word:
        raise PushError(
            f"The token service of {endpoint.host} issued no token (status {response.status})."
        )
    known = is_number(life) and 0 < life <= _LONGEST_LIFE_SECONDS
    return Secret(token), float(life) if known else _DEFAULT_LIFE_SECONDS


def refused(
    endpoint: Endpoint,
    credential: Credential | None,
    response: Response | None = None,
    *,
    source: bool = False,
) -> AuthError:
    """Return the error for a credential, or its lack, that a registry does not accept.

    Args:
        endpoint: The registry.
        credential: What it was given; None for nothing.
        response: The answer of the registry, or of its token service, whose words are shown.
        source: Whether it is only read, so that the options for the target do not count.
    """
    host = endpoint.host
    if credential is None:
        options = "" if source else ", or give --username and --password-stdin"
        return AuthError(
            f"{host} requires a credential, and none was found for it.",
            endpoint.login or f"Log in with `dockless login {host}`{options}.",
        )
    from dockless.registry.login_words import login_words  # noqa: PLC0415 - rare

    origin = f" (from {credential.source})" if credential.origin else ""
    said = login_words(response) if response else ""
    return AuthError(
        f"{host} rejects the credential of user {credential.username or '<token>'}{origin}"
        f"{f': {said}' if said else ''}.",
        "Check the username and the password or token.",
    )
