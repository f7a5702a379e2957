"""Where the credential of a login comes from."""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from dockless.credentials import credential_sources
from dockless.credentials.cloud import token_sources
from dockless.credentials.prompting import Prompter
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.model.login import LoginTarget
from dockless.model.secret import Credential, Secret


class GivenLogin(Struct, frozen=True, kw_only=True):
    """What is known of a login before any prompt.

    Attributes:
        username: The account of the command line; empty for none.
        password_stdin: Whether standard input is the password.
        key_file: A service account's key of Google Cloud; None for none.
        account: The account that the settings have for this registry; empty for none.
        folder: The project's folder, which is its build context; None where there is no project.
    """

    username: str
    password_stdin: bool
    key_file: Path | None
    account: str
    folder: Path | None


def login_credential(
    prompter: Prompter, given: GivenLogin, target: LoginTarget, environment: Mapping[str, str]
) -> tuple[Credential, str]:
    """Return the credential to log in with: given, of the kind's own source, or asked for.

    Args:
        prompter: Asks for what is missing.
        given: What is known.
        target: The registry.
        environment: For `DOCKLESS_USERNAME`, `DOCKLESS_PASSWORD`, and the sources of tokens.

    Returns:
        The credential; and the name of the source that issues it for each push, empty for one
        that has to be stored.

    Raises:
        UsageError: A part of it is missing, and no prompt is possible.
    """
    if given.key_file:
        from dockless.credentials.cloud.google import read_key  # noqa: PLC0415 - for one kind

        return read_key(given.key_file, given.folder), ""
    variable = environment.get("DOCKLESS_USERNAME", "")
    username = given.username or variable
    likely = username or given.account or target.kind.token_user
    if given.password_stdin:
        password = Secret(prompter.piped().rstrip("\r\n"))
        return credential_sources.login(likely, password, "standard input"), ""
    password = Secret(environment.get("DOCKLESS_PASSWORD", ""))
    anothers = password and variable and variable != username
    if password and username and not anothers:
        return credential_sources.login(username, password, "environment"), ""
    reasons: list[str] = []
    if not username:
        for token_source in token_sources.of_kind(target.host, environment):
            found = token_source.missing or token_source.ask()
            if isinstance(found, Credential):
                return found, token_source.name
            named = token_source.name in found
            reasons.append(found if named else f"{token_source.name}: {found}")
    if target.kind is kinds.ECR:
        raise UsageError(
            f"No token for {target.host} could be obtained. {'; '.join(reasons)}.",
            "Install dockless with its extra `aws`, or boto3 into the same environment, or the aws "
            "CLI; and configure it.",
        )
    if not prompter.at_terminal():
        why = f" DOCKLESS_PASSWORD is for {variable}, not {username}." if anothers else ""
        if username:
            raise UsageError(
                f"There is no terminal to ask for the password of {username} for {target.scope}."
                f"{why}",
                "Give it with --password-stdin.",
            )
        raise UsageError(
            f"There is no terminal to ask for a username and a password for {target.scope}.{why}",
            "Give --username and --password-stdin.",
        )
    username = username or prompter.line(f"Username for {target.scope}", likely)
    password = prompter.hidden(f"Password for {username} at {target.scope}")
    return credential_sources.login(username, password, "prompt"), ""
