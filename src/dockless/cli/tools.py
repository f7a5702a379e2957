"""`dockless tools`: find, check and install the engines."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from dockless.cli.options import FORMAT
from dockless.cli.param_types import PathType
from dockless.engines.installed import InstalledEngines, own_engines
from dockless.engines.probe_records import probe_records
from dockless.errors import EngineError
from dockless.model.options import PROGRAMS
from dockless.model.printable import json_text, one_line
from dockless.processes.terminal import say, tell
from dockless.report.engine_table import engine_document, engine_table, path_document
from dockless.report.help_texts import EPILOGS
from dockless.storage.machine import this_machine
from dockless.storage.user_folders import temporary_folder

if TYPE_CHECKING:
    from dockless.engines.inventory import EngineFolders

_GO = Path("go")


class _CraneOrigin(PathType):
    """What `--from` takes: a file, or the word `go`."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:  # noqa: ANN401 - as click's
        """Return the file as an absolute path, or `_GO` for the word."""
        if value == str(_GO):
            return _GO
        return Path(os.fsdecode(super().convert(value, param, ctx))).absolute()


@click.group(epilog=EPILOGS["tools"])
def tools() -> None:
    """Find, check and install the engines that push: crane and skopeo."""


@tools.command(
    "list",
    epilog=EPILOGS["tools list"],
)
@click.option(
    "--check",
    is_flag=True,
    help="Run the push probe of each program now: it pushes a small image to a registry in "
    "memory. Exit code 7 if a program cannot push.",
)
@FORMAT
def list_(output: Literal["text", "json"], *, check: bool) -> None:
    """Show every engine: its path, its version, and if it can push.

    The first usable one of a name is the one that is used. PUSH PROBE is the result, and its
    date, of the last push of a small image to a registry in memory; it is kept for 30 days, or
    until the program changes. One that failed it is faulty: it is used only if there is no other.
    """
    from dockless.engines.inventory import listed_engines  # noqa: PLC0415 - not for `tools path`

    engines = tuple(listed_engines(_here(), check=check))
    say(json_text(engine_document(engines)) if output == "json" else engine_table(engines))
    if check and any(each.state in ("faulty", "unusable") for each in engines):
        click.get_current_context().exit(EngineError.exit_code)


@tools.command(epilog=EPILOGS["tools install"])
@click.option(
    "--from",
    "origin",
    type=_CraneOrigin(),
    metavar="FILE|go",
    help="Install this file: a crane program, or the release's .tar.gz; needs --sha256. `go` "
    "builds the newest known crane from verified source with this machine's Go.",
)
@click.option("--sha256", metavar="HEX", help="The SHA-256 that the file of --from must have.")
@click.option("--force", is_flag=True, help="Install even if a usable crane is found.")
@FORMAT
def install(
    origin: Path | None, sha256: str | None, output: Literal["text", "json"], *, force: bool
) -> None:
    """Install crane for this user, and print its path; no root.

    Tried in this order: the release of crane's authors, checked by its SHA-256; Debian's package,
    checked by Debian's signature and unpacked. Before it is put in its place, the program pushes a
    small image to a registry in memory; one that cannot is not installed. An interrupted or
    tampered download leaves nothing behind.
    """
    from dockless.engines.inventory import (  # noqa: PLC0415 - not for `tools path`
        checksum_fault,
        install_crane,
        pushing_crane,
    )

    if fault := checksum_fault(sha256, file=origin is not None, build=origin == _GO):
        raise click.UsageError(fault)
    here = _here()
    present = None if origin or force else pushing_crane(here)
    if present:
        _note(f"{present} can push; nothing was installed. Use --force to install anyway.")
    else:
        build, checksum = origin == _GO, (sha256 or "").lower()
        present = install_crane(here, None if build else origin, checksum, build=build)
    say(_shown([("crane", present)], output) or one_line(str(present)))


@tools.command(epilog=EPILOGS["tools path"])
@click.argument("engine", type=click.Choice(PROGRAMS), required=False, metavar="[ENGINE]")
@click.option("--all", "every", is_flag=True, help="A line for each engine: its name and its path.")
@FORMAT
def path(engine: str | None, output: Literal["text", "json"], *, every: bool) -> None:
    """Print the path of the engine that is used.

    ENGINE is crane or skopeo; without it, crane.

    The exit code is 7 if there is none.
    """
    if every and engine:
        raise click.UsageError("--all does not go with ENGINE.")
    installed = InstalledEngines(this_machine())
    if every:
        from dockless.engines.inventory import usable_engines  # noqa: PLC0415 - not for one path

        found = tuple(usable_engines(installed.selected))
    else:
        found = (installed.selected(engine or "crane"),)
    lines = [one_line(f"{each.name} {each.path}" if every else str(each.path)) for each in found]
    say(_shown([(each.name, each.path) for each in found], output) or "\n".join(lines))


def _shown(paths: Sequence[tuple[str, Path]], output: Literal["text", "json"]) -> str:
    """Return the document of engines that are used; nothing where text is asked for."""
    return json_text(path_document(paths)) if output == "json" else ""


def _here() -> "EngineFolders":
    from dockless.engines.inventory import EngineFolders  # noqa: PLC0415 - not for `tools path`

    machine = this_machine()
    return EngineFolders(
        environment=os.environ,
        own=own_engines(machine),
        records=lambda: probe_records(os.environ),
        temporary=temporary_folder(os.environ),
        select=lambda name: InstalledEngines(machine).selected(name),
        note=_note,
    )


def _note(text: str) -> None:
    tell(text)
