"""The rows of `--explain` about the credential, for this user."""

from collections.abc import Iterator

from dockless.client import accounts
from dockless.config.cascade import Settings
from dockless.config.naming import Target
from dockless.credentials.credential_sources import Given
from dockless.credentials.prompting import Prompter
from dockless.diagnosis.explain import Row, found_rows, given_rows
from dockless.model.options import CommandOptions


def credential_rows(
    prompter: Prompter, options: CommandOptions, settings: Settings, target: Target
) -> Iterator[Row]:
    """Yield the rows of `--explain` about who pushes; no program is run."""
    account = settings.username.value if settings.username else ""
    if options.password_stdin or options.password is not None:
        origin = "--password-stdin" if options.password_stdin else "--password"
        yield from given_rows(account, origin)
        return
    who = Given(options.username or "", None, account)
    yield from found_rows(accounts.explain(prompter, settings, who, target.repository.value))
