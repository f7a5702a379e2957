"""The credential for a registry, from every place on this machine."""

import os
from collections.abc import Callable, Iterable
from functools import partial

from msgspec.structs import replace

from dockless.config.cascade import Flags, Settings, resolve
from dockless.config.project import project_here
from dockless.credentials import resolve as credential_chain
from dockless.credentials.cloud import token_sources
from dockless.credentials.credential_sources import Given, Sources
from dockless.credentials.prompting import Prompter
from dockless.credentials.resolve import FoundCredential
from dockless.credentials.user_keyrings import Prompt, every_keyring_logins
from dockless.errors import UsageError
from dockless.model.secret import Credential
from dockless.oci.reference import Repository
from dockless.storage.user_folders import home_folder

_GIVEN = ("DOCKLESS_USERNAME", "DOCKLESS_PASSWORD")


def prompt(prompter: Prompter) -> Prompt | None:
    """Return the prompt for the password of an encrypted file; None without a terminal."""
    return prompter.hidden if prompter.at_terminal() else None


def project_settings(username: str | None) -> Settings:
    """Return the project's settings for credentials, for commands without one image."""
    return resolve(Flags(username=username), os.environ, project_here(os.environ, None))


def find(
    prompter: Prompter, settings: Settings, given: Given, repository: Repository
) -> FoundCredential:
    """Return the credential for the registry of a repository, running programs as needed."""
    return credential_chain.find(repository, given, sources(prompter, repository.host, settings))


def find_for(
    prompter: Prompter, target: str, settings: Settings, given: Given, repository: Repository
) -> FoundCredential:
    """Return the same for a push that also reads other registries than its target's.

    Args:
        prompter: Asks for the passphrase of an encrypted keyring.
        target: The host that is pushed to; a login in the options or the environment is for it
            alone.
        settings: The project's settings.
        given: What was given for the push.
        repository: The repository that is pushed to or read.
    """
    if repository.host == target:
        return find(prompter, settings, given, repository)
    there = sources(prompter, repository.host, settings)
    environment = {key: text for key, text in there.environment.items() if key not in _GIVEN}
    return credential_chain.find(repository, Given(), replace(there, environment=environment))


def for_hosts(
    prompter: Prompter, hosts: Iterable[str], settings: Settings, given: Given, what: str
) -> Callable[[Repository], FoundCredential]:
    """Return what finds the credentials of a command that reads the registries which it is given.

    Files that are not the user's own may name these registries, so that a password in the options
    or the environment is used for one of them only.

    Args:
        prompter: Asks for the passphrase of an encrypted keyring.
        hosts: Every registry that is named.
        settings: The project's settings.
        given: What was given for this command.
        what: What names the registries, as the beginning of a message: 'The receipts name'.

    Raises:
        UsageError: One password was given, and there are several registries.
    """
    named = sorted(set(hosts))
    if len(named) > 1 and one_password(given):
        raise UsageError(
            f"{what} several registries, {', '.join(named)}, but only one password was given.",
            "Log in to each with `dockless login HOST`, and give no password here.",
        )
    if len(named) > 1:
        return partial(find, prompter, settings, given)
    return partial(find_for, prompter, next(iter(named), ""), settings, given)


def one_password(given: Given) -> bool:
    """Whether a password was given, which is for one registry."""
    return given.password is not None or bool(os.environ.get("DOCKLESS_PASSWORD"))


def as_found(account: Callable[[], Credential | None]) -> Callable[[Repository], FoundCredential]:
    """Return what finds the one credential, which several pushes share."""
    return lambda _: FoundCredential(account(), ())


def explain(
    prompter: Prompter, settings: Settings, given: Given, repository: Repository
) -> FoundCredential:
    """Return what `find` would, running no program."""
    return credential_chain.explain(repository, given, sources(prompter, repository.host, settings))


def sources(prompter: Prompter, host: str, settings: Settings) -> Sources:
    """Return every place where a credential for a registry may be."""
    environment, home = os.environ, home_folder()
    return Sources(
        environment=environment,
        home=home,
        keyrings=lambda: every_keyring_logins(environment, prompt(prompter)),
        configured=settings.login,
        token_sources=token_sources.of_kind(host, environment),
        identity=token_sources.identity(environment),
    )
