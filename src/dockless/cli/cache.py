"""`dockless cache`: the store of staged layers."""

import os
from typing import Literal

import click

from dockless.cli.options import FORMAT
from dockless.model.printable import json_text
from dockless.processes.terminal import say
from dockless.report.help_texts import EPILOGS


@click.group(epilog=EPILOGS["cache"])
def cache() -> None:
    """Show or prune the store of staged layers.

    It keeps compressed layers, so that each is compressed once on this machine. It is safe to
    delete any of it.
    """


@cache.command()
@FORMAT
def info(output: Literal["text", "json"]) -> None:
    """Show where the store is, and how much it holds."""
    from dockless.report.stores import store_document, store_text  # noqa: PLC0415 - not for --help
    from dockless.storage.user_store import cache_limit, store  # noqa: PLC0415 - the same

    held = store(os.environ)
    held.check()
    known = held.folder, held.usage(), cache_limit(os.environ)
    say(json_text(store_document(*known)) if output == "json" else store_text(*known))


@cache.command()
@click.option("--all", "everything", is_flag=True, help="Delete every blob, regardless of its age.")
@FORMAT
def prune(*, everything: bool, output: Literal["text", "json"]) -> None:
    """Delete the least recently used blobs, down to the limit."""
    from dockless.report.stores import pruned_document, pruned_text  # noqa: PLC0415 - not for --help
    from dockless.storage.user_store import cache_limit, store  # noqa: PLC0415 - the same

    held = store(os.environ)
    limit = 0 if everything else cache_limit(os.environ)
    freed = held.prune(limit) if held.ready() else 0
    say(json_text(pruned_document(freed)) if output == "json" else pruned_text(freed))
