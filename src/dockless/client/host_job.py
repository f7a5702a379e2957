"""What every host of one command line is to do."""

import contextlib
import threading
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from dockless.client.connections import Find, OpenRegistry
from dockless.client.engine_selection import InstalledEngines
from dockless.client.host_options import HostOptions
from dockless.client.options import CommandOptions
from dockless.client.workspace import Workspace
from dockless.concurrency import waited_for
from dockless.config.naming import Target
from dockless.errors import PushError, time_is_over
from dockless.model.server import Server
from dockless.ports import Progress
from dockless.retry import SharedBackoff
from dockless.ssh.connection import Ssh
from dockless.ssh.workdir import Workplace
from dockless.usecases.push.context import PushRequest

Build = Callable[[Workplace, Server, Progress], tuple[tuple[str, ...], str]]


class HostJob(Struct, frozen=True):
    """What every host is to do.

    Attributes:
        options: The command line.
        hosts: The part of it that is about hosts.
        target: Where to.
        names: What the image may be called there, in order.
        request: The same, as a push takes it.
        registry: The registry.
        find: Finds the credential for it.
        ssh: How connections are made.
        space: Makes a workspace of this name.
        engines: Returns the engines of this machine.
        progress: Where the work is shown.
        build: Builds the image there; returns its names, and the tool that has it.
        until: The moment, on the clock of `time.monotonic`, to stop at; None for none.
        shared_backoff: The pause that the registry asked for, for all hosts.
        turns: Lets one host at a time relay the same image.
    """

    options: CommandOptions
    hosts: HostOptions
    target: Target
    names: tuple[str, ...]
    request: PushRequest
    registry: OpenRegistry
    find: Find
    ssh: Ssh
    space: Callable[[str], contextlib.AbstractContextManager[Workspace]]
    engines: Callable[[], InstalledEngines]
    progress: Progress
    build: Build
    until: float | None
    shared_backoff: SharedBackoff
    turns: "Turns"


class Turns(Struct):
    """A lock for each image."""

    locks: dict[object, threading.Lock] = field(default_factory=dict)
    guard: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def of(self, image: object, aborted: threading.Event) -> Iterator[None]:
        """Lock an image while the block lasts.

        Args:
            image: What tells it from others.
            aborted: Ends waiting for it.

        Raises:
            PushError: That is set.
            NetworkError: The command's time is over.
        """
        with self.guard:
            turn = self.locks.setdefault(image, threading.Lock())
        held = False

        def look(seconds: float) -> bool:
            nonlocal held
            held = turn.acquire(timeout=seconds)
            return held or aborted.is_set()

        if not waited_for(look):
            raise time_is_over("The turn to transfer the image through this machine")
        if not held:
            raise PushError("The push was interrupted.")
        try:
            yield
        finally:
            turn.release()
