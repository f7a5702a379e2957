"""Where a command works: the user's environment, its progress on stderr, and its time."""

import contextlib
import gc
import os
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dockless.cli import debug, prompts
from dockless.client.session import Session
from dockless.client.workspace import Spaces, Surroundings, workspaces
from dockless.config.cascade import Settings
from dockless.credentials.credential_finder import CredentialFinder
from dockless.credentials.given import credential
from dockless.credentials.resolve import FindCredential
from dockless.model.options import CommandOptions
from dockless.model.timings import Timings
from dockless.processes import stops
from dockless.processes.terminal import tell
from dockless.report.progress import shown_work
from dockless.storage.machine import this_machine

if TYPE_CHECKING:
    from dockless.model.ended import RunWords


@contextlib.contextmanager
def command_surroundings(
    options: CommandOptions, cache: Path | None = None, many: "RunWords | None" = None
) -> Iterator[Surroundings]:
    """Yield what surrounds a command; its progress is shown as long as the block lasts.

    Args:
        options: The command line.
        cache: The folder of stores that is used in place of the user's; None for that.
        many: How the work is called if it is on many images or hosts; None for one.
    """
    timings = Timings()
    timings.add("start", time.process_time())
    gc.freeze()
    gc.enable()
    machine = this_machine()
    terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not debug.is_on()
    shown, overview = shown_work(
        sys.stderr,
        many,
        quiet=options.quiet,
        terminal=terminal,
        color=not os.environ.get("NO_COLOR"),
    )
    with shown:
        yield Surroundings(
            machine=replace(machine, cache=cache) if cache else machine,
            progress=shown,
            overview=overview,
            warn=_warn if options.quiet else None,
            ask=partial(credential, prompts, options.username),
            moves=stops.moves(),
            timings=timings,
        )


@contextlib.contextmanager
def command_spaces(
    options: CommandOptions, cache: Path | None = None, many: "RunWords | None" = None
) -> Iterator[Spaces]:
    """Yield what makes the workspaces of a command, which ends when its time is over.

    Args:
        options: The command line.
        cache: As for `command_surroundings`.
        many: As there.
    """
    with (
        command_surroundings(options, cache, many) as surroundings,
        workspaces(options, surroundings, stops.until()) as made,
    ):
        yield made


@contextlib.contextmanager
def session(
    options: CommandOptions,
    find: FindCredential,
    cache: Path | None = None,
    many: "RunWords | None" = None,
) -> Iterator[Session]:
    """Yield the session of a command; afterwards nothing of it is left but the store.

    Args:
        options: The command line.
        find: Finds the account and credential for a registry.
        cache: As for `command_surroundings`.
        many: As there.
    """
    with (
        command_spaces(options, cache, many) as space,
        space("") as own,
        Session(options, find, own) as work,
    ):
        yield work


def credential_finder(options: CommandOptions, settings: Settings) -> CredentialFinder:
    """Return what finds the credentials of a command, with what its options give.

    Raises:
        UsageError: An empty password cannot be asked for here.
    """
    return CredentialFinder.of_command(prompts, options, settings.account, settings.login)


def _warn(text: str) -> None:
    tell(f"Warning: {text}")
