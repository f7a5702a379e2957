"""What one host has: for `dockless hosts --check`."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from dockless.concurrency import alone, map_concurrently, waited_for
from dockless.config.cascade import Settings
from dockless.config.local_names import local_candidates
from dockless.config.naming import target as find_target
from dockless.diagnosis.host_transfer import CheckedHost, transfer
from dockless.engines import probe
from dockless.engines.installed import InstalledEngines
from dockless.errors import DocklessError, EngineError, UsageError, time_is_over
from dockless.model.endpoint import Endpoint, is_loopback
from dockless.model.printable import bounded
from dockless.model.server import Server
from dockless.oci.reference import Repository
from dockless.report.hosts import Checked
from dockless.sources.host_search import HostWish, find_on_host
from dockless.sources.on_host import HostImage
from dockless.ssh import reach
from dockless.ssh.connection import Ssh
from dockless.ssh.executor import RemoteShell
from dockless.ssh.host_connection import shell_on
from dockless.ssh.reach import Reached
from dockless.ssh.workdir import Workdir, workdir

_VERSIONS = {
    "docker": ("docker", "version", "--format", "{{.Server.Version}}"),
    "podman": ("podman", "--version"),
    "nerdctl": ("nerdctl", "--version"),
    "buildah": ("buildah", "--version"),
}


class HostChecks(Struct, frozen=True, kw_only=True):
    """What is looked for.

    Attributes:
        names: What the image may be called.
        there: The source on the hosts, as the user typed it; empty for an image of these names.
        endpoint: The registry; None when it is not known which.
        repository: The repository there; None when it is not known which.
        stall: Seconds without a byte after which a host is given up.
        installed: Returns the engines of this machine.
        sudo: Whether container tools there are run as root.
    """

    names: tuple[str, ...]
    there: str
    endpoint: Endpoint | None
    repository: Repository | None
    stall: float
    installed: Callable[[], InstalledEngines]
    sudo: bool = False

    @property
    def wish(self) -> HostWish:
        """The image that is looked for."""
        return HostWish(names=self.names, there=self.there or None, build=None, sudo=self.sudo)


class WantedCheck(Struct, frozen=True, kw_only=True):
    """What hosts are checked for.

    Attributes:
        settings: The settings, which may name the registry and the image.
        image: The source on the hosts, as the user typed it; empty for the image of the settings.
        insecure: Whether the registry uses plain HTTP.
        stall: Seconds without a byte after which a host is given up.
        installed: Returns the engines of this machine.
        sudo: Whether container tools there are run as root.
    """

    settings: Settings
    image: str
    insecure: bool
    stall: float
    installed: Callable[[], InstalledEngines]
    sudo: bool = False


def check_hosts(
    servers: Sequence[Server], wanted: WantedCheck, ssh: Ssh, at_once: int
) -> list[Checked]:
    """Return what each host has for a push.

    Args:
        servers: The hosts.
        wanted: What they are checked for.
        ssh: How connections are made.
        at_once: How many are checked at once.
    """
    names: tuple[str, ...] = ()
    endpoint = repository = None
    with contextlib.suppress(UsageError):  # who only wants to see the hosts need not say more
        target = find_target(wanted.settings, None)
        names = () if wanted.image else local_candidates(wanted.settings, target)
        repository = target.repository.value
        endpoint = Endpoint(host=repository.host, plain_http=wanted.insecure)
    checks = HostChecks(
        names=names,
        there=wanted.image,
        endpoint=endpoint,
        repository=repository,
        stall=wanted.stall,
        installed=wanted.installed,
        sudo=wanted.sudo,
    )
    return map_concurrently(lambda each: check(each, ssh, checks), servers, at_once)


def check(server: Server, ssh: Ssh, wanted: HostChecks) -> Checked:
    """Log in to a host, and report what it has for a push, or that the command's time was over."""
    found = alone(lambda: _checked(server, ssh, wanted))
    if waited_for(found.is_done):
        return found.result(timeout=0)
    error = time_is_over(f"The check of {server}").with_context(
        remedy="Give it a longer --timeout."
    )
    return Checked(server=server, error=error)


def _checked(server: Server, ssh: Ssh, wanted: HostChecks) -> Checked:
    try:
        with (
            shell_on(server, ssh, server.address, wanted.stall) as shell,
            workdir(shell) as place,
        ):
            return _look(server, place, wanted)
    except DocklessError as error:
        return Checked(server=server, error=error)


def _look(server: Server, place: Workdir, wanted: HostChecks) -> Checked:
    facts = place.facts
    registry = _reached(place.shell, wanted.endpoint)
    engines = dict(_engines(place))
    image = _image(server, place, wanted)
    way, why = "", registry.why
    if wanted.endpoint and wanted.repository:
        host = CheckedHost(
            facts=facts, lacks=engines, reached=registry.answer, installed=wanted.installed
        )
        way, why = transfer(server.address, host, wanted.endpoint, wanted.repository, image.found)
    return Checked(
        server=server,
        lacking=image.missing,
        account=f"{facts.user} on {facts.system} {facts.machine}",
        tools=tuple(_tools(place, wanted.wish)),
        image=image.said,
        engines=tuple(engines.items()),
        free=facts.free,
        clock=facts.clock,
        reaches=registry.answer,
        unreached=registry.why,
        way=way,
        why=why,
    )


def _tools(place: Workdir, wish: HostWish) -> Iterator[tuple[str, str]]:
    for name, argv in _VERSIONS.items():
        if name in place.facts.programs:
            try:
                done = wish.tool_shell(place.shell).run(argv)
            except EngineError as error:
                yield name, f"cannot be used: {error.what}"
                continue
            lines = (done.stderr if done.code else done.stdout.decode(errors="replace")).split("\n")
            said = bounded(lines[-1] or lines[0])
            yield name, f"{'cannot be used: ' if done.code else ''}{said}".strip()


class _WantedImage(Struct, frozen=True):
    """The image that a push would take.

    Attributes:
        said: Which it is, or that there is none, as text.
        missing: Why there is none; None where there is one, or none was named.
        found: The image itself; an empty one where there is none.
    """

    said: str
    missing: DocklessError | None = None
    found: HostImage = HostImage()


def _image(server: Server, place: Workdir, wanted: HostChecks) -> _WantedImage:
    """Return the image that a push would take, found as a push finds it."""
    if not (wanted.there or server.image_name or wanted.names):
        return _WantedImage("no image was named")
    warnings: list[str] = []
    said = "unknown"
    try:
        found = find_on_host(wanted.wish, server, place, _untold, warnings.append)
    except DocklessError as error:
        return _WantedImage(error.what, error)
    if found.source:
        said = f"{found.source.kind} {found.source.path}"
        if found.source.selector:
            said += f", {found.source.selector} in it"
    elif found.tool and found.local:
        said = f"{found.tool.name} has {found.local.name}, {found.local.image_id}"
    return _WantedImage("; ".join((said, *warnings)), found=found)


def _untold(step: str) -> None:
    """Show no step: a check is short."""
    del step


def _engines(place: Workdir) -> Iterator[tuple[str, str]]:
    for name in ("crane", "skopeo"):
        path = place.facts.programs.get(name)
        with contextlib.suppress(EngineError):
            lacks = probe.look(name, Path(path), place.shell).unusable if path else "not installed"
            yield name, lacks


def _reached(shell: RemoteShell, endpoint: Endpoint | None) -> Reached:
    if endpoint is None:
        return Reached(answer=None, why="no registry was named")
    if is_loopback(endpoint.host):
        return Reached(answer=False, why=f"{endpoint.host} is a loopback address of this machine")
    return reach.reached(shell, endpoint)
