"""Prompts at a terminal; without one, an error that names the missing option."""

import contextlib
import sys
from collections.abc import Iterator

import click
from msgspec.structs import replace

from dockless.config import naming
from dockless.config.cascade import Settings
from dockless.config.naming import ServerNeeded, Target
from dockless.config.setting import Setting
from dockless.errors import UsageError
from dockless.model.printable import one_line
from dockless.model.schemes import without_scheme
from dockless.model.secret import Secret
from dockless.oci.reference import Name


def at_terminal() -> bool:
    """Whether a prompt is possible."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def target(settings: Settings, source_name: Name | None) -> tuple[Settings, Target]:
    """Return where the image goes, asking for the registry's host if only that is missing.

    Returns:
        The settings, with what was answered, and the target.
    """
    try:
        return settings, naming.target(settings, source_name)
    except ServerNeeded:
        if not at_terminal():
            raise
        host = without_scheme(line("Registry (HOST or HOST:PORT)"), "the answer").rstrip("/")
        settings = replace(settings, server=Setting(host, "prompt"))
        return settings, naming.target(settings, source_name)


def may_build() -> bool:
    """Ask whether to build the missing image."""
    if not at_terminal():
        return False
    with _terminal_errors():
        return click.confirm("Build it now?", default=False, err=True)


def line(text: str, default: str = "") -> str:
    """Ask for one line; an empty answer takes the default, if there is one."""
    if one_line(default) != default:  # it would be shown as it is, and could not be typed
        default = ""
    with _terminal_errors():
        return str(click.prompt(one_line(text), default=default or None, err=True)).strip()


def hidden(text: str) -> Secret:
    """Ask for a secret, which the terminal does not show."""
    with _terminal_errors():
        return Secret(str(click.prompt(one_line(text), hide_input=True, err=True)))


def piped() -> str:
    """Return standard input; bytes that are not UTF-8 go out as they came in."""
    try:
        data = sys.stdin.buffer.read()
    except OSError as error:
        raise UsageError(
            f"The password cannot be read from standard input: {error.strerror}.",
            "Pass it with --password-stdin from a pipe or a file.",
        ) from None
    return data.decode(errors="surrogateescape")


@contextlib.contextmanager
def _terminal_errors() -> Iterator[None]:
    """Turn a closed terminal, or input that is not text, into a UsageError."""
    import termios  # noqa: PLC0415 - for questions only

    try:
        yield
    except (OSError, termios.error) as error:
        raise UsageError(
            f"The terminal cannot be read: {error.args[-1]}.",
            "Run it again at a terminal, or give the answer as an option.",
        ) from None
    except UnicodeDecodeError:
        raise UsageError(
            "The input is not UTF-8.", "Give it with an option, or with --password-stdin."
        ) from None
