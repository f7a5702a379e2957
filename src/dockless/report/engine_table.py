"""The engines of a machine, as a table and as JSON."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import to_builtins

from dockless.model.listed_engine import ListedEngine
from dockless.report.json import SCHEMA_VERSION
from dockless.report.text import columns

_HEADINGS = ("ENGINE", "VERSION", "STATE", "PUSH PROBE", "PATH", "NOTES")
_DAY = len("2026-11-29")


def engine_document(engines: Sequence[ListedEngine]) -> dict[str, object]:
    """Return the JSON document of the engines."""
    return {"schemaVersion": SCHEMA_VERSION, "engines": to_builtins(tuple(engines))}


def path_document(paths: Sequence[tuple[str, Path]]) -> dict[str, object]:
    """Return the JSON document of engines that are used, each with its name and path."""
    members = [{"engine": name, "path": str(path)} for name, path in paths]
    return {"schemaVersion": SCHEMA_VERSION, "paths": members}


def engine_table(engines: Sequence[ListedEngine]) -> str:
    """Return a line for each engine, under headings, and one for each further note."""
    cells = [_HEADINGS]
    for each in engines:
        first, *others = each.notes or ("",)
        number = each.version or ("unknown" if each.path else "-")
        tried = "-"
        if each.probe:
            tried = f"{'passed' if each.probe.passed else 'failed'} {each.probe.when[:_DAY]}"
        cells.append((each.engine, number, each.state, tried, each.path or "-", first))
        cells.extend(("", "", "", "", "", note) for note in others)
    return columns(cells)
