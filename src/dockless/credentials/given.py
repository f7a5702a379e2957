"""The credential of a command line: from its options, standard input, or a prompt."""

from dockless.credentials.credential_sources import Given
from dockless.credentials.prompting import Prompter
from dockless.errors import AuthError, UsageError
from dockless.model.options import CommandOptions
from dockless.model.secret import Credential, Secret
from dockless.model.usernames import check_username


def read_given(
    prompter: Prompter, options: CommandOptions, account: str, *, later: bool = False
) -> Given:
    """Return what was given for this push: options, standard input, or a prompt.

    Args:
        prompter: Asks.
        options: The command line.
        account: The username of the settings; empty for none.
        later: Whether an empty password is asked for when a registry requires one, and not now.

    Raises:
        UsageError: An empty password cannot be asked for here, or the username is none.
    """
    check_username(options.username)
    asks = options.password is not None and not options.password
    if asks and later and prompter.at_terminal():
        return Given(username=options.username or "", account=account, origin="prompt", asks=True)
    return Given(
        username=options.username or "",
        password=_password(prompter, options, account),
        account=account,
        origin=_origin(options),
    )


def _origin(options: CommandOptions) -> str:
    if options.password_stdin:
        return "standard input"
    # an empty one is asked for
    return "command line" if options.password or options.password is None else "prompt"


def _password(prompter: Prompter, options: CommandOptions, account: str) -> Secret | None:
    if options.password_stdin:
        return Secret(prompter.piped().rstrip("\r\n"))
    if options.password:
        return options.password
    if options.password is None:
        return None
    if not prompter.at_terminal():
        raise UsageError(
            "--password is empty, and there is no terminal to ask for it.",
            "Give it with --password-stdin.",
        )
    return prompter.hidden(f"Password for {account}" if account else "Password")


def credential(
    prompter: Prompter, username: str | None, host: str, refused: AuthError, account: str = ""
) -> Credential:
    """Ask for the credential of a registry; raise its refusal where no prompt is possible.

    Args:
        prompter: Asks.
        username: The username of the command line; None for none.
        host: The registry.
        refused: Its refusal.
        account: The username that is taken where the command line has none; empty to ask for it.
    """
    if not prompter.at_terminal():
        raise refused
    username = username or account or prompter.line(f"Username for {host}")
    return Credential(
        username=username,
        password=prompter.hidden(f"Password for {username} at {host}"),
        origin="prompt",
    )
