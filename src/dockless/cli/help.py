"""What `--help` shows of many options: the common ones, in groups; `--help-all`; `--version`."""

import os

import click

from dockless.processes.terminal import say
from dockless.version import __version__

_WHOLE, _VERBOSE = "dockless.help.whole", "dockless.version.verbose"


class GroupedCommand(click.Command):
    """A command whose help shows the common options, and every one with `--help-all`."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return its parameters, `--help-all` among them."""
        return [*super().get_params(ctx), _HELP_ALL]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options under the headings of their groups."""
        from dockless.report.option_groups import grouped  # noqa: PLC0415 - for help only

        whole = _WHOLE in ctx.meta
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        records = ((each.opts, each.get_help_record(ctx)) for each in options)
        shown = ((names, record) for names, record in records if record)
        for heading, members in grouped(shown, whole=whole):
            with formatter.section(heading):
                formatter.write_dl(members)


def _show_all(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    if value and not ctx.resilient_parsing:
        ctx.meta[_WHOLE] = True
        say(ctx.get_help())
        ctx.exit()


_HELP_ALL = click.Option(
    ["--help-all"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_all,
    help="Show every option; --help shows the common ones.",
)


def note_verbose(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    """Remember `--verbose`, which is read before `--version`, wherever the two stand."""
    ctx.meta[_VERBOSE] = value


def show_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:  # noqa: FBT001 - click's
    """Print the version of dockless, or with `--verbose` those of everything that matters."""
    if ctx.resilient_parsing:
        return
    if ctx.meta[_VERBOSE] and not value:
        raise click.UsageError("--verbose goes with --version; push --debug shows each request.")
    if value and ctx.meta[_VERBOSE]:
        from dockless.diagnosis.versions import version_rows  # noqa: PLC0415 - rare
        from dockless.report.text import columns  # noqa: PLC0415 - the same

        say(columns(version_rows(os.environ)))
    elif value:
        say(f"dockless, version {__version__}")
    if value:
        ctx.exit()
