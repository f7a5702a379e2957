"""`dockless cache`: the store of staged layers."""

import os

import click

from dockless.model.printable import one_line
from dockless.processes.terminal import say
from dockless.report.help_texts import EPILOGS


@click.group(epilog=EPILOGS["cache"])
def cache() -> None:
    """Show or prune the store of staged layers.

    It keeps compressed layers, so that each is compressed once on this machine. It is safe to
    delete any of it.
    """


@cache.command()
def info() -> None:
    """Show where the store is, and how much it holds."""
    from dockless.report.units import human_size  # noqa: PLC0415
    from dockless.storage.user_store import cache_limit, store  # noqa: PLC0415 - --help needs none of it

    held = store(os.environ)
    held.ready()
    usage = held.usage()
    say(f"Folder  {one_line(str(held.folder))}")
    say(f"Blobs   {usage.blobs} ({human_size(usage.size)})")
    say(f"Layers  {usage.layers} known")
    say(f"Limit   {human_size(cache_limit(os.environ))}")


@cache.command()
@click.option("--all", "everything", is_flag=True, help="Delete every blob, regardless of its age.")
def prune(*, everything: bool) -> None:
    """Delete the least recently used blobs, down to the limit."""
    from dockless.report.units import human_size  # noqa: PLC0415
    from dockless.storage.user_store import cache_limit, store  # noqa: PLC0415 - --help needs none of it

    held = store(os.environ)
    limit = 0 if everything else cache_limit(os.environ)
    freed = held.prune(limit) if held.ready() else 0
    say(f"Freed {human_size(freed)}")
