"""The connection to one host while it is worked on, and what is left there afterwards."""

import contextlib
from collections.abc import Iterator
from functools import partial

from dockless.errors import HostLostError
from dockless.model.server import Server
from dockless.ssh import audit
from dockless.ssh.connection import Ssh, connect
from dockless.ssh.executor import BROKEN, RemoteShell
from dockless.ssh.workdir import Workdir, workdir


@contextlib.contextmanager
def shell_on(server: Server, ssh: Ssh, name: str, stall: float) -> Iterator[RemoteShell]:
    """Log in to a host, and yield what runs programs there until the block ends.

    Args:
        server: The host.
        ssh: How the connection is made.
        name: What the host is called in messages.
        stall: Seconds without a byte after which it is given up.
    """
    again = partial(connect, server, ssh)
    with (
        again() as transport,
        contextlib.closing(RemoteShell(transport, name, stall, again)) as shell,
    ):
        yield shell


class HostConnection:
    """A host that is logged in to, and from which every file and process of dockless is removed.

    Args:
        server: The host.
        ssh: How the connection is made.
        stall: Seconds without a byte after which it is given up.

    Attributes:
        name: What it is called in messages.
        server: The host.
        shell: Runs commands there; None while there is no connection.
        kept: The engine that was left there on purpose; empty for none.
        work: What ends before the host is left, as long as it is connected.
    """

    def __init__(self, server: Server, ssh: Ssh, stall: float) -> None:
        self.kept = ""
        self.name = server.short_name
        self.server = server
        self.shell: RemoteShell | None = None
        self.work = contextlib.ExitStack()
        self._ssh = ssh
        self._stall = stall
        self._connection = contextlib.ExitStack()
        self._before: audit.Sight | None = None
        self._folder = ""

    def enter(self) -> Workdir:
        """Log in, and make our folder."""
        made = shell_on(self.server, self._ssh, self.name, self._stall)
        self.shell = self._connection.enter_context(made)
        self._before = audit.look(self.shell)
        place = self.work.enter_context(workdir(self.shell))
        self._folder = place.facts.folder
        return place

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Turn every error of a broken connection into HostLostError while the block lasts."""
        try:
            yield
        except BROKEN:
            raise HostLostError(f"The connection to {self.name} broke.") from None

    def drop(self) -> None:
        """Close what a broken connection has left, so that it can be opened again."""
        self.work.close()
        self._connection.close()
        self.shell = None

    def leave(self) -> tuple[str, ...] | None:
        """Remove what dockless made there; return what could not be removed, None if unknown."""
        try:
            self.work.close()
            if self.shell is None or self._before is None:
                return None
            return audit.residue(self.shell, self._before, self._folder, self.kept)
        finally:
            self._connection.close()

    def end(self) -> None:
        """Close the connection, from another thread."""
        if self.shell:
            self.shell.end()
