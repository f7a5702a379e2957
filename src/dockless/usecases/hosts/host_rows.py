"""The hosts of one push: a row for each while it is worked on, and a line when it is done."""

from collections.abc import Sequence

from dockless.model.ended import ItemEnd
from dockless.model.host import HostResult
from dockless.model.server import Server
from dockless.usecases.overview import Overview, WorkRow


class HostRows:
    """Shows several hosts.

    Args:
        servers: All of them.
        overview: Where they are shown.
    """

    def __init__(self, servers: Sequence[Server], overview: Overview) -> None:
        self._overview = overview
        self._rows: dict[Server, WorkRow] = {}
        overview.expect(len(servers))

    def begin(self, server: Server) -> WorkRow:
        """Return the row of a host, until it is done."""
        self._rows[server] = self._overview.work(server.short_name)
        return self._rows[server]

    def end(self, result: HostResult, *, last: bool = False) -> None:
        """Show what became of a host.

        Args:
            result: What became of it.
            last: Whether it had a line already, and has failed with all others since.
        """
        if row := self._rows.pop(result.server, None):
            row.close()
        self._overview.ended(result.server, ended(result, has_line=not last))


def ended(result: HostResult, *, has_line: bool = True) -> ItemEnd:
    """Return what became of a host, to be shown and counted."""
    name, how = result.server.short_name, f"by {result.way}" if result.way else ""
    if not result.was_started:
        return ItemEnd(name=name, fate="skipped", has_line=has_line)
    if result.error:
        return ItemEnd(name=name, fate="failed", seconds=result.seconds, has_line=has_line)
    if result.unchanged:
        return ItemEnd(name=name, fate="there", seconds=result.seconds, has_line=has_line)
    if result.digest is None:
        return ItemEnd(name=name, fate="planned", how=how, has_line=has_line)
    return ItemEnd(
        name=name,
        fate="arrived",
        sent=result.sent,
        seconds=result.seconds,
        how=how,
        has_line=has_line,
    )
