"""Where the credential of a login comes from."""

import os
from pathlib import Path

from msgspec import Struct

from dockless.cli import ask, ways
from dockless.credentials import places
from dockless.model import kinds
from dockless.model.errors import UsageError
from dockless.model.secret import Credential, Secret
from dockless.settings.cascade import Settings
from dockless.settings.registries import LoginTarget


class Given(Struct, frozen=True):
    """What the command line says of who we are."""

    username: str
    password_stdin: bool
    key_file: Path | None


def obtain(
    given: Given, settings: Settings, target: LoginTarget, folder: Path | None
) -> tuple[Credential, str]:
    """Return the credential to log in with: given, of the kind's own source, or asked for.

    Args:
        given: What the command line says.
        settings: The project's settings.
        target: The registry.
        folder: The project's folder, which is its build context; None where there is no project.

    Returns:
        The credential; and the name of the source that gives it anew each time, empty for one
        that has to be kept.

    Raises:
        UsageError: A part of it is missing, and nobody can be asked.
    """
    if given.key_file:
        from dockless.credentials.gcr import read_key  # noqa: PLC0415 - for one kind

        return read_key(given.key_file, folder), ""
    username = given.username or os.environ.get("DOCKLESS_USERNAME", "")
    likely = username or _account(settings, target) or target.kind.token_user
    if given.password_stdin:
        password = Secret(ask.piped().rstrip("\r\n"))
        return places.login(likely, password, "standard input"), ""
    password = Secret(os.environ.get("DOCKLESS_PASSWORD", ""))
    if password and username:
        return places.login(username, password, "environment"), ""
    reasons: list[str] = []
    if not username:
        for way in ways.ways(target.host, os.environ):
            found = way.missing or way.ask()
            if isinstance(found, Credential):
                return found, way.name
            reasons.append(f"{way.name}: {found}")
    if target.kind is kinds.ECR:
        raise UsageError(
            f"No token for {target.host} can be had. {'; '.join(reasons)}.",
            "Install `dockless[aws]` or the aws CLI, and configure it.",
        )
    if not ask.at_terminal():
        raise UsageError(
            f"There is no terminal to ask for a username and a password for {target.scope}.",
            "Give --username and --password-stdin.",
        )
    username = username or ask.line(f"Username for {target.scope}", likely)
    password = ask.hidden(f"Password for {username} at {target.scope}")
    return places.login(username, password, "prompt"), ""


def _account(settings: Settings, target: LoginTarget) -> str:
    """Return the username that the project's settings have for this registry."""
    known = settings.registry or settings.implied
    if settings.username is None or (known and known.value is not target.kind):
        return ""
    return settings.username.value
