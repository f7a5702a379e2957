"""The checks of `dockless doctor`, for this user."""

import contextlib
import os
from functools import partial

from msgspec.structs import replace

from dockless.client import accounts
from dockless.config.cascade import Settings
from dockless.config.setting import Setting
from dockless.credentials.given import read_given
from dockless.credentials.prompting import Prompter
from dockless.diagnosis.asked_registry import Asked
from dockless.diagnosis.examination import Examination, RegistryAccess, UserLogins
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
    access = RegistryAccess(
        insecure=options.insecure,
        ca_file=options.ca_file,
        cert_dir=options.cert_dir,
        insecure_realms=options.insecure_realms,
    )
    settings = _settings(options)
    logins = UserLogins(
        settings=settings,
        read_settings=partial(accounts.project_settings, options.username),
        given=read_given(prompter, options, settings.account),
        sources=partial(accounts.sources, prompter, settings=settings),
        terminal=prompter.at_terminal(),
        prompt=accounts.prompt(prompter),
    )
    return Examination(access, asked, logins, os.environ, write=write)


def _settings(options: CommandOptions) -> Settings:
    """Return the project's settings for credentials; none where it cannot be read."""
    with contextlib.suppress(DocklessError, OSError):
        return accounts.project_settings(options.username)
    account = Setting(options.username, "--username") if options.username else None
    return replace(Settings(project=lambda: Setting("", "")), username=account)
