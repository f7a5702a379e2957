"""`-v`, `--debug`: requests and programs on stderr, as the command goes on."""

import logging

import click

from dockless.processes.terminal import tell

_LOGGER = logging.getLogger("dockless")


def with_debug(command: click.Command) -> click.Command:
    """Add the option to a command, or to each command of a group; once."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            with_debug(each)
    elif _OPTION not in command.params:
        command.params.append(_OPTION)
    return command


def is_on() -> bool:
    """Whether the option was given."""
    return _LOGGER.isEnabledFor(logging.DEBUG)


class _Lines(logging.Handler):
    """Prints each record as a line on stderr."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print it."""
        tell(f"debug: {record.getMessage()}")


def _begin(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    if value and not ctx.resilient_parsing:
        _LOGGER.setLevel(logging.DEBUG)
        _LOGGER.propagate = False
        _LOGGER.addHandler(_Lines())


_OPTION = click.Option(
    ["-v", "--debug"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_begin,
    help="Also print each request and each started program on stderr, without secrets.",
)
