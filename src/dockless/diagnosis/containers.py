"""The container tools: which are installed, and whether their daemons respond."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.concurrency import map_concurrently
from dockless.diagnosis.programs import BriefPrograms
from dockless.errors import EngineError
from dockless.model.finding import Finding, State
from dockless.model.printable import bounded
from dockless.processes.programs import Programs
from dockless.sources.daemons import (
    Contact,
    DaemonAddress,
    contact,
    containerd_address,
    docker_address,
    podman_address,
)

AREA = "containers"
_PROGRAM_SECONDS, _SOCKET_SECONDS = 4.0, 4.0
NAMES = ("docker", "podman", "nerdctl", "buildah")


class Tool(Struct, frozen=True, kw_only=True):
    """The state of one container tool.

    Attributes:
        name: The program.
        version: Its own version output; None when it is not on PATH.
        failed: Why that failed; empty when it did not.
        hangs: Whether it did not respond at all; every push that asks it would wait.
        address: The configured address of its daemon, or why that is unknown; None for a
            tool without one.
        contact: The result of querying it; None when it was not queried.
        lost_home: The missing HOME, without which many fail; None when it exists.
    """

    name: str
    version: str | None = None
    failed: str = ""
    hangs: bool = False
    address: DaemonAddress | str | None = None
    contact: Contact | None = None
    lost_home: Path | None = None


def check(environment: Mapping[str, str], home: Path) -> Iterator[Finding]:
    """Check every tool; no daemon is started."""
    tools = map_concurrently(partial(_tool, environment, home), NAMES, len(NAMES))
    for tool in tools:
        yield from judge(tool)
    if not any(tool.version is not None or _answers(tool) for tool in tools):
        yield Finding(
            area=AREA,
            subject="images",
            state="note",
            what="none of docker, podman, nerdctl and buildah is installed: images can come only "
            "from archives and layouts",
        )


def _tool(environment: Mapping[str, str], home: Path, name: str) -> Tool:
    found = installed_tool(BriefPrograms(environment, _PROGRAM_SECONDS), name)
    address: DaemonAddress | str | None = None
    match name:
        case "docker":
            address = docker_address(environment, home)
        case "podman":
            address = podman_address(environment)
        case "nerdctl" if found.version is not None:
            address = containerd_address(environment)
    answered = None
    if isinstance(address, DaemonAddress):
        # containerd speaks gRPC: all that can be checked is that it listens
        answered = contact(address, _SOCKET_SECONDS, ping=name != "nerdctl")
    lost_home = home if found.failed and not found.hangs and not _is_folder(home) else None
    return replace(found, address=address, contact=answered, lost_home=lost_home)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def installed_tool(programs: Programs, name: str) -> Tool:
    """Return whether a tool is on PATH, and its version, without starting anything else of it."""
    if not programs.has(name):
        return Tool(name=name)
    try:
        # not `version` or `info`: these start what rootless tools need, or wait for a daemon
        done = programs.run((name, "--version"))
    except EngineError as error:
        return Tool(name=name, version="", failed=error.what, hangs=True)
    found = re.search(r"\d+\.\d+[^\s,]*", done.stdout.decode(errors="replace"))
    if done.code:
        *_, last = ("", *done.stderr.splitlines())
        said = f": {bounded(last.strip().rstrip('.'))}" if last else ""
        failed = f"{name} --version ends with status {done.code}{said}."
        return Tool(name=name, version="", failed=failed)
    return Tool(name=name, version=found[0] if found else "")


def judge(tool: Tool) -> Iterator[Finding]:
    """Judge whether images can be read from a tool; yields nothing for a missing one."""
    if tool.failed:
        state: State = "problem" if tool.hangs else "note"
        what, remedy = tool.failed, f"Repair or remove {tool.name}."
        if tool.lost_home:
            what = f"{what} HOME is {tool.lost_home}, which does not exist."
            remedy = "Set HOME to a folder that belongs to this user."
        yield _line(tool, state, what, remedy)
    elif isinstance(tool.address, str):
        remedy = "Run `docker context use default`, or create the context again."
        yield _line(tool, "problem", f"{tool.address}.", remedy)
    elif tool.address and tool.contact:
        yield from _daemon(tool, tool.address, tool.contact)
    elif tool.version is not None:
        yield _line(tool, "ok", f"{tool.version or 'unknown version'}, works without a daemon")


def _daemon(tool: Tool, address: DaemonAddress, said: Contact) -> Iterator[Finding]:
    client = f"client {tool.version}" if tool.version else "no client, which is not needed"
    named = f"{address.url} ({address.origin})" if address.origin else address.url
    match said.state:
        case "answers":
            api = f", {said.said}" if said.said else ""
            yield _line(tool, "ok", f"answers at {named}{api}; {client}")
        case "unasked":
            yield _line(tool, "note", f"{named}: not queried directly, {said.said}; {client}")
        case "denied":
            what = f"{named}: permission denied."
            yield _line(tool, "problem", what, _admission(tool.name))
        case "absent" if not address.origin:
            if tool.version is not None:
                yield _line(
                    tool, "note", f"{client}, but no daemon runs: {address.url} does not exist"
                )
        case _:
            what = f"{named} does not respond: {said.said}."
            yield _line(tool, "problem", what, _revival(tool.name, address))


def _admission(name: str) -> str:
    if name == "docker":
        return (
            "Add this user to the group `docker` and log in again, or use rootless docker "
            "or podman."
        )
    return f"Run as a user who may use {name}, or use its rootless form."


def _revival(name: str, address: DaemonAddress) -> str:
    if address.origin.startswith("the docker context"):
        return "Start that daemon, or run `docker context use default`."
    if address.origin:
        return f"Start that daemon, or correct or unset {address.origin}."
    return f"Start it, such as with `systemctl start {name}`, or remove the stale socket."


def _line(tool: Tool, state: State, what: str, remedy: str = "") -> Finding:
    address = tool.address.url if isinstance(tool.address, DaemonAddress) else None
    facts = {
        "version": tool.version or None,
        "address": address,
        "answers": _answers(tool) if tool.contact else None,
    }
    return Finding(area=AREA, subject=tool.name, state=state, what=what, remedy=remedy, facts=facts)


def _answers(tool: Tool) -> bool:
    return tool.contact is not None and tool.contact.state == "answers"
