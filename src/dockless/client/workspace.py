"""Where the work of one command is done and shown; removed at its end."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from dockless.concurrency import cores
from dockless.credentials.prompting import AskCredential, refuse_to_ask
from dockless.model.options import PushOptions
from dockless.model.plan import TagMoves
from dockless.model.secret import Credential
from dockless.model.timings import Timings
from dockless.oci.packing import asked
from dockless.ports import Progress
from dockless.registry.throughput import ThroughputRecords
from dockless.storage.folders import make_own
from dockless.storage.machine import Machine
from dockless.storage.staging import Staging
from dockless.storage.user_store import running_store
from dockless.transport.http import CONNECTIONS
from dockless.transport.request_limits import RequestLimits

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
        accepted: The credentials that were typed, by the host that accepted them.
    """

    machine: Machine
    progress: Progress
    overview: "Overview | None" = None
    warn: Callable[[str], None] | None = None
    ask: AskCredential = refuse_to_ask
    moves: TagMoves = field(default_factory=TagMoves)
    timings: Timings = field(default_factory=Timings)
    accepted: dict[str, Credential] = field(default_factory=dict)

    def warning(self, text: str) -> None:
        """Show a warning, whether or not remarks are shown."""
        if self.warn:
            self.warn(text)
        else:
            self.progress.note(f"Warning: {text}")


class Workspace(Struct, frozen=True, kw_only=True):
    """Where a session works.

    Attributes:
        surroundings: The user's environment and folders, where the work is shown, and who is
            warned and asked.
        staging: Where its layers are staged.
        engines: Returns the programs that can push, each looked for once by one command.
        throughput: Know the ways to registries; one command's workspaces share them.
        limits: What registries may be asked; one command's workspaces share them.
        claims: Sends the blobs that several repositories share; None for a push of its own.
        connections: How many connections to one host it may open at once.
        known: The registries that earlier sessions have reached, as in `RegistryConnections`.
        source: Whether it only reads sources, to which the options for a target do not apply.
    """

    surroundings: Surroundings
    staging: Staging
    engines: "Callable[[], InstalledEngines]"
    throughput: ThroughputRecords
    limits: RequestLimits
    claims: "BlobClaims | None" = None
    connections: int = CONNECTIONS
    known: "dict[str, RegistryClient] | None" = None
    source: bool = False

    @property
    def progress(self) -> Progress:
        """Where its work is shown."""
        return self.surroundings.progress

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
    limits = RequestLimits(rate=options.rate, most=options.max_connections, until=until)
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
                    surroundings=surroundings,
                    staging=staging,
                    engines=engines,
                    throughput=throughput,
                    limits=limits,
                )

        yield workspace
        throughput.keep()


def _installed(machine: Machine) -> "InstalledEngines":
    from dockless.engines.installed import InstalledEngines  # noqa: PLC0415 - a warm push needs none

    return InstalledEngines(machine)
