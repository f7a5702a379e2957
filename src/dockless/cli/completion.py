"""`dockless completion`: teaches a shell to complete command lines, and answers its questions."""

import os
from pathlib import PurePath

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    add_completion_class,
    split_arg_string,
)

from dockless.cli.param_types import Completions
from dockless.errors import UsageError
from dockless.processes.terminal import say
from dockless.report.completion_scripts import SCRIPTS
from dockless.report.help_texts import EPILOGS


@click.command(epilog=EPILOGS["completion"])
@click.argument("shell", type=click.Choice(tuple(SCRIPTS)), required=False, metavar="[SHELL]")
def completion(shell: str | None) -> None:
    """Print what makes bash, zsh or fish complete options, files, images, registries and hosts.

    SHELL is bash, zsh or fish; without it, what the variable $SHELL names.
    """
    name = shell or PurePath(os.environ.get("SHELL", "")).name
    if name not in SCRIPTS:
        raise UsageError("$SHELL names none of bash, zsh and fish.", "Name one of these.")
    say(SCRIPTS[name].rstrip())


class _WholeWords(ShellComplete):
    """Keeps what stands before the value in `--option=value`: it is the same word to the shell."""

    def get_completions(self, args: list[str], incomplete: str) -> Completions:
        option, equals, _ = incomplete.partition("=")
        found = super().get_completions(args, incomplete)
        before = f"{option}=" if equals and option.startswith("-") else ""
        return [CompletionItem(f"{before}{each.value}", each.type, each.help) for each in found]


@add_completion_class
class _Bash(_WholeWords, BashComplete):
    """Asks with the whole line, as bash cuts words at colons and equals signs."""

    def get_completion_args(self) -> tuple[list[str], str]:
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)[1:]
        return (words, "") if line[-1:].isspace() or not words else (words[:-1], words[-1])

    def complete(self) -> str:
        args, typed = self.get_completion_args()
        breaks = [each for each in ":=@" if each in os.environ.get("COMP_WORDBREAKS", ":=")]
        cut = 1 + max(map(typed.rfind, breaks), default=-1)  # bash keeps what precedes
        found = self.get_completions(args, typed)
        return "\n".join(f"{each.type},{each.value[cut:]}" for each in found)


@add_completion_class
class _Fish(_WholeWords, FishComplete):
    """Fish, which takes whole words."""
