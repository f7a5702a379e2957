"""`dockless tools`: find, check and install the engines."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import click

_ENGINES = ("crane", "skopeo")
_HEADINGS = ("ENGINE", "VERSION", "STATE", "PATH", "NOTES")


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
  dockless tools list --format json | jq -r '.engines[].state'
""",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="A table for people, or one JSON document.",
)
def list_(form: str) -> None:
    """Show every engine: where it is, its version, and whether it can push.

    The first usable one of a name is the one that is used.
    """
    rows = tuple(_rows())
    if form == "json":
        click.echo(json.dumps({"engines": [asdict(row) for row in rows]}, indent=2))
    else:
        click.echo(_table(rows))


@tools.command(
    epilog="""\b
Examples:
  dockless tools install
  dockless tools install --force
On a machine without a network:
  dockless tools install --from crane.tar.gz --sha256 "$(cut -d' ' -f1 crane.sha256)"
"""
)
@click.option(
    "--from",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Install this file: a crane program, or the release's .tar.gz. Needs --sha256.",
)
@click.option("--sha256", metavar="HEX", help="The SHA-256 that the file of --from must have.")
@click.option("--force", is_flag=True, help="Install even if a usable crane is there.")
def install(file: Path | None, sha256: str | None, *, force: bool) -> None:
    """Install crane for this user, without root, and print its path.

    Tried in this order: the release of crane's authors, checked by its SHA-256; Debian's package,
    checked by Debian's signature and unpacked. An interrupted or tampered download leaves
    nothing behind.
    """
    import platform  # noqa: PLC0415  # loaded by this command only, as all imports below

    from dockless.engines.install import install as install_crane  # noqa: PLC0415
    from dockless.engines.install import install_file  # noqa: PLC0415
    from dockless.engines.pins import crane_release  # noqa: PLC0415

    checksum = _checksum(file, sha256)
    present = _usable("crane")
    if present and not file and not force:
        _note(f"{present} can push; nothing was installed. Use --force to install anyway.")
        click.echo(present)
        return
    folder = _own_folder()
    if file:
        path = install_file(folder, file, checksum, os.environ, _note)
    else:
        release = crane_release(platform.system(), platform.machine())
        path = install_crane(folder, release, os.environ, _note)
    used = _usable("crane")
    if used != path:
        _note(f"Another crane comes first on PATH and is used instead: {used}.")
    click.echo(path)


@tools.command(
    epilog="""\b
Examples:
  dockless tools path
  "$(dockless tools path skopeo)" --version
"""
)
@click.argument("engine", type=click.Choice(_ENGINES), default="crane")
def path(engine: str) -> None:
    """Print the path of the ENGINE (crane or skopeo) that is used; exit 7 if there is none."""
    from dockless.engines.probe import select  # noqa: PLC0415  # lazily, as above

    click.echo(select(engine, _own_folder(), os.environ).path)


@dataclass(frozen=True, slots=True)
class _Row:
    engine: str
    version: str
    state: str
    path: str
    features: tuple[str, ...]
    notes: tuple[str, ...]


def _rows() -> Iterator[_Row]:
    from dockless.engines.find import candidates  # noqa: PLC0415
    from dockless.engines.pins import quirks  # noqa: PLC0415
    from dockless.engines.probe import probe, version  # noqa: PLC0415

    for name in _ENGINES:
        paths = candidates(name, os.environ.get("PATH", ""), _own_folder())
        if not paths:
            hint = "get it with `dockless tools install`" if name == "crane" else "optional"
            yield _Row(name, "", "missing", "", (), (hint,))
        for found in paths:
            abilities = probe(name, found, os.environ)
            number = version(name, found, os.environ)
            state = "unusable" if abilities.unusable else "usable"
            notes = (abilities.unusable,) if abilities.unusable else quirks(name, number)
            features = tuple(sorted(abilities.features))
            yield _Row(name, number, state, str(found), features, notes)


def _table(rows: tuple[_Row, ...]) -> str:
    cells = [_HEADINGS]
    for row in rows:
        first, *others = row.notes or ("",)
        number = row.version or ("unknown" if row.path else "-")
        cells.append((row.engine, number, row.state, row.path or "-", first))
        cells.extend(("", "", "", "", note) for note in others)
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    )


def _checksum(file: Path | None, sha256: str | None) -> str:
    """Return the checksum in lower case, or nothing when no file is given either."""
    if (file is None) != (sha256 is None):
        raise click.UsageError("--from and --sha256 go together.")
    checksum = (sha256 or "").lower()
    if sha256 is not None and not re.fullmatch("[0-9a-f]{64}", checksum):
        raise click.UsageError("--sha256 takes 64 hexadecimal digits.")
    return checksum


def _usable(name: str) -> Path | None:
    from dockless.engines.probe import select  # noqa: PLC0415
    from dockless.model.errors import EngineError  # noqa: PLC0415

    try:
        return select(name, _own_folder(), os.environ).path
    except EngineError:
        return None


def _own_folder() -> Path:
    from platformdirs import user_data_path  # noqa: PLC0415

    from dockless.engines.find import own_folder  # noqa: PLC0415

    return own_folder(os.environ, user_data_path("dockless"))


def _note(text: str) -> None:
    click.echo(text, err=True)
