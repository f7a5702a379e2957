"""Where the logins of this user come from, for the checks of `dockless doctor`."""

import os
from collections.abc import Callable
from functools import partial

from msgspec import Struct

from dockless.config.cascade import Settings, project_settings, readable_settings
from dockless.credentials.credential_finder import CredentialFinder
from dockless.credentials.credential_sources import Given, Sources
from dockless.credentials.prompting import Prompter, hidden_prompt
from dockless.credentials.user_keyrings import Prompt
from dockless.model.options import CommandOptions


class UserLogins(Struct, frozen=True, kw_only=True):
    """Where logins of this user come from.

    Attributes:
        settings: The project's settings; without any where it cannot be read.
        read_settings: Reads them again; raises DocklessError or OSError where they are wrong.
        given: The credential options.
        sources: Returns where a credential for a host may be.
        terminal: Whether there is a terminal to ask at.
        prompt: Asks for the password of an encrypted keyring; None without a terminal.
    """

    settings: Settings
    read_settings: Callable[[], Settings]
    given: Given
    sources: Callable[[str], Sources]
    terminal: bool
    prompt: Prompt | None


def user_logins(options: CommandOptions, prompter: Prompter) -> UserLogins:
    """Return where the logins of this user come from.

    Args:
        options: As whom the registry is reached.
        prompter: Asks for a password where the options want that, here and not later.

    Raises:
        UsageError: An empty password cannot be asked for.
    """
    settings = readable_settings(options.username, os.environ)
    account, login = settings.account, settings.login
    finder = CredentialFinder.of_command(prompter, options, account, login, later=False)
    return UserLogins(
        settings=settings,
        read_settings=partial(project_settings, options.username, os.environ),
        given=finder.given,
        sources=finder.sources,
        terminal=prompter.at_terminal(),
        prompt=hidden_prompt(prompter),
    )
