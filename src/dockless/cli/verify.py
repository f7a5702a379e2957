"""`dockless verify`: whether what a receipt says is still so."""

import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import click

from dockless.cli import accounts, ask
from dockless.cli.options import REACH, WHO, PushOptions, unasked
from dockless.cli.session import Session
from dockless.cli.workspaces import workspaces
from dockless.model.errors import DocklessError, PartialError, PushError, UsageError
from dockless.processes.programs import ProgramsHere
from dockless.processes.regular import read_regular
from dockless.proof import complete, read_back
from dockless.report.document import json_text
from dockless.report.receipt import Item, merged, read_items
from dockless.retries import Patience


@click.command(
    epilog="""\b
Examples:
  dockless verify receipt.json
  dockless verify part-*.json --merge receipt.json
"""
)
@click.argument("receipts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--merge", type=click.Path(path_type=Path), help="Write the receipts of all parts as one."
)
def verify(receipts: tuple[Path, ...], merge: Path | None, **arguments: object) -> None:
    """Check receipts against the registry: every tag, manifest and blob."""
    options = unasked(**arguments)
    texts = {path: _read(path) for path in receipts}
    items = [item for path, text in texts.items() for item in read_items(text, str(path))]
    if merge:
        merge.write_text(json_text(merged([json.loads(text) for text in texts.values()])) + "\n")
    wrong = _check(options, items)
    if not items:
        raise UsageError("The receipts name no image.", "Nothing was checked.")
    click.echo(f"{len(items) - len(wrong)} of {len(items)} references are as the receipt says.")
    if len(wrong) == len(items):
        raise wrong[0]
    if wrong:
        raise PartialError(
            f"{len(wrong)} of {len(items)} references are not as the receipt says.",
            "They stand above.",
        )


for _option in (*WHO, *REACH):
    _option(verify)


def _check(options: PushOptions, items: Sequence[Item]) -> list[DocklessError]:
    settings = accounts.project_settings(options.username)
    finder = partial(accounts.find, settings, ask.given(options, settings))
    patience = Patience(options.retries + 1, None, lambda line: click.echo(line, err=True))
    wrong: list[DocklessError] = []
    with ExitStack() as stack:
        space = stack.enter_context(workspaces(options))
        own = stack.enter_context(space(""))
        work = stack.enter_context(Session(options, finder, own, ProgramsHere(os.environ)))
        for item in items:
            try:
                _check_one(work, item, patience)
            except DocklessError as error:
                own.progress.note(f"{item.reference}: {error}")
                wrong.append(error)
    return wrong


def _check_one(work: Session, item: Item, patience: Patience) -> None:
    repository, tag = item.reference.repository, item.reference.tag
    client = work.registry(repository, reading=True).client
    named = patience.call(lambda: client.tag(repository, tag)) if tag else item.digest
    if named != item.digest:
        raise PushError(
            f"{item.reference} names {named or 'nothing'}, and the receipt says {item.digest}."
        )
    content = read_back(client, repository, item.digest, patience)
    if content is None:
        raise PushError(f"{repository.host} does not have {item.digest} of {repository} any more.")
    complete(client, repository, content, patience)


def _read(path: Path) -> str:
    try:
        return read_regular(path).decode()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"The receipt {path} cannot be read.", "Check the path.") from None
