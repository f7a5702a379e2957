"""Writes docs/compatibility.md from what a run of the whole matrix kept.

`python -m matrix.page RECORDS` prints it, unless a cell is missing.
"""

import itertools
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from matrix.cells import Cell, Note, cells, expected
from matrix.content import WHATS
from matrix.records import Record, read
from matrix.servers import ACCESSES
from matrix.versions import Listed, listed, of_kind

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
VERSIONS = "| kind | in the table | version | from | in `make test` |"

_Key = tuple[str, ...]
_Found = Mapping[tuple[str, _Key], Record]
_PATH = re.compile(r"(?<![\d:/])/(?:[^\s/']+/)+")
_HEAD = """# What works with what

Written by `make matrix` on {date}; do not edit it by hand. The versions are those of
`tests/matrix/versions.toml`. {count} pushes were made, {failed}.

Each cell is a separate push to a new repository. Everything in it, manifests and blobs, was read
back over plain HTTP by the test, which compared every digest, and the registry's access log was
searched for the writers. With an engine by name no writing request is dockless's own.

## Versions

{versions}

"""
_ENGINES = """## Engines and registries

`auto` is `--engine auto` with that engine as the only one on PATH, `by name` is `--engine crane` or
`--engine skopeo`. What is pushed: an **image** from a docker-archive, an **index** of two platforms
with their attestations, an **artifact** with a `subject`, and one image with 20 **tags**. *token*:
the token service has a name; *token elsewhere*: it has an IP address, a private one that is not the
registry's. A cell shows what wrote the manifests, and for an artifact how it is found from
its subject: by the referrers API, by the referrers tag, or nowhere. ✗ is a push that did not have
the expected result; a number is a note below.

"""
_CONTAINERS = """## Container tools

An image that was built there is pushed by its name and by its ID, with `--engine auto`, and the
result is compared with the ID and digest that the tool shows.

"""
_NOTES: Mapping[Note, str] = {
    "realm": "This crane refuses a token service that has a private IP address, unless address and "
    "port are the registry's; it accepts one with a name. The push is expected to fail with its "
    "message, and no tag is changed.",
    "realm-auto": "The same crane. dockless is expected to report this in one line and write the "
    "image itself.",
    "subject": "With `auto` dockless writes manifests with a `subject` itself, and updates the "
    "referrers tag where the registry has no referrers API, so that type and annotations "
    "are kept.",
    "unlisted": "skopeo writes no referrers tag: the artifact is there but cannot be found by its "
    "subject.",
    "untyped": "This crane leaves the artifact's type out of the referrers tag: it cannot be found "
    "by its type.",
}


def page(records: Iterable[Record], date: str) -> str:
    """Return the page.

    Raises:
        LookupError: A cell of the matrix is missing.
    """
    found: dict[tuple[str, _Key], Record] = {
        (record.kind, record.key): record for record in records
    }
    pushes = [record for record in found.values() if record.kind != "version"]
    failed = sum(not record.passed for record in pushes)
    head = _HEAD.format(
        date=date,
        count=len(pushes),
        failed=f"{failed} of them did not have the expected result"
        if failed
        else "all as expected",
        versions=versions({key[0]: found["version", key].did for _, key in _of("version", found)}),
    )
    tables = _ENGINES + _engines(found) + _notes() + _CONTAINERS + _containers(found)
    return head + tables + _failures(pushes)


def versions(seen: Mapping[str, str]) -> str:
    """Return the table of versions, with those that were seen where they are others."""
    rows = []
    for program in listed():
        said = seen.get(program.label, program.version)
        told = "" if said == program.version else f" ({said} was run)"
        rows.append(f"{_row(program)[:-2]}{told} |" if told else _row(program))
    return "\n".join((VERSIONS, "|---|---|---|---|---|", *rows))


def rows() -> tuple[str, ...]:
    """Return the rows that the table of versions has to have."""
    return tuple(map(_row, listed()))


def _row(program: Listed) -> str:
    origins = {
        "system": "Debian 12",
        "tools": "Debian forky",
        "go": "built from its Go module",
        "source": f"built on the Go module {program.module}",
        "debian": f"Debian {program.suite}",
    }
    quick = "yes" if program.quick else "no"
    version = f"`{program.name}` {program.version}"
    return f"| {program.kind} | {program.label} | {version} | {origins[program.origin]} | {quick} |"


def _of(kind: str, found: _Found) -> Iterator[tuple[str, _Key]]:
    return (each for each in found if each[0] == kind)


def _engines(found: _Found) -> str:
    known = {cell.key: cell for cell in cells()}
    parts = []
    for engine in (*(each.label for each in of_kind("engine")), "none"):
        title = "No engine at all" if engine == "none" else engine
        modes = ("auto",) if engine == "none" else ("auto", "named")
        table = [
            "| registry | access | engine | " + " | ".join(WHATS) + " |",
            "|---|---|---|" + "---|" * len(WHATS),
        ]
        for registry, access, mode in itertools.product(of_kind("registry"), ACCESSES, modes):
            keys = [(engine, registry.label, access, mode, what) for what in WHATS]
            shown = [_cell(known[key], found) for key in keys]
            by = "auto" if mode == "auto" else "by name"
            table.append(f"| {registry.label} | {access} | {by} | {' | '.join(shown)} |")
        parts.append(f"### {title}\n\n" + "\n".join(table) + "\n\n")
    return "".join(parts)


def _cell(cell: Cell, found: _Found) -> str:
    record = _record("push", cell.key, found)
    note = expected(cell).note
    number = f" [{list(_NOTES).index(note) + 1}]" if note else ""
    return _shown(record) + number


def _notes() -> str:
    lines = [f"{number}. {text}" for number, text in enumerate(_NOTES.values(), 1)]
    return "### Notes\n\n" + "\n".join(lines) + "\n\n"


def _containers(found: _Found) -> str:
    lines = ["| tool | by name | by ID |", "|---|---|---|"]
    for tool in of_kind("container"):
        shown = [_shown(_record("container", (tool.label, by), found)) for by in ("name", "ID")]
        lines.append(f"| {tool.label} | {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def _failures(pushes: Sequence[Record]) -> str:
    failed = [each for each in pushes if not each.passed]
    # folders are those of the machine that ran it
    lines = [f"- {', '.join(each.key)}: `{_PATH.sub('', each.did)}`" for each in failed]
    return "\n## Not as expected\n\n" + "\n".join(lines) + "\n" if lines else ""


def _record(kind: str, key: _Key, found: _Found) -> Record:
    if (kind, key) not in found:
        raise LookupError(f"the run has no {' '.join(key)}; run all of `make matrix`")
    return found[kind, key]


def _shown(record: Record) -> str:
    if record.passed:
        return record.did
    return "✗"


def main(arguments: Sequence[str]) -> None:
    """Write the page from the records of a run."""
    text = page(read(Path(arguments[0])), time.strftime("%Y-%m-%d", time.gmtime()))
    PAGE.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
