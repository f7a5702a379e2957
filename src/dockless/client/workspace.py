"""Where the work of one command is done and shown; what is in it is gone with it."""

import contextlib
import gc
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from dockless.client import stops
from dockless.client.options import PushOptions
from dockless.client.prompter import Prompter
from dockless.client.stores import cache_limit, cores, store
from dockless.errors import DocklessError
from dockless.model.timings import Timings
from dockless.oci.packing import asked
from dockless.ports import Progress
from dockless.registry.throughput import Links
from dockless.report.progress import progress
from dockless.retry import Brake
from dockless.storage.folders import full_disk
from dockless.storage.staging import Staging
from dockless.transport.http import CONNECTIONS
from dockless.transport.rate_limit import Pace

if TYPE_CHECKING:
    from dockless.registry.blob_claims import Sender


class Workspace(Struct, frozen=True):
    """Where a session works.

    Attributes:
        progress: Where its work is shown.
        staging: Where its layers are staged.
        folder: A private folder for everything else.
        prompter: Asks the user.
        links: Know the ways to registries; one command's workspaces share them.
        sender: Sends the blobs that several repositories share; None for a push of its own.
        pace: How fast these may go.
        connections: How many connections to one host it may open at once.
        brake: The pause that the registry asked for, which all workspaces of one command share.
        timings: Where the seconds went.
        until: The moment, on the clock of `time.monotonic`, when the whole command ends by
            `--timeout`; None for none.
    """

    progress: Progress
    staging: Staging
    folder: Path
    links: Links
    prompter: Prompter
    sender: "Sender | None" = None
    pace: Pace = field(default_factory=lambda: Pace(None))
    connections: int = CONNECTIONS
    brake: Brake = field(default_factory=Brake)
    timings: Timings = field(default_factory=Timings)
    until: float | None = None


@contextlib.contextmanager
def workspaces(
    options: PushOptions, prompter: Prompter
) -> Iterator[Callable[[str], contextlib.AbstractContextManager[Workspace]]]:
    """Yield what makes workspaces, each in a folder of this name, which share progress and store.

    What is in them is gone with them; the store is pruned at the end.
    """
    until = None if options.timeout is None else time.monotonic() + options.timeout
    stops.end_by(until)
    timings = Timings()
    timings.add("start", time.process_time())
    gc.freeze()
    gc.enable()
    held = store(os.environ, recheck=options.recheck_cache)
    held.wait_until(None if options.timeout is None else time.monotonic() + options.timeout)
    limit = cache_limit(os.environ)
    shown = progress(
        sys.stderr,
        time.monotonic,
        quiet=options.quiet,
        terminal=sys.stderr.isatty() and os.environ.get("TERM") != "dumb",
        color=not os.environ.get("NO_COLOR"),
    )
    # who gave no limit of time should not wait for hours
    brake = Brake() if until is None else Brake(longest=math.inf)
    links = Links(held.folder / "links")
    with shown, full_disk(held.folder, below=True):
        with held.run() as folder:

            @contextlib.contextmanager
            def workspace(name: str) -> Iterator[Workspace]:
                own = folder / name
                held.renew()
                own.mkdir(parents=True, exist_ok=True)
                # auto is settled when the registry is known
                usual = asked("gzip" if options.compression == "auto" else options.compression)
                with Staging(held, own, usual, cores(), timings) as staging:
                    yield Workspace(
                        shown,
                        staging,
                        own,
                        links,
                        prompter,
                        brake=brake,
                        timings=timings,
                        until=until,
                    )

            yield workspace
            links.keep()
        with contextlib.suppress(DocklessError):  # what could not be deleted is no failed push
            held.prune(limit)
