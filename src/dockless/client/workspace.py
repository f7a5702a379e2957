"""Where the work of one command is done and shown; removed at its end."""

import contextlib
import functools
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from dockless.concurrency import cores
from dockless.credentials.prompting import AskCredential, refuse_to_ask
from dockless.model.options import PushOptions
from dockless.model.plan import TagMoves
from dockless.model.timings import Timings
from dockless.oci.packing import asked
from dockless.ports import Progress
from dockless.registry.throughput import ThroughputRecords
from dockless.retry import SharedBackoff
from dockless.storage.folders import make_own
from dockless.storage.machine import Machine
from dockless.storage.staging import Staging
from dockless.storage.user_store import running_store
from dockless.transport.http import CONNECTIONS
from dockless.transport.rate_limit import RateLimiter
from dockless.transport.request_slots import RequestSlots

if TYPE_CHECKING:
    from dockless.engines.installed import InstalledEngines
    from dockless.registry.client import RegistryClient
    from dockless.usecases.mirror.blob_claims import BlobClaims
    from dockless.usecases.overview import Overview


class Surroundings(Struct, frozen=True, kw_only=True):
    """What surrounds the work of one command, or of one call of the library.

    Attributes:
        machine: The user's environment and folders.
        progress: Shows long work, and remarks.
        overview: The same, where the work is on many images or hosts; None where it is on one, or
            `progress` shows all of it.
        warn: Shows a line that matters where `progress` does not show remarks; None where it does.
        ask: Asks for a credential.
        moves: Called with every tag that is moved.
        timings: Told where the seconds went.
    """

    machine: Machine
    progress: Progress
    overview: "Overview | None" = None
    warn: Callable[[str], None] | None = None
    ask: AskCredential = refuse_to_ask
    moves: TagMoves = field(default_factory=TagMoves)
    timings: Timings = field(default_factory=Timings)

    def warning(self, text: str) -> None:
        """Show a warning, whether or not remarks are shown."""
        if self.warn:
            self.warn(text)
        else:
            self.progress.note(f"Warning: {text}")


class Workspace(Struct, frozen=True, kw_only=True):
    """Where a session works.

    Attributes:
        progress: Where its work is shown.
        staging: Where its layers are staged.
        surroundings: The user's environment and folders, and who is warned and asked.
        engines: Returns the programs that can push, each looked for once by one command.
        throughput: Know the ways to registries; one command's workspaces share them.
        claims: Sends the blobs that several repositories share; None for a push of its own.
        rate_limiter: How fast these may go.
        slots: Return how many requests a host may get at once; all workspaces share them.
        connections: How many connections to one host it may open at once.
        shared_backoff: The pause that the registry asked for, which all workspaces of one command
            share.
        known: The registries that earlier sessions with the same options have reached, by host;
            those that are reached now are added. None for a session that shares none.
        until: The moment, on the clock of `time.monotonic`, when the whole command ends by
            `--timeout`; None for none.
    """

    progress: Progress
    staging: Staging
    throughput: ThroughputRecords
    surroundings: Surroundings
    engines: "Callable[[], InstalledEngines]"
    claims: "BlobClaims | None" = None
    rate_limiter: RateLimiter = field(default_factory=lambda: RateLimiter(None))
    slots: Callable[[str], RequestSlots] = lambda _: RequestSlots()
    connections: int = CONNECTIONS
    shared_backoff: SharedBackoff = field(default_factory=SharedBackoff)
    known: "dict[str, RegistryClient] | None" = None
    until: float | None = None

    @property
    def machine(self) -> Machine:
        """The user's environment and folders."""
        return self.surroundings.machine

    @property
    def overview(self) -> "Overview":
        """Where the work on many images is shown."""
        from dockless.usecases.overview import Unshown  # noqa: PLC0415 - not for one image

        return self.surroundings.overview or Unshown(self.progress)


Spaces = Callable[[str], contextlib.AbstractContextManager[Workspace]]
"""Makes a workspace in a folder of this name."""


@contextlib.contextmanager
def workspaces(
    options: PushOptions, surroundings: Surroundings, until: float | None
) -> Iterator[Spaces]:
    """Yield what makes workspaces, each in a folder of this name, which share progress and store.

    What is in them is gone with them; the store is pruned at the end.

    Args:
        options: What is asked of the command.
        surroundings: What surrounds it.
        until: The moment, on the clock of `time.monotonic`, when all of it ends; None for none.
    """
    machine = surroundings.machine
    # who gave no limit of time should not wait for hours
    shared_backoff = SharedBackoff() if until is None else SharedBackoff(longest=math.inf)
    rate_limiter, slots = RateLimiter(options.rate), dict[str, RequestSlots]()
    engines = functools.cache(functools.partial(_installed, machine))
    recheck = options.recheck_cache
    with running_store(machine, recheck=recheck, until=until) as (held, folder):
        throughput = ThroughputRecords(held.folder / "links")

        @contextlib.contextmanager
        def workspace(name: str) -> Iterator[Workspace]:
            own = folder / name
            held.renew()
            make_own(own)
            # auto is settled when the registry is known
            usual = asked("gzip" if options.compression == "auto" else options.compression)
            with Staging(held, own, usual, cores(), surroundings.timings) as staging:
                yield Workspace(
                    progress=surroundings.progress,
                    staging=staging,
                    throughput=throughput,
                    surroundings=surroundings,
                    engines=engines,
                    rate_limiter=rate_limiter,
                    slots=lambda host: slots.setdefault(
                        host, RequestSlots(options.max_connections)
                    ),
                    shared_backoff=shared_backoff,
                    until=until,
                )

        yield workspace
        throughput.keep()


def _installed(machine: Machine) -> "InstalledEngines":
    from dockless.engines.installed import InstalledEngines  # noqa: PLC0415 - a warm push needs none

    return InstalledEngines(machine)
