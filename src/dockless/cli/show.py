"""What is printed: results on stdout, talk on stderr."""

from collections.abc import Iterable, Mapping, Sequence

import click

from dockless.cli.options import PushOptions
from dockless.model.errors import DocklessError, PushError
from dockless.model.plan import PushResult
from dockless.report import document, text


def remark(options: PushOptions, line: str) -> None:
    """Print one line of talk, unless it is to be quiet."""
    if not options.quiet:
        click.echo(line, err=True)


def explanation(rows: Iterable[tuple[str, str, str]]) -> None:
    """Print the settings with their origins."""
    click.echo(text.explain_text(rows))


def result(options: PushOptions, done: PushResult) -> None:
    """Print what one push did, or would do."""
    if options.output == "json":
        kind = document.plan_document(done.plan) if done.dry_run else document.result_document(done)
        click.echo(document.json_text(kind))
    elif done.dry_run:
        click.echo(text.plan_text(done.plan))
    else:
        click.echo(text.result_text(done))
    _afterwards(options, [done])


def outcomes(options: PushOptions, done: Mapping[str, PushResult | DocklessError]) -> None:
    """Print what a push of several images did."""
    results = [each for each in done.values() if isinstance(each, PushResult)]
    for name, outcome in done.items():
        if isinstance(outcome, DocklessError):
            click.echo(f"{name}: {text.error_text(outcome)}", err=True)
    if options.output == "json":
        click.echo(document.json_text(document.images_document(done)))
    else:
        for each in results:
            click.echo(text.plan_text(each.plan) if each.dry_run else text.result_text(each))
    _afterwards(options, results)


def failure(error: DocklessError) -> None:
    """Print the JSON document of an error."""
    click.echo(document.json_text(document.error_document(error)))


def _afterwards(options: PushOptions, results: Sequence[PushResult]) -> None:
    for each in results:
        remark(options, text.closing_text(each))
    if options.digest_file and results:
        lines = "".join(f"{each.digest}\n" for each in results)
        try:
            options.digest_file.write_text(lines)
        except OSError as error:
            raise PushError(
                f"{options.digest_file} cannot be written: {error.strerror}.",
                "The push itself was done.",
            ) from None
