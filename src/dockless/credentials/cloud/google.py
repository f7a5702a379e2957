"""Google's registries: gcr.io and Artifact Registry.

Their tokens come from Application Default Credentials when a file of them is named
(`GOOGLE_APPLICATION_CREDENTIALS`), else from gcloud, whose login is the one that a person at a
terminal has made, else from what else google-auth finds: gcloud's default credentials, or the
metadata server of a machine at Google.
"""

import importlib
import importlib.util
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from dockless.credentials import programs
from dockless.credentials.ignored import is_ignored
from dockless.credentials.token_source import TokenSource
from dockless.errors import UsageError
from dockless.model.reasons import kind
from dockless.model.secret import Credential, Secret

KEY_USER = "_json_key"
_TOKEN_USER = "oauth2accesstoken"  # noqa: S105 - the name that goes with every token, no secret
_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_LARGEST_KEY_BYTES = 64 << 10
# gcloud does not tell when its token ends: it lives an hour, and one with less than five minutes
# left is renewed by gcloud itself
_GCLOUD_SECONDS = 300.0


def token_sources(environment: Mapping[str, str]) -> tuple[TokenSource, ...]:
    """Return the sources of tokens, the preferred one first."""
    adc = TokenSource(
        "Application Default Credentials", _auth_missing(), partial(_from_adc, environment)
    )
    gcloud = TokenSource(
        "gcloud", programs.missing("gcloud", environment), partial(_from_gcloud, environment)
    )
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    return (adc, gcloud) if named else (gcloud, adc)


def read_key(path: Path, context: Path | None) -> Credential:
    """Return a service account's key as a login for Google's registries.

    Args:
        path: The key, JSON as Google gives it.
        context: The build context, whose files end up in images; None for none.

    Raises:
        UsageError: It is not such a key, or it is in the build context and not ignored there.
    """
    if not path.is_file() or path.stat().st_size > _LARGEST_KEY_BYTES:
        raise UsageError(f"There is no key file {path}.", "Check --key-file.")
    if context and _lies_in(path, context) and not is_ignored(path.resolve(), context.resolve()):
        raise UsageError(
            f"{path} lies in the build context {context}, from where it can get into an image.",
            "Move it out, or name it in .dockerignore.",
        )
    secret = Secret(path.read_text(errors="surrogateescape"))
    members = programs.members(secret)
    wanted = ("client_email", "private_key", "token_uri")
    if not members or members.get("type") != "service_account" or not all(map(members.get, wanted)):
        raise UsageError(
            f"{path} is not the key of a service account.",
            "Download one as JSON: gcloud iam service-accounts keys create.",
        )
    return Credential(username=KEY_USER, password=secret, origin="key file")


def _lies_in(path: Path, context: Path) -> bool:
    return path.resolve().is_relative_to(context.resolve())


def _auth_missing() -> str:
    try:
        there = importlib.util.find_spec("google.auth")
    except ModuleNotFoundError:
        there = None
    return "" if there else "google-auth is not installed (the extra `gcp` of dockless has it)"


def _from_adc(environment: Mapping[str, str]) -> Credential | str:
    auth = importlib.import_module("google.auth")
    transport = importlib.import_module("google.auth.transport.requests")
    named = environment.get("GOOGLE_APPLICATION_CREDENTIALS")
    started = time.time()
    try:
        if named:
            credentials, _ = auth.load_credentials_from_file(named, scopes=[_SCOPE])
        else:
            credentials, _ = auth.default(scopes=[_SCOPE])
        credentials.refresh(transport.Request())
    except Exception as error:  # noqa: BLE001 - its parts raise what they like
        return f"google-auth returned no token: {kind(error)}"
    token = Secret(credentials.token or "")
    if not programs.is_token(token):
        return "google-auth returned no token"
    return Credential(
        username=_TOKEN_USER,
        password=token,
        origin="Application Default Credentials",
        expires=_ends(credentials.expiry, started),
    )


def _ends(expiry: object, started: float) -> float | None:
    """Return when a token ends: google-auth has UTC without saying so, from our own clock."""
    from datetime import UTC, datetime  # noqa: PLC0415 - for this kind only

    if not isinstance(expiry, datetime):
        return None
    ends = expiry.replace(tzinfo=UTC).timestamp()
    # a token that was just made and has ended already is a clock's fault, not the token's
    return ends if ends > started else None


def _from_gcloud(environment: Mapping[str, str]) -> Credential | str:
    argv = ("gcloud", "auth", "print-access-token", "--quiet")
    answer = programs.ask(argv, environment)
    if isinstance(answer, str):
        return answer
    if not programs.is_token(answer):
        return "gcloud printed something that is not a token"
    return Credential(
        username=_TOKEN_USER,
        password=answer,
        origin="gcloud",
        expires=time.time() + _GCLOUD_SECONDS,
    )
