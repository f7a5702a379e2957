"""The checks of `dockless doctor`, for this user."""

import os
from functools import partial

from dockless.config.cascade import project_settings, readable_settings
from dockless.credentials.credential_finder import CredentialFinder
from dockless.credentials.given import read_given
from dockless.credentials.prompting import Prompter, hidden_prompt
from dockless.diagnosis.asked_registry import Asked
from dockless.diagnosis.examination import Examination, UserLogins
from dockless.model.options import CommandOptions


def examination(
    options: CommandOptions, asked: Asked | None, prompter: Prompter, *, write: bool
) -> Examination:
    """Return the checks of `dockless doctor`.

    Args:
        options: How the registry is reached, and as whom.
        asked: The registry; None for this machine alone.
        prompter: Asks for a password where the options want that, here and not later.
        write: Whether what can only be tried by writing is tried.

    Raises:
        UsageError: An empty password cannot be asked for.
    """
    settings = readable_settings(options.username, os.environ)
    given = read_given(prompter, options, settings.account)
    logins = UserLogins(
        settings=settings,
        read_settings=partial(project_settings, options.username, os.environ),
        given=given,
        sources=CredentialFinder.of_user(prompter, settings.login, given).sources,
        terminal=prompter.at_terminal(),
        prompt=hidden_prompt(prompter),
    )
    return Examination(options, asked, logins, os.environ, write=write)
