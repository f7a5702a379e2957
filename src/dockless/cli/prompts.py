"""Prompts at a terminal; without one, an error that names the missing option."""

import contextlib
import sys
from collections.abc import Iterator
from functools import partial

import click
from msgspec.structs import replace

from dockless.config import naming
from dockless.config.cascade import Settings
from dockless.config.naming import ServerNeeded, Target
from dockless.config.setting import Setting
from dockless.credentials.prompting import TRIES, NoAnswerError, asked
from dockless.errors import UsageError
from dockless.model.printable import one_line
from dockless.model.schemes import without_scheme
from dockless.model.secret import Secret
from dockless.oci.reference import Name
from dockless.processes.stops import without_grace
from dockless.processes.terminal import say

_tell = partial(say, err=True)


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

    def ask() -> tuple[Settings, Target]:
        answer = without_scheme(line("Registry (HOST or HOST:PORT)"), "the answer").rstrip("/")
        known = replace(settings, server=Setting(answer, "prompt"))
        return known, naming.target(known, source_name)

    return asked(ask, _tell, UsageError)


def may_build() -> bool:
    """Ask whether to build the missing image."""
    answers = {"": False, "n": False, "no": False, "y": True, "yes": True}
    if not at_terminal():
        return False
    for _ in range(TRIES):
        with _terminal_errors():
            typed = click.prompt("Build it now? [y/N]", default="", show_default=False, err=True)
        if (answer := answers.get(str(typed).strip().lower())) is not None:
            return answer
        _tell("Answer y or n.")
    return False


def line(text: str, default: str = "") -> str:
    """Ask for one line; an empty answer takes the default, if there is one."""
    if one_line(default) != default:  # it would be shown as it is, and could not be typed
        default = ""
    return asked(lambda: _filled(text, default).strip(), _tell, NoAnswerError)


def hidden(text: str) -> Secret:
    """Ask for a secret, which the terminal does not show."""
    return Secret(asked(lambda: _filled(text, hide=True), _tell, NoAnswerError))


def piped() -> str:
    """Return standard input; bytes that are not UTF-8 go out as they came in.

    What is typed at a terminal is asked for, and not shown there.
    """
    if sys.stdin.isatty():
        return hidden("Password (--password-stdin reads it from this terminal)").reveal()
    try:
        with without_grace():
            data = sys.stdin.buffer.read()
    except OSError as error:
        raise UsageError(
            f"The password cannot be read from standard input: {error.strerror}.",
            "Pass it with --password-stdin from a pipe or a file.",
        ) from None
    return data.decode(errors="surrogateescape")


def _filled(text: str, default: str = "", *, hide: bool = False) -> str:
    """Ask once; raise NoAnswerError where nothing was answered."""
    shown, with_default = one_line(text), bool(default)
    with _terminal_errors():
        found: str = click.prompt(
            shown, default=default, show_default=with_default, hide_input=hide, err=True
        )
    if not (found if hide else found.strip()):
        raise NoAnswerError(f"{shown}: an answer is needed.", "Give it as an option.")
    return found


@contextlib.contextmanager
def _terminal_errors() -> Iterator[None]:
    """Turn a closed terminal, or input that is not text, into a UsageError."""
    import termios  # noqa: PLC0415 - for questions only

    try:
        with without_grace():
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
