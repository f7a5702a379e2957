"""`make bench`: dockless beside what its users would pick instead, and beside the limit.

Each time is the median of several runs of whole processes, which alternate. `--save` writes
docs/benchmarks and the table in README.md anew.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bed.dockless import dockless
from bed.registry import docker_registry
from benchmarks import cases, far
from benchmarks.lab import Lab
from benchmarks.machine import heading, machine, versions
from benchmarks.picture import draw
from benchmarks.results import Case, markdown, save, tell_readme, with_older

_CHECKOUT = Path(__file__).parents[1]
_CASES: dict[str, Callable[[Lab], Iterator[Case]]] = {
    "archive": cases.archive,
    "layout": cases.layout,
    "stores": cases.stores,
    "tags": cases.tags,
    "layers": cases.many_layers,
    "compressible": cases.compressible,
    "incompressible": cases.incompressible,
    "sizes": cases.sizes,
    "slow": far.slow_link,
    "relay": far.relay,
    "mirror": far.mirror,
}


def main() -> None:
    """Measure, print, and save if that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each program")
    parser.add_argument("--only", action="append", choices=_CASES, help="these cases alone")
    parser.add_argument("--save", action="store_true", help="write docs/benchmarks and the README")
    asked = parser.parse_args()
    where = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ProcessPoolExecutor(1) as maker:
        folder = Path(name)
        (folder / "registry").mkdir()
        program = dockless(folder / "dockless", DOCKLESS_CACHE_DIR=str(folder / "store"))
        with docker_registry(folder / "registry") as registry:
            lab = Lab(folder, registry, program, maker, asked.rounds)
            measured, failed = _measured(lab, asked.only or list(_CASES))
            what = versions(lab.environment)
    print(f"\n{heading(where, what)}\n\n{markdown(measured)}")
    if asked.save:
        docs = _CHECKOUT / "docs" / "benchmarks"
        facts = {"machine": where, "versions": what, "rounds": asked.rounds}
        if asked.only:
            measured = with_older(docs, facts, measured)
        save(docs, facts, measured, heading(where, what))
        draw(docs / "bench.svg", measured)
        tell_readme(_CHECKOUT / "README.md", measured, heading(where, what))
    if failed:
        sys.exit(f"Not measured: {', '.join(failed)}.")


def _measured(lab: Lab, names: Sequence[str]) -> tuple[list[Case], list[str]]:
    """Measure these cases; return them, and the names of those that failed."""
    cases_: list[Case] = []
    failed: list[str] = []
    for name in names:
        try:
            cases_ += _CASES[name](lab)
        except RuntimeError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed.append(name)
    return cases_, failed


if __name__ == "__main__":
    main()
