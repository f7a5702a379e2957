"""Microsoft's registries: Azure Container Registry.

A service principal from the environment comes first, as in the Azure SDKs; else the token that
`az acr login --expose-token` gives, which is a refresh token that lives three hours.
"""

import base64
import time
from collections.abc import Mapping
from functools import partial

from dockless.credentials import programs
from dockless.credentials.token_source import TokenSource
from dockless.model.secret import Credential, Secret
from dockless.oci.untrusted_json import is_number, parse_json

TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - the user of every token
_HOUR = 3600.0
_SEGMENTS = 3


def token_sources(host: str, environment: Mapping[str, str]) -> tuple[TokenSource, ...]:
    """Return the sources of a credential, the preferred one first."""
    wanted = ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    unset = [name for name in wanted if not environment.get(name)]
    return (
        TokenSource(
            "service principal",
            f"{' and '.join(unset)} not set" if unset else "",
            partial(_from_principal, environment),
        ),
        TokenSource(
            "az", programs.missing("az", environment), partial(_from_az, host, environment)
        ),
    )


def _from_principal(environment: Mapping[str, str]) -> Credential | str:
    secret = Secret(environment["AZURE_CLIENT_SECRET"])
    return Credential(
        username=environment["AZURE_CLIENT_ID"], password=secret, origin="service principal"
    )


def _from_az(host: str, environment: Mapping[str, str]) -> Credential | str:
    name, _, suffix = host.partition(".")
    argv = ("az", "acr", "login", "--name", name, "--suffix", suffix, "--expose-token")
    answer = programs.ask((*argv, "--output=json"), environment)
    if isinstance(answer, str):
        return answer
    members = programs.members(answer) or {}
    text = members.get("accessToken")
    token = Secret(text if isinstance(text, str) else "")
    if not programs.is_token(token):
        return "az printed something that is not a token"
    return Credential(
        username=TOKEN_USER, password=token, origin="az", expires=time.time() + _life(token)
    )


def _life(token: Secret) -> float:
    """Return the lifetime of a token in seconds, from its own claims; an hour without them.

    Its own times are compared with one another, never with our clock, which may be wrong.
    """
    parts = token.reveal().split(".")
    try:
        payload = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = parse_json(base64.urlsafe_b64decode(payload))
        ends, begins = claims["exp"], claims.get("iat", claims.get("nbf"))
        life = ends - begins if is_number(ends) and is_number(begins) else 0.0
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError):
        return _HOUR
    return life if len(parts) == _SEGMENTS and life > 0 else _HOUR
