"""Login and logout with the keyrings, settings and files of this user."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dockless.config.cascade import Flags, Settings, resolve
from dockless.config.login_memory import Memory, forget
from dockless.config.naming import ServerNeeded
from dockless.config.project import Project, project_in
from dockless.config.registries import account_for, login_target
from dockless.config.usable_settings import usable_settings
from dockless.credentials.cloud import token_sources
from dockless.credentials.configure import helper_files
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.credentials.login_credential import GivenLogin, login_credential
from dockless.credentials.prompting import Prompter, asked, hidden_prompt
from dockless.credentials.user_keyrings import every_keyring_logins, open_keyring_logins
from dockless.errors import UsageError
from dockless.model.login import LoginTarget
from dockless.model.login_options import LoginOptions
from dockless.model.schemes import has_scheme
from dockless.model.secret import Credential
from dockless.storage.user_folders import home_folder, working_folder
from dockless.usecases.login.steps import (
    LoginContext,
    LogoutContext,
    check_tools,
    log_in,
    log_out,
)

Note = Callable[[str], None]


def login(options: LoginOptions, prompter: Prompter, note: Note, until: float | None) -> None:
    """Check a credential at a registry, and store it in a keyring.

    Args:
        options: What is asked for.
        prompter: Asks for what is missing.
        note: Shows one line.
        until: The moment, on the clock of `time.monotonic`, when it is given up; None for none.

    Raises:
        DocklessError: With the exit code of what went wrong.
    """
    folder = working_folder()
    flags = Flags(
        registry=options.registry,
        image=options.image,
        username=options.username,
        namespace=options.namespace,
    )
    files, settings = _settings(flags, folder, note, "login", needed=options.host is None)
    target = _target(options, settings, prompter, note)
    tools = helper_files(
        os.environ,
        home_folder(),
        docker=options.configure_docker,
        containers=options.configure_containers,
    )
    check_tools(target, tools)
    asked = options.remember or options.image is not None or options.namespace is not None
    memory = Memory(folder, files, asked=asked)
    memory.check(settings, target)
    given = GivenLogin(
        username=options.username or "",
        password_stdin=options.password_stdin,
        key_file=options.key_file,
        account=account_for(settings, target),
        folder=folder if folder not in (Path("/"), home_folder()) else None,
    )
    context = LoginContext(
        kept=_keyring(options, prompter),
        credential=partial(login_credential, prompter, given, target, os.environ),
        check=partial(_checked, options, target.host, until),
        remember=partial(memory.remember, settings, target),
        identity=token_sources.identity(os.environ),
        tools=tools,
        note=note,
        clock=time.time,
    )
    log_in(target, options.ttl, context)


def _settings(
    flags: Flags, folder: Path | None, note: Note, what: str, *, needed: bool
) -> tuple[Project, Settings]:
    """Return the project and its settings; with HOST no error in its files stops the command."""
    if needed:
        files = project_in(folder, os.environ)
        return files, resolve(flags, os.environ, files)
    return usable_settings(
        flags,
        folder,
        os.environ,
        lambda error: note(f"Warning: {error.what} This {what} continues without it."),
    )


def _target(
    options: LoginOptions, settings: Settings, prompter: Prompter, note: Note
) -> LoginTarget:
    try:
        return login_target(options.host, settings)
    except ServerNeeded:
        if not prompter.at_terminal():
            raise
        return asked(
            lambda: login_target(prompter.line("Registry (HOST or HOST:PORT)"), settings),
            note,
            UsageError,
        )


def _keyring(options: LoginOptions, prompter: Prompter) -> KeyringLogins:
    """Return the keyring for the login; opened before the user or the registry is asked."""
    ttl = None if options.ttl is None else max(1, int(options.ttl))
    found = open_keyring_logins(options.keyring, os.environ, hidden_prompt(prompter), ttl)
    found.logins()  # a keyring that is locked is found out before anything is asked
    return found


def _checked(options: LoginOptions, host: str, until: float | None, credential: Credential) -> bool:
    """Check that the registry accepts a credential; return whether it requires one."""
    from dockless.registry.login_check import check_login  # noqa: PLC0415 - after all questions

    return check_login(host, options, until, credential, os.environ)


def logout(
    host: str | None, username: str, prompter: Prompter, note: Note, *, everything: bool
) -> None:
    """Remove logins from every keyring, and what the files of tools and the project say of them.

    Args:
        host: The registry, or a namespace in one; None for the one of the settings.
        username: Whose login is removed; empty for everybody's.
        prompter: Asks for the password of an encrypted keyring.
        note: Shows one line.
        everything: Whether every login is removed, whatever it is for.

    Raises:
        DocklessError: A keyring or a file cannot be read or changed; it says what was removed
            nevertheless.
    """
    folder = working_folder()
    if folder is None or not os.access(folder, os.R_OK | os.X_OK):
        folder = None
    needed = host is None and not everything
    files, settings = _settings(Flags(), folder, note, "logout", needed=needed)
    context = LogoutContext(
        held=every_keyring_logins(os.environ, hidden_prompt(prompter)),
        tools=helper_files(os.environ, home_folder()),
        forget=partial(forget, folder, files),
        note=note,
    )
    if host and has_scheme(host):  # nothing is sent there, so that its scheme does not matter
        host = host.partition("://")[2]
    scopes = None if everything else [login_target(host, settings).scope]
    log_out(scopes, username, context)
