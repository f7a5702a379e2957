"""`dockless tools`: find, check and install the engines."""

import os
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct, to_builtins

from dockless.model.printable import one_line
from dockless.processes.terminal import say

if TYPE_CHECKING:
    from dockless.engines.probe import Abilities
    from dockless.engines.probe_records import ProbeRecords
    from dockless.engines.probe_result import ProbeResult

_ENGINES = ("crane", "skopeo")
_HEADINGS = ("ENGINE", "VERSION", "STATE", "PUSH PROBE", "PATH", "NOTES")
_GO = Path("go")
_DAY = len("2026-11-29")


class _Origin(click.Path):
    """What `--from` takes: a file, or the word `go`."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Path:
        """Return the file as an absolute path, or `_GO` for the word."""
        if value == str(_GO):
            return _GO
        return Path(os.fsdecode(super().convert(value, param, ctx))).absolute()


@click.group(
    epilog="""\b
Examples:
  dockless tools list
  dockless tools install
  "$(dockless tools path)" registry serve --address 127.0.0.1:5000
"""
)
def tools() -> None:
    """Find, check and install the engines that push: crane and skopeo."""


@tools.command(
    "list",
    epilog="""\b
Examples:
  dockless tools list
  dockless tools list --check
  dockless tools list --format json | jq -r '.engines[].state'
""",
)
@click.option(
    "--check",
    is_flag=True,
    help="Run the push probe of each program now: it pushes a small image to a registry in "
    "memory. Exit code 7 if a program cannot push.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A table, or one JSON document.",
)
def list_(form: str, *, check: bool) -> None:
    """Show every engine: where it is, its version, and whether it can push.

    The first usable one of a name is the one that is used. PUSH PROBE is the result, and its
    date, of the last push of a small image to a registry in memory; it is kept for 30 days, or
    until the program changes. One that failed it is faulty: it is used only if there is no other.
    """
    from dockless.errors import EngineError  # noqa: PLC0415
    from dockless.report.json import json_text  # noqa: PLC0415

    rows = tuple(_rows(check=check))
    if form == "json":
        say(json_text({"engines": to_builtins(rows)}))
    else:
        say(_table(rows))
    if check and any(row.state in ("faulty", "unusable") for row in rows):
        click.get_current_context().exit(EngineError.exit_code)


@tools.command(
    epilog="""\b
Examples:
  dockless tools install
  dockless tools install --force
  dockless tools install --from go
On a machine without a network:
  dockless tools install --from crane.tar.gz --sha256 "$(cut -d' ' -f1 crane.sha256)"
"""
)
@click.option(
    "--from",
    "origin",
    type=_Origin(),
    metavar="FILE|go",
    help="Install this file: a crane program, or the release's .tar.gz; needs --sha256. `go` "
    "builds the newest known crane from verified source with this machine's Go.",
)
@click.option("--sha256", metavar="HEX", help="The SHA-256 that the file of --from must have.")
@click.option("--force", is_flag=True, help="Install even if a usable crane is found.")
def install(origin: Path | None, sha256: str | None, *, force: bool) -> None:
    """Install crane for this user, without root, and print its path.

    Tried in this order: the release of crane's authors, checked by its SHA-256; Debian's package,
    checked by Debian's signature and unpacked. Before it is put in its place, the program pushes a
    small image to a registry in memory; one that cannot is not installed. An interrupted or
    tampered download leaves nothing behind.
    """
    import platform  # noqa: PLC0415  # loaded by this command only, as all imports below

    from dockless.client.engine_selection import own_engines  # noqa: PLC0415
    from dockless.client.workspace import this_machine  # noqa: PLC0415
    from dockless.engines import install as installing  # noqa: PLC0415
    from dockless.engines.push_probe import probe_push  # noqa: PLC0415
    from dockless.engines.releases import CRANE_SOURCE, crane_release  # noqa: PLC0415

    checksum = _checksum(origin, sha256)
    present = None if origin or force else _pushing_crane()
    if present:
        _note(f"{present} can push; nothing was installed. Use --force to install anyway.")
        say(one_line(str(present)))
        return
    wanted = installing.Installation(
        folder=own_engines(this_machine()), environment=os.environ, note=_note, check=probe_push
    )
    if origin is None:
        done = installing.install(wanted, crane_release(platform.system(), platform.machine()))
    elif origin == _GO:
        done = installing.install_from_go(wanted, CRANE_SOURCE)
    else:
        done = installing.install_file(wanted, origin, checksum)
    _records().keep(done.path, done.probe)
    used = _usable("crane")
    if used and used.path != done.path:
        _note(f"Another crane comes first on PATH and is used instead: {used.path}.")
    say(one_line(str(done.path)))


@tools.command(
    epilog="""\b
Examples:
  dockless tools path
  "$(dockless tools path skopeo)" --version
  dockless tools path --all
"""
)
@click.argument("engine", type=click.Choice(_ENGINES), required=False)
@click.option("--all", "every", is_flag=True, help="A line for each engine: its name and its path.")
def path(engine: str | None, *, every: bool) -> None:
    """Print the path of the ENGINE that is used: crane or skopeo; crane if none is named.

    The exit code is 7 if there is none.
    """
    from dockless.client.engine_selection import InstalledEngines  # noqa: PLC0415  # lazily, as above
    from dockless.client.workspace import this_machine  # noqa: PLC0415  # the same

    if every and engine:
        raise click.UsageError("--all does not go with ENGINE.")
    found = {name: _usable(name) for name in _ENGINES} if every else {}
    for name, each in found.items():
        if each:
            say(one_line(f"{name} {each.path}"))
    if not any(found.values()):
        say(one_line(str(InstalledEngines(this_machine()).selected(engine or "crane").path)))


class _Probe(Struct, frozen=True):
    passed: bool
    reason: str
    when: str


class _Row(Struct, frozen=True, kw_only=True):
    engine: str
    version: str = ""
    state: str
    path: str = ""
    features: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    probe: _Probe | None = None


def _rows(*, check: bool) -> Iterator[_Row]:
    from dockless.client.engine_selection import own_engines  # noqa: PLC0415
    from dockless.client.workspace import this_machine  # noqa: PLC0415
    from dockless.engines.find import candidates, distrust  # noqa: PLC0415
    from dockless.engines.probe import probe  # noqa: PLC0415

    for name in _ENGINES:
        own = own_engines(this_machine())
        paths = candidates(name, os.environ.get("PATH", ""), own)
        if not paths:
            hint = "get it with `dockless tools install`" if name == "crane" else "optional"
            yield _Row(engine=name, state="missing", notes=(hint,))
        for found in paths:
            if why := distrust(found, own):
                yield _Row(engine=name, state="unusable", path=str(found), notes=(why,))
            else:
                yield _row(probe(name, found, os.environ), check=check)


def _row(found: "Abilities", *, check: bool) -> _Row:
    from dockless.engines.probe import version  # noqa: PLC0415
    from dockless.engines.releases import quirks  # noqa: PLC0415

    number = version(found.name, found.path, os.environ)
    result = None
    if not found.unusable:
        known = _records().of(found.path, time.time(), found.policy)
        result = _probed(found) if check else known
    reason = result.reason if result else found.unusable
    state = "faulty" if result and not result.passed else "usable"
    if found.unusable:
        state = "unusable"
    return _Row(
        engine=found.name,
        version=number,
        state=state,
        path=str(found.path),
        features=tuple(sorted(found.features)),
        notes=(*((reason,) if reason else ()), *quirks(found.name, number)),
        probe=_Probe(result.passed, result.reason, _date(result.moment)) if result else None,
    )


def _probed(found: "Abilities") -> "ProbeResult":
    """Run a push probe of an engine, and store the result."""
    from dockless.client.folders import temporary_folder  # noqa: PLC0415
    from dockless.engines.push_probe import probe_push  # noqa: PLC0415
    from dockless.processes.scratch import scratch  # noqa: PLC0415

    with scratch(temporary_folder(os.environ), "dockless-probe-") as folder:
        result = probe_push(found.name, found.path, found.policy, os.environ, folder)
    _records().keep(found.path, result, found.policy)
    return result


def _records() -> "ProbeRecords":
    from dockless.client.stores import probe_records  # noqa: PLC0415

    return probe_records(os.environ)


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds")


def _table(rows: tuple[_Row, ...]) -> str:
    from dockless.report.text import columns  # noqa: PLC0415

    cells = [_HEADINGS]
    for row in rows:
        first, *others = row.notes or ("",)
        number = row.version or ("unknown" if row.path else "-")
        tried = "-"
        if row.probe:
            tried = f"{'passed' if row.probe.passed else 'failed'} {row.probe.when[:_DAY]}"
        cells.append((row.engine, number, row.state, tried, row.path or "-", first))
        cells.extend(("", "", "", "", "", note) for note in others)
    return columns(cells)


def _checksum(origin: Path | None, sha256: str | None) -> str:
    """Return the checksum in lower case, or nothing when no file is given either."""
    if origin == _GO and sha256 is not None:
        raise click.UsageError("--from go verifies a pinned checksum; --sha256 is for a file.")
    if origin != _GO and (origin is None) != (sha256 is None):
        raise click.UsageError("--from FILE and --sha256 go together.")
    checksum = (sha256 or "").lower()
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", checksum):
        raise click.UsageError("--sha256 takes 64 hexadecimal digits.")
    return checksum


def _pushing_crane() -> Path | None:
    """Return the crane that is used, if it passes a push probe now."""
    tried: set[Path] = set()
    # one that fails is remembered, and the next one selected in its place
    while (found := _usable("crane")) and found.path not in tried:
        tried.add(found.path)
        result = _probed(found)
        if result.passed:
            return found.path
        _note(f"{found.path} cannot push: {result.reason}")
    return None


def _usable(name: str) -> "Abilities | None":
    from dockless.client.engine_selection import InstalledEngines  # noqa: PLC0415
    from dockless.client.workspace import this_machine  # noqa: PLC0415
    from dockless.errors import EngineError  # noqa: PLC0415

    try:
        return InstalledEngines(this_machine()).selected(name)
    except EngineError:
        return None


def _note(text: str) -> None:
    say(text, err=True)
