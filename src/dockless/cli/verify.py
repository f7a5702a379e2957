"""`dockless verify`: whether a registry still matches a receipt."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click

from dockless.cli.options import FORMAT, OUTPUT, PATH, REACH, WHO, parsed_options
from dockless.cli.surroundings import credential_finder, session
from dockless.client.verification import verify as compare
from dockless.config.cascade import project_settings
from dockless.model.options import CommandOptions
from dockless.model.printable import json_text
from dockless.model.verified import VerifyResult
from dockless.processes.terminal import say, tell
from dockless.report.differences import verified_document, verified_text
from dockless.report.help_texts import EPILOGS
from dockless.storage.output_files import refuse_inputs
from dockless.storage.receipt_file import write_once
from dockless.storage.receipt_merging import merged
from dockless.storage.receipt_reading import Receipt, hosts, read_receipts
from dockless.usecases.verify.verdict import verdict


@click.command(epilog=EPILOGS["verify"])
@click.argument("receipts", nargs=-1, required=True, type=PATH)
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
    output: Literal["text", "json"],
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
        write_once(merge, "--merge", json_text(merged(said)) + "\n")
    found = _check(options, said, deep=deep, merging=bool(merge))
    error = verdict(found, len(said))
    if found.checked or found.missing or output == "json":
        in_json = output == "json" and json_text(verified_document(found, deep=deep))
        say(in_json or verified_text(found, deep=deep))
    if error:
        raise error


for _option in (*WHO, *REACH, FORMAT):
    _option(verify)


def _check(
    options: CommandOptions, receipts: Sequence[Receipt], *, deep: bool, merging: bool
) -> VerifyResult:
    finder = credential_finder(options, project_settings(options.username, os.environ))
    find = finder.for_hosts(hosts(receipts), "The receipts name")
    with session(options, find) as work:
        return compare(work, receipts, tell, deep=deep, merging=merging)
