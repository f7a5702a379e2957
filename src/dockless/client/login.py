"""Login and logout with the keyrings, settings and files of this user."""

import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dockless.config.cascade import Flags, Settings
from dockless.config.login_memory import Memory, forget
from dockless.config.naming import ServerNeeded
from dockless.config.project import is_project
from dockless.config.registries import account_for, login_target
from dockless.config.usable_settings import usable_settings
from dockless.credentials.cloud import token_sources
from dockless.credentials.configure import helper_files, unseen_by_containers
from dockless.credentials.login_credential import GivenLogin, login_credential
from dockless.credentials.prompting import Prompter, asked, hidden_prompt
from dockless.credentials.user_keyrings import every_keyring_logins, keyring_for_login
from dockless.errors import DocklessError, UsageError
from dockless.model.login import LoginTarget
from dockless.model.login_options import LoginOptions
from dockless.model.schemes import has_scheme
from dockless.model.usernames import check_username
from dockless.registry.login_check import check_login
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
    needed = options.host is None
    files, settings = usable_settings(
        flags, folder, os.environ, _without(note, "login"), needed=needed
    )
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
        folder=_build_context(folder),
    )
    # opened before the user or the registry is asked
    kept = keyring_for_login(options.keyring, os.environ, hidden_prompt(prompter), options.ttl)
    root = not options.configure_containers or os.geteuid() == 0
    context = LoginContext(
        kept=kept,
        credential=partial(login_credential, prompter, given, target, os.environ),
        check=partial(check_login, target.host, options, os.environ, until),
        remember=partial(memory.remember, settings, target),
        identity=token_sources.identity(os.environ),
        tools=tools,
        note=note,
        clock=time.time,
        unseen=unseen_by_containers(kept.choice, root=root),
    )
    log_in(target, options.ttl, context)


def _build_context(folder: Path | None) -> Path | None:
    """Return the folder if it is a project's, the files of which may get into an image."""
    if folder is None or folder in (Path("/"), home_folder()):
        return None
    return folder if is_project(folder) else None


def _without(note: Note, what: str) -> Callable[[DocklessError], None]:
    """Return what says that a command continues without a file that cannot be used."""
    return lambda error: note(f"Warning: {error.what} This {what} continues without it.")


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
    check_username(username)
    folder = working_folder()
    if folder is None or not os.access(folder, os.R_OK | os.X_OK):
        folder = None
    needed = host is None and not everything
    files, settings = usable_settings(
        Flags(), folder, os.environ, _without(note, "logout"), needed=needed
    )
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
