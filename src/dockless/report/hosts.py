"""What hosts did, and what they have, as tables and as JSON."""

from collections.abc import Sequence

from msgspec import Struct

from dockless.errors import DocklessError
from dockless.model.host import HostResult
from dockless.model.printable import one_line
from dockless.model.server import Server
from dockless.oci.reference import Reference, Repository
from dockless.report.builds import build_members
from dockless.report.json import SCHEMA_VERSION, error_members
from dockless.report.text import columns, error_texts
from dockless.report.units import human_size, human_time

_HEADINGS = ("HOST", "METHOD", "DIGEST", "SENT", "TIME", "RESULT")
_PLAN_HEADINGS = ("HOST", "IMAGE", "DRY RUN")
_SHORT_HEX = 12


class Checked(Struct, frozen=True, kw_only=True):
    """What one host has.

    Attributes:
        server: The host.
        error: Why nothing could be found out; None when something was.
        lacking: Why a push from it would fail, as far as that was found out; None for nothing.
        account: The account and system: `root on Linux x86_64`.
        tools: Each container tool and its version, or why it cannot be used.
        image: The image that a push would take, and its ID; or that there is none.
        engines: Each engine and what it lacks; empty for nothing.
        free: Bytes that are free in our folder there.
        clock: Seconds by which its clock is ahead of ours.
        reaches: Whether it reaches the registry; None when that is not known.
        unreached: Why it does not, or why that is not known, as a clause; empty where it does.
        way: The transfer method that a push would choose; empty where that is not known.
        why: Why that one, or why it is not known.
    """

    server: Server
    error: DocklessError | None = None
    lacking: DocklessError | None = None
    account: str = ""
    tools: tuple[tuple[str, str], ...] = ()
    image: str = ""
    engines: tuple[tuple[str, str], ...] = ()
    free: int = 0
    clock: float = 0.0
    reaches: bool | None = None
    unreached: str = ""
    way: str = ""
    why: str = ""


def outcome_table(results: Sequence[HostResult]) -> str:
    """Return a line for each host, under headings."""
    return columns((_HEADINGS, *map(_row, results)))


def outcome_document(results: Sequence[HostResult]) -> dict[str, object]:
    """Return the JSON document of a push from hosts."""
    return {"schemaVersion": SCHEMA_VERSION, "hosts": [_members(result) for result in results]}


def plan_text(repository: Repository, tags: Sequence[str], results: Sequence[HostResult]) -> str:
    """Return what a push from hosts would do, for `--dry-run`."""
    targets = columns([("Target", str(Reference(repository, tag))) for tag in tags])
    return f"{targets}\n\n{columns((_PLAN_HEADINGS, *map(_plan_row, results)))}"


def host_error_texts(results: Sequence[HostResult]) -> tuple[str, ...]:
    """Return the error of each host; one that several have, as of their common tags, once."""
    return error_texts((each.server.short_name, each.error) for each in results)


def residue_lines(result: HostResult) -> tuple[str, ...]:
    """Return what the audit of one host found, a sentence a line."""
    host = result.server.address
    if result.residue is None:
        return (f"{host}: could not be checked for files left behind.",)
    if not result.residue:
        return (f"{host}: no files left behind.",)
    return tuple(f"{host}: left behind: {path}" for path in result.residue)


def check_text(number: int, found: Checked, *, alone: bool = False) -> str:
    """Return what one host has, as a paragraph.

    Args:
        number: That of the list of servers.
        found: What it has.
        alone: Whether it is the only host, so that its error is that of the command.
    """
    if found.error and alone:
        return f"{number:3}  {found.server}\n     could not be checked"
    if found.error:
        return f"{number:3}  {found.server}\n     {one_line(str(found.error))}"
    reached = {True: "reached", False: "not reached", None: "unknown"}
    rows = [("login", found.account)]
    rows += found.tools or [("tools", "no docker, podman, nerdctl or buildah")]
    rows.append(("image", found.image))
    rows += [(name, lacks or "can push") for name, lacks in found.engines]
    rows += [
        ("space", f"{human_size(found.free)} free"),
        ("clock", f"{found.clock:+.0f} s"),
        ("registry", ": ".join(filter(None, (reached[found.reaches], found.unreached)))),
        ("transfer", f"{found.way or 'unknown'}: {found.why}"),
    ]
    lines = columns(rows).splitlines()
    return "\n".join([f"{number:3}  {found.server}", *(f"     {line}" for line in lines)])


def list_document(servers: Sequence[tuple[int, Server]]) -> dict[str, object]:
    """Return the JSON document of a list of servers with their numbers."""
    hosts = [{"number": number, **_server(server)} for number, server in servers]
    return {"schemaVersion": SCHEMA_VERSION, "hosts": hosts}


def check_document(found: Sequence[Checked]) -> dict[str, object]:
    """Return the JSON document of what hosts have."""
    return {"schemaVersion": SCHEMA_VERSION, "hosts": [_check_members(each) for each in found]}


def _row(result: HostResult) -> tuple[str, ...]:
    digest = "-"
    if result.digest:
        digest = f"{result.digest.algorithm}:{result.digest.hex[:_SHORT_HEX]}"
    said = "pushed"
    if result.error:
        said = f"failed ({result.error.exit_code})"
    elif result.unchanged:
        said = "already there"
    elif result.digest is None:
        said = "dry run"
    return (
        str(result.server),
        result.way or "-",
        digest,
        human_size(result.sent),
        human_time(result.seconds),
        said,
    )


def _plan_row(result: HostResult) -> tuple[str, ...]:
    image = str(result.image_id or "unknown")
    would = f"would push, by {result.way}: {result.why}"
    if result.error:
        would = f"would fail ({result.error.exit_code})"
    elif result.build:
        would = f"would build {result.build}, and then push, by {result.way}: {result.why}"
    elif result.unchanged:
        would = "would do nothing: already there"
    return str(result.server), "-" if result.build or result.error else image, would


def _members(result: HostResult) -> dict[str, object]:
    return {
        **_server(result.server),
        "way": result.way or None,
        "why": result.why or None,
        "digest": str(result.digest) if result.digest else None,
        "sentBytes": result.sent,
        "seconds": round(result.seconds, 3),
        "unchanged": result.unchanged,
        "imageId": str(result.image_id) if result.image_id else None,
        "build": build_members(result.build) if result.build else None,
        "residue": None if result.residue is None else list(result.residue),
        "error": error_members(result.error) if result.error else None,
    }


def _server(server: Server) -> dict[str, object]:
    return {"host": server.address, "user": server.user or None, "port": server.port}


def _check_members(found: Checked) -> dict[str, object]:
    return {
        **_server(found.server),
        "error": error_members(found.error) if found.error else None,
        "lacking": error_members(found.lacking) if found.lacking else None,
        "account": found.account or None,
        "tools": dict(found.tools),
        "image": found.image or None,
        "engines": {name: {"usable": not lacks, "lacks": lacks} for name, lacks in found.engines},
        "freeBytes": found.free,
        "clockAheadSeconds": round(found.clock),
        "reachesRegistry": found.reaches,
        "registryUnreached": found.unreached or None,
        "way": found.way or None,
        "why": found.why or None,
    }
