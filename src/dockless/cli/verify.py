"""`dockless verify`: whether a registry still matches a receipt."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from dockless.cli.options import OUTPUT, REACH, WHO, parsed_options
from dockless.cli.surroundings import credential_finder, session
from dockless.client.verification import verify as compare
from dockless.config.cascade import project_settings
from dockless.errors import PartialError, UsageError
from dockless.model.counts import share
from dockless.model.options import CommandOptions
from dockless.model.printable import json_text
from dockless.model.verified import VerifyResult
from dockless.processes.terminal import say
from dockless.report.help_texts import EPILOGS
from dockless.storage.output_files import refuse_inputs
from dockless.storage.receipt_file import ReceiptFile
from dockless.storage.receipt_merging import merged
from dockless.storage.receipt_reading import Receipt, hosts, read_receipts


@click.command(epilog=EPILOGS["verify"])
@click.argument("receipts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--merge",
    type=OUTPUT,
    help="Merge the receipts of all parts into this file.",
)
@click.option("--deep", is_flag=True, help="Also read every blob and compare it with its digest.")
def verify(
    receipts: tuple[Path, ...],
    merge: Path | None,
    deep: bool,  # noqa: FBT001 - click's signature
    **arguments: object,
) -> None:
    """Check receipts against the registry: every tag, manifest and blob.

    Tags and manifests are read and compared. Blobs are checked for existence and length; --deep
    reads them.
    """
    options = parsed_options(arguments)
    if merge:
        refuse_inputs(merge, "--merge", receipts)
    said = read_receipts(receipts)
    if merge:
        _write(merge, json_text(merged(said)) + "\n")
    found = _check(options, said, deep=deep)
    items, wrong, missing = found.checked, found.differences, found.missing
    says = "the receipt says" if len(said) == 1 else "the receipts say"
    if not items and not missing:
        named = "The receipt names" if len(said) == 1 else "The receipts name"
        raise UsageError(f"{named} no image.", "Nothing was checked.")
    read = ", and every byte of them" if deep else ""
    say(f"{_references(len(items) - len(wrong), len(items))} as the receipt says{read}.")
    if missing:  # each of which has been printed
        also = f", and {_references(len(wrong), len(items))} wrong" if wrong else ""
        raise PartialError(
            f"Not everything arrived, as {says}{also}.", "See above, and run the mirror again."
        )
    if wrong and len(wrong) == len(items):
        if len(wrong) == 1:
            raise wrong[0].error
        raise type(wrong[0].error)(f"No reference is as {says}.", "See above.")
    if wrong:
        raise PartialError(f"{_references(len(wrong), len(items))} not as {says}.", "See above.")


def _references(count: int, of: int) -> str:
    return f"{share(count, of, 'reference')} {'is' if count == 1 else 'are'}"


for _option in (*WHO, *REACH):
    _option(verify)


def _check(options: CommandOptions, receipts: Sequence[Receipt], *, deep: bool) -> VerifyResult:
    finder = credential_finder(options, project_settings(options.username, os.environ))
    find = finder.for_hosts(hosts(receipts), "The receipts name")
    with session(options, find) as work:
        return compare(work, receipts, lambda line: say(line, err=True), deep=deep)


def _write(path: Path, text: str) -> None:
    file = ReceiptFile(path, "--merge")
    try:
        file.write(text)
    finally:
        file.close()
