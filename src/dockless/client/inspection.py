"""The checks of `dockless doctor`, for this user."""

import contextlib
import os
from functools import partial

from msgspec.structs import replace

from dockless.config.cascade import Settings, project_settings
from dockless.config.setting import Setting
from dockless.credentials.credential_finder import CredentialFinder
from dockless.credentials.given import read_given
from dockless.credentials.prompting import Prompter, hidden_prompt
from dockless.diagnosis.asked_registry import Asked
from dockless.diagnosis.examination import Examination, UserLogins
from dockless.errors import DocklessError
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
    settings = _settings(options)
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


def _settings(options: CommandOptions) -> Settings:
    """Return the project's settings for credentials; none where it cannot be read."""
    with contextlib.suppress(DocklessError, OSError):
        return project_settings(options.username, os.environ)
    account = Setting(options.username, "--username") if options.username else None
    return replace(Settings(project=lambda: Setting("", "")), username=account)
