"""`dockless verify`: whether what a receipt says is still so."""

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dockless.cli import prompts
from dockless.cli.options import REACH, WHO, parsed_options
from dockless.client import accounts, prompter
from dockless.client.options import PushOptions
from dockless.client.output_files import refuse_inputs
from dockless.client.session import Session
from dockless.client.workspace import workspaces
from dockless.concurrency import side_by_side
from dockless.errors import DocklessError, PartialError, PushError, UsageError
from dockless.oci.content import Content
from dockless.oci.manifest import Descriptor
from dockless.oci.reference import Repository
from dockless.processes.programs import ProgramsHere
from dockless.processes.regular import read_regular
from dockless.processes.terminal import say
from dockless.registry.client import RegistryClient
from dockless.registry.compare import compare_blob
from dockless.report.json import json_text
from dockless.report.text import share
from dockless.retry import Patience
from dockless.storage.receipt_file import ReceiptFile
from dockless.storage.receipt_reading import Item, merged, read_receipt
from dockless.usecases.verify.read_back import blob_faults, read_back

if TYPE_CHECKING:
    from dockless.oci.digest import Digest

_AT_ONCE = 4
_MENDED = "Push the image with --check-blobs, or mirror it with --receipt: both send what was lost."


@click.command(
    epilog="""\b
Examples:
  dockless verify receipt.json
  dockless verify --deep receipt.json
  dockless verify part-*.json --merge receipt.json

\b
Exit codes:
  0 all that the mirror was to bring is there, 8 some of it is not, or the receipt
  says itself that some did not arrive.
"""
)
@click.argument("receipts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--merge", type=click.Path(path_type=Path), help="Write the receipts of all parts as one."
)
@click.option("--deep", is_flag=True, help="Read every blob, too, and compare it with its digest.")
def verify(
    receipts: tuple[Path, ...],
    merge: Path | None,
    deep: bool,  # noqa: FBT001 - click's signature
    **arguments: object,
) -> None:
    """Check receipts against the registry: every tag, manifest and blob.

    Tags and manifests are read and compared. Of blobs it is asked whether they are there, and how
    long; --deep reads them.
    """
    options = parsed_options(arguments)
    if merge:
        refuse_inputs(merge, "--merge", receipts)
    said = [read_receipt(_read(path), str(path)) for path in receipts]
    items = list(dict.fromkeys(item for each in said for item in each.items))
    missing = list(dict.fromkeys(line for each in said for line in each.missing))
    if merge:
        _write(merge, json_text(merged(said)) + "\n")
    wrong = _check(options, items, missing, deep=deep)
    says = "the receipt says" if len(said) == 1 else "the receipts say"
    if not items and not missing:
        named = "The receipt names" if len(said) == 1 else "The receipts name"
        raise UsageError(f"{named} no image.", "Nothing was checked.")
    read = ", and every byte of them" if deep else ""
    say(f"{_references(len(items) - len(wrong), len(items))} as the receipt says{read}.")
    if missing:
        more = f" {len(missing) - 1} more did not arrive." if len(missing) > 1 else ""
        also = f", and {_references(len(wrong), len(items))} wrong" if wrong else ""
        selves = "itself" if len(said) == 1 else "themselves"
        raise PartialError(
            f"Not everything arrived, as {says} {selves}{also}.",
            f"{missing[0]}{more} Run the mirror again.",
        )
    if wrong and len(wrong) == len(items):
        raise wrong[0]
    if wrong:
        it = "It stands" if len(wrong) == 1 else "They stand"
        raise PartialError(f"{_references(len(wrong), len(items))} not as {says}.", f"{it} above.")


def _references(count: int, of: int) -> str:
    return f"{share(count, of, 'reference')} {'is' if count == 1 else 'are'}"


for _option in (*WHO, *REACH):
    _option(verify)


def _check(
    options: PushOptions, items: Sequence[Item], missing: Sequence[str], *, deep: bool
) -> list[DocklessError]:
    settings = accounts.project_settings(options.username)
    finder = partial(accounts.find, prompts, settings, prompter.given(prompts, options, settings))
    until = None if options.timeout is None else time.monotonic() + options.timeout
    patience = Patience(options.retries + 1, until, lambda line: say(line, err=True))
    wrong: list[DocklessError] = []
    with ExitStack() as stack:
        space = stack.enter_context(workspaces(options, prompts))
        own = stack.enter_context(space(""))
        work = stack.enter_context(Session(options, finder, own, ProgramsHere(os.environ)))
        check = _Check(work, patience, deep=deep)
        for line in missing:
            own.progress.note(line)
        for item in items:
            try:
                check.item(item)
            except DocklessError as error:
                own.progress.note(f"{item.reference}: {error}")
                wrong.append(error)
    return wrong


class _Check:
    """Compares references with what a receipt says of them; reads each blob once."""

    def __init__(self, work: Session, patience: Patience, *, deep: bool) -> None:
        self._work = work
        self._patience = patience
        self._deep = deep
        self._read: dict[tuple[Repository, Digest], DocklessError | None] = {}

    def item(self, item: Item) -> None:
        """Raise PushError where a reference is not as the receipt says."""
        repository, tag = item.reference.repository, item.reference.tag
        client = self._work.registry(repository, reading=True).client
        named = self._patience.call(lambda: client.tag(repository, tag)) if tag else item.digest
        if named != item.digest:
            raise PushError(
                f"{item.reference} names {named or 'nothing'}, and the receipt says {item.digest}."
            )
        try:
            content = read_back(client, repository, item.digest, self._patience)
        except PushError as error:
            raise PushError(error.what, _MENDED) from None
        if content is None:
            raise PushError(
                f"{repository.host} does not have {item.digest} of {repository} any more."
            )
        if faults := blob_faults(client, repository, content, self._patience):
            raise PushError(f"{faults[0]}.", _MENDED)
        if self._deep:
            self._compare(client, repository, content)

    def _compare(self, client: RegistryClient, repository: Repository, content: Content) -> None:
        unread = [each for each in content.blobs if (repository, each.digest) not in self._read]

        def read(blob: Descriptor) -> DocklessError | None:
            try:
                self._patience.call(lambda: compare_blob(client, repository, blob))
            except PushError as error:
                return error
            return None

        found = side_by_side(read, unread, _AT_ONCE, finish=True)
        for blob, error in zip(unread, found, strict=True):
            self._read[repository, blob.digest] = error
        for blob in content.blobs:
            if error := self._read[repository, blob.digest]:
                raise error


def _write(path: Path, text: str) -> None:
    file = ReceiptFile(path, "--merge")
    try:
        file.write(text)
    finally:
        file.close()


def _read(path: Path) -> str:
    try:
        return read_regular(path).decode()
    except (OSError, UnicodeDecodeError):
        raise UsageError(f"The receipt {path} cannot be read.", "Check the path.") from None
