"""Tries the newest of everything, so that what breaks is known before users meet it.

`python -m matrix.newest` asks Go's proxy and Debian what is newest. Where that is newer than what
`versions.toml` lists, it is fetched and the matrix is run with it. What is found is printed; no
file of the project changes.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from matrix import fetch
from matrix.records import VARIABLE, read
from matrix.versions import ELSEWHERE, KINDS, Listed, listed

_RELEASE = re.compile(r"v\d+\.\d+\.\d+")
_NUMBER = re.compile(r"\d+\.\d+\.\d+")
_HERE = Path(__file__).parent
_TESTS = tuple(str(_HERE / f"test_{name}.py") for name in ("versions", "containers", "engines"))
_SCRIPT = _HERE.parents[1] / "scripts" / "debian-root.sh"


def newest(program: Listed) -> Listed:
    """Return a program in its newest release; itself where there is none newer.

    Raises:
        subprocess.CalledProcessError: What is newest cannot be asked.
    """
    asked = program
    if program.origin == "tools" and program.name == "docker":
        # what `make tools` unpacks, as a package that can be asked for
        asked = replace(
            program,
            origin="debian",
            suite="forky",
            packages=("docker.io",),
            program="usr/sbin/dockerd",
        )
    if asked.origin not in {"go", "debian"}:
        return program
    found = _in_go(asked) if asked.origin == "go" else _in_debian(asked)
    if _parts(found) <= _parts(program.version):
        return program
    label = program.label.replace(program.version, found)
    return replace(asked, version=found, label=label)


def is_latest(program: Listed, others: Sequence[Listed]) -> bool:
    """Whether no other entry of the same kind and name has a newer version."""
    same = [each for each in others if (each.kind, each.name) == (program.kind, program.name)]
    return all(_parts(each.version) <= _parts(program.version) for each in same)


def _in_go(program: Listed) -> str:
    argv = ("go", "list", "-m", "-versions", program.module)
    environment = fetch.go_environment()
    said = subprocess.run(
        argv, env=environment, cwd=fetch.HOME, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return max(filter(_RELEASE.fullmatch, said.split()), key=_parts).removeprefix("v")


def _in_debian(program: Listed) -> str:
    argv = ("sh", str(_SCRIPT), "--newest", program.suite, *program.packages)
    said = subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
    return str(_NUMBER.findall(said)[0])


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def written(programs: Sequence[Listed]) -> str:
    """Return a file as `versions.toml`."""
    return "\n".join(line for program in programs for line in _lines(program)) + "\n"


def _lines(program: Listed) -> Iterator[str]:
    values = asdict(program)
    yield f"[[{values.pop('kind')}]]"
    for name, value in values.items():
        # strings, booleans and lists of strings look in TOML as they do in JSON
        yield f"{name} = {json.dumps(value)}"


def chosen(now: Sequence[Listed], then: Sequence[Listed]) -> tuple[Listed, ...]:
    """Return what is run: of engines and container tools the newest, of the others all.

    Args:
        now: What the file lists.
        then: The same, each in its newest release.
    """
    changed = {new.label for old, new in zip(now, then, strict=True) if old != new}
    others = [each for each in then if each.kind in {"registry", "other"}]
    if any(each.label in changed for each in others if each.kind == "registry"):
        changed |= {each.label for each in then if each.kind == "engine" and each.quick}
    ran = [each for each in then if each in others or each.label in changed]
    unique = {(each.kind, each.label): each for each in ran}
    return tuple(sorted(unique.values(), key=lambda each: KINDS.index(each.kind)))


def main() -> int:
    """Ask, fetch and run; return the exit status."""
    fetch.HOME.mkdir(parents=True, exist_ok=True)
    now = listed()
    then = tuple(newest(each) if is_latest(each, now) else each for each in now)
    for old, new in zip(now, then, strict=True):
        if new != old:
            _say(f"{old.kind} {old.label}: {new.version} is newer")
    if now == then:
        _say("Nothing is newer than what versions.toml lists.")
        return 0
    with tempfile.TemporaryDirectory(prefix="newest-") as scratch:
        return _run(chosen(now, then), Path(scratch))


def _run(programs: Sequence[Listed], scratch: Path) -> int:
    for program in programs:
        _say(fetch.fetch(program))
    versions, records = scratch / "versions.toml", scratch / "records"
    versions.write_text(written(programs))
    records.touch()
    environment = {**os.environ, ELSEWHERE: str(versions), VARIABLE: str(records)}
    argv = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "--tb=no", *_TESTS)
    subprocess.run(argv, env=environment, check=False)
    broken = [record for record in read(records) if not record.passed]
    for record in broken:
        _say(f"{record.kind} {' '.join(record.key)}: {record.did}")
    return bool(broken)


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a script that prints


if __name__ == "__main__":
    sys.exit(main())
