"""The credentials of one command, from every place on this machine."""

import os
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from dockless.credentials import resolve
from dockless.credentials.cloud import token_sources
from dockless.credentials.credential_sources import Given, Sources
from dockless.credentials.given import read_given
from dockless.credentials.prompting import Prompter, hidden_prompt
from dockless.credentials.resolve import FindCredential, FoundCredential
from dockless.errors import UsageError
from dockless.model.login import ConfiguredLogin
from dockless.model.options import CommandOptions
from dockless.oci.reference import Repository
from dockless.storage.user_folders import home_folder

if TYPE_CHECKING:
    from dockless.credentials.keyring_logins import KeyringLogins

_GIVEN = ("DOCKLESS_USERNAME", "DOCKLESS_PASSWORD")


class CredentialFinder(Struct, frozen=True, kw_only=True):
    """Finds the credentials of one command.

    Attributes:
        prompter: Asks for the passphrase of an encrypted keyring.
        configured: The login of the project's configuration.
        given: What was given for this command.
        environment: The environment.
        home: The user's home folder.
    """

    prompter: Prompter
    configured: ConfiguredLogin | None
    given: Given
    environment: Mapping[str, str]
    home: Path

    @classmethod
    def of_user(
        cls, prompter: Prompter, configured: ConfiguredLogin | None, given: Given | None = None
    ) -> "CredentialFinder":
        """Return the finder for this user; the arguments are those of the class."""
        return cls(
            prompter=prompter,
            configured=configured,
            given=given or Given(),
            environment=os.environ,
            home=home_folder(),
        )

    @classmethod
    def of_command(
        cls,
        prompter: Prompter,
        options: CommandOptions,
        account: str,
        configured: ConfiguredLogin | None,
        *,
        later: bool = True,
    ) -> "CredentialFinder":
        """Return the finder for a command line, whose password is read or asked for here.

        Args:
            prompter: Asks.
            options: The command line.
            account: The username of the settings; empty for none.
            configured: The login of the project's configuration.
            later: Whether an empty password is asked for when a registry requires one, and not now.

        Raises:
            UsageError: An empty password cannot be asked for here.
        """
        return cls.of_user(
            prompter, configured, read_given(prompter, options, account, later=later)
        )

    def find(self, repository: Repository) -> FoundCredential:
        """Return the credential for the registry of a repository, running programs as needed."""
        return resolve.find(repository, self.given, self.sources(repository.host))

    def explain(self, repository: Repository) -> FoundCredential:
        """Return what `find` would, running no program."""
        return resolve.explain(repository, self.given, self.sources(repository.host))

    def for_target(self, host: str) -> FindCredential:
        """Return what finds credentials for a push that also reads other registries.

        Args:
            host: The registry that is pushed to; a login in the options or the environment is for
                it alone.
        """
        return partial(self._find_for, host)

    def for_hosts(self, hosts: Iterable[str], what: str) -> FindCredential:
        """Return what finds the credentials for the registries that files or sources name.

        Files that are not the user's own may name these registries, so that a password in the
        options or the environment is used for one of them only.

        Args:
            hosts: Every registry that is named.
            what: What names the registries, as the beginning of a message: 'The receipts name'.

        Raises:
            UsageError: One password was given, and there are several registries.
        """
        named = sorted(set(hosts))
        if len(named) > 1 and self.has_one_password:
            raise UsageError(
                f"{what} several registries, {', '.join(named)}, but only one password was given.",
                "Log in to each with `dockless login HOST`, and give no password here.",
            )
        return self.find if len(named) > 1 else self.for_target(next(iter(named), ""))

    @property
    def has_one_password(self) -> bool:
        """Whether a password was given, which is for one registry."""
        given = self.given.password is not None or self.given.asks
        return given or bool(self.environment.get("DOCKLESS_PASSWORD"))

    def sources(self, host: str) -> Sources:
        """Return every place where a credential for a registry may be."""
        environment = self.environment
        return Sources(
            environment=environment,
            home=self.home,
            keyrings=self._keyrings,
            configured=self.configured,
            token_sources=token_sources.of_kind(host, environment),
            identity=token_sources.identity(environment),
        )

    def _keyrings(self) -> "tuple[KeyringLogins, ...]":
        from dockless.credentials.user_keyrings import (  # noqa: PLC0415 - a password may be given
            every_keyring_logins,
        )

        return every_keyring_logins(self.environment, hidden_prompt(self.prompter))

    def _find_for(self, host: str, repository: Repository) -> FoundCredential:
        if repository.host == host:
            return self.find(repository)
        there = self.sources(repository.host)
        environment = {key: text for key, text in there.environment.items() if key not in _GIVEN}
        return resolve.find(repository, Given(), replace(there, environment=environment))
