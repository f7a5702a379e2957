"""The entry point: finds the command, and maps every outcome to an exit code."""

import gc
import importlib
import os
import sys
from collections import Counter
from typing import Any

import click

from dockless.cli.debug import with_debug
from dockless.cli.help import note_verbose, show_version
from dockless.errors import DocklessError, NetworkError, PushError, without_login
from dockless.model.printable import one_line
from dockless.processes import stops
from dockless.processes.terminal import HAS_RESULT, open_standard_streams, say, unwritten
from dockless.report.help_texts import COMMANDS, EPILOGS
from dockless.report.json_errors import asks_for_json, errors_in_json

_ASKED_BY_SHELL = "_DOCKLESS_COMPLETE"
_MOVE_TAGS = ("push", "mirror")
_IN_JSON = "dockless.json"
_ENDS = (DocklessError, click.ClickException, stops.TimeIsOver)
_NOTHING_LEFT = (
    "Error: This process has reached a limit of the system: no further file may be open, or no "
    "memory is left.\nRaise the limit of the number of open files (ulimit -n), or of memory."
)
_BUG, _INTERRUPTED, _TERMINATED = 70, 130, 143


class _Commands(click.Group):
    """Commands that are imported when they are called: most of a warm push is imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,  # noqa: ANN401 - click's signature
    ) -> click.Context:
        wanted = asks_for_json(args)
        HAS_RESULT.clear()
        with errors_in_json(_ENDS, _ours, wanted=wanted):
            made = super().make_context(info_name, args, parent, **extra)
        made.meta[_IN_JSON] = wanted
        return made

    def invoke(self, ctx: click.Context) -> object:
        with errors_in_json(_ENDS, _ours, wanted=ctx.meta[_IN_JSON]):
            return super().invoke(ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # before it is imported, which is most of a short run
        stops.begin(moves_tags=args[:1] in ([name] for name in _MOVE_TAGS))
        name, command, rest = super().resolve_command(ctx, args)
        if command and "--password" in rest:
            from dockless.credentials.prompting import with_empty_password  # noqa: PLC0415 - rare

            known = [one for each in command.params for one in (*each.opts, *each.secondary_opts)]
            rest = with_empty_password(rest, known)
        _refuse_repeated(ctx, command, list(rest))
        return name, command, rest

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"dockless.cli.{cmd_name}"), cmd_name)
        return with_debug(command) if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _refuse_repeated(above: click.Context, command: click.Command | None, args: list[str]) -> None:
    """Raise UsageError where an option of one value is there twice, of which click drops one."""
    if command is None:
        return
    ctx = click.Context(command, above, command.name, resilient_parsing=True)
    if isinstance(command, click.Group) and args:
        _refuse_repeated(ctx, command.commands.get(args[0]), args[1:])
    order = Counter(command.make_parser(ctx).parse_args(args)[2])
    for each, count in order.items():
        if count > 1 and isinstance(each, click.Option) and not (each.multiple or each.is_flag):
            raise click.UsageError(f"Option {each.opts[-1]!r} is given {count} times", ctx)


def _ours(error: BaseException) -> DocklessError:
    if isinstance(error, stops.TimeIsOver):
        late = f"The command did not finish within --timeout. {stops.moved()}".rstrip()
        return NetworkError(late, "Give it more time.")
    if not isinstance(error, click.UsageError):
        return PushError(str(error))
    from dockless.report.usage_errors import usage_error  # noqa: PLC0415 - rare

    path, given = (error.ctx.command_path, error.ctx.params) if error.ctx else ("dockless", {})
    return usage_error(path, error.format_message(), tuple(COMMANDS), given.get("source"))


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EPILOGS["dockless"],
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    callback=show_version,
    help="Show the version and exit; with --verbose, those of programs and libraries, too.",
)
@click.option(
    "--verbose", is_flag=True, is_eager=True, expose_value=False, callback=note_verbose, hidden=True
)
def dockless() -> None:
    """Push container images without a logged-in Docker daemon, or any daemon at all."""


def main() -> None:
    """Run the command line, and exit with its code."""
    open_standard_streams()
    gc.disable()  # for the imports, of which collecting would be a third; a session enables it
    try:
        stops.watch()
        if _ASKED_BY_SHELL in os.environ:
            importlib.import_module("dockless.cli.completion")
            from dockless.report.completion_scripts import is_question  # noqa: PLC0415 - as above

            if not is_question(os.environ):
                sys.exit(0)
        code = dockless.main(standalone_mode=False, complete_var=_ASKED_BY_SHELL)
        stops.heed()
    except BaseException as error:  # noqa: BLE001 - every kind of end is handled in one place
        stops.unwatch()
        code = _end(stops.reason(error))
    stops.unwatch()
    sys.exit(code if isinstance(code, int) else 0)


def _end(error: BaseException) -> int:
    """Print on stderr how the command ended, and return its exit code.

    To say it takes modules, and so files and memory, of which there may be no more.
    """
    try:
        return _ending(error)
    except (OSError, ImportError, MemoryError):
        say(_NOTHING_LEFT, err=True)
        return DocklessError.exit_code


def _ending(error: BaseException) -> int:
    """Print on stderr how the command ended, and return its exit code."""
    error = _understood(error)
    match error:
        case SystemExit():
            raise error
        case click.exceptions.NoArgsIsHelpError():
            code, said = error.exit_code, error.format_message()
        case DocklessError() | click.UsageError() | stops.TimeIsOver():
            from dockless.report.text import error_text  # noqa: PLC0415 - rare

            known = error if isinstance(error, DocklessError) else _ours(error)
            code, said = known.exit_code, error_text(known)
        case click.ClickException():
            text = one_line(error.format_message())
            code, said = error.exit_code, f"Error: {without_login(text)}"
        case stops.Interrupted() | KeyboardInterrupt() | click.Abort():
            after = "\n" if sys.stderr.isatty() else ""  # a terminal shows ^C
            code, said = _INTERRUPTED, f"{after}Interrupted. {stops.moved()}".rstrip()
        case stops.Terminated():
            code, said = _TERMINATED, f"Terminated. {stops.moved()}".rstrip()
        case BrokenPipeError():
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        case _:
            from dockless.storage.bug_report import bug_report  # noqa: PLC0415 - rare

            code, said = _BUG, bug_report(error)
    say(said, err=True)
    return code


def _understood(error: BaseException) -> BaseException:
    """Return an error with what the user can do, for one of the system that is not a bug."""
    if not isinstance(error, Exception) or isinstance(error, click.ClickException | click.Abort):
        return error
    if (
        isinstance(error, OSError)
        and _is_of_click(error)
        and not isinstance(error, BrokenPipeError)
    ):
        error = unwritten(error)
    from dockless.storage.system_errors import understood  # noqa: PLC0415 - rare

    return understood(error)


def _is_of_click(error: OSError) -> bool:
    """Whether click could not write: help and versions are the only text that it writes itself."""
    at = error.__traceback__
    while at and at.tb_next:
        at = at.tb_next
    return at is not None and at.tb_frame.f_globals.get("__name__") == "click.utils"
