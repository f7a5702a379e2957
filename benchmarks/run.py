"""`make bench`: dockless beside skopeo, crane and docker, pushing to a docker-registry.

Each time is the median of several runs of whole processes, which alternate. `--save` writes
docs/benchmarks/local-push.json and the table in README.md anew.
"""

import argparse
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bed.registry import docker_registry
from benchmarks.cases import Bench
from benchmarks.machine import heading, machine, versions
from benchmarks.results import save, table

_CHECKOUT = Path(__file__).parents[1]


def main() -> None:
    """Measure, print, and save if that is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program")
    parser.add_argument("--save", action="store_true", help="write the JSON and the README's table")
    asked = parser.parse_args()
    where = machine()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        (folder / "registry").mkdir()
        with docker_registry(folder / "registry") as registry, ProcessPoolExecutor(1) as maker:
            bench = Bench(folder, registry, maker, asked.rounds)
            rows = list(bench.rows())
            what = versions(bench.environment)
    print(f"\n{heading(where, what)}\n\n{table(rows)}")
    if asked.save:
        facts = {
            "machine": where,
            "versions": what,
            "rounds": asked.rounds,
            "layers": bench.layers,
            "seconds": bench.seconds,
        }
        path = _CHECKOUT / "docs" / "benchmarks" / "local-push.json"
        save(path, _CHECKOUT / "README.md", facts, rows, heading(where, what))


if __name__ == "__main__":
    main()
