"""`make bench-scale`: a hundred and a thousand tiny images, bundled, checked, mirrored and again.

What is measured is whole processes: their time in proportion to the number of images, and the
memory of the largest one.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bed import images
from bed.dockless import Dockless, dockless
from bed.registry import Registry, docker_registry, empty
from benchmarks.machine import heading, machine, versions
from benchmarks.measure import Contender, Run, run
from benchmarks.rows import Row, table

_FEW, _MANY = 100, 1000
_ROUNDS = 3
_PROPORTION = 1.3
_MEMORY_MB = 200
_MB = 1_000_000


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        program = dockless(folder / "dockless")
        (folder / "registry").mkdir()
        with docker_registry(folder / "registry") as registry:
            few = [_steps(folder, program, registry, _FEW) for _ in range(_ROUNDS)]
            many = [_steps(folder, program, registry, _MANY) for _ in range(_ROUNDS)]
        print(f"\n{heading(machine(), versions(program.environment()))}\n")
        print(table(list(_rows(few, many))))


def _steps(folder: Path, program: Dockless, registry: Registry, count: int) -> dict[str, Run]:
    """Do everything with so many images once, from nothing; return each step's run."""
    source, bundle = folder / f"source-{count}", folder / f"bundle-{count}"
    if not source.exists():
        _images(source, count)
    empty(registry)
    steps = {
        "create": ("bundle", "create", "-o", bundle, source, "--quiet"),
        "verify": ("bundle", "verify", bundle),
        "mirror": ("mirror", bundle, "--to", registry.host, "--quiet", "--parallel", "8"),
        "again": ("mirror", bundle, "--to", registry.host, "--quiet", "--parallel", "8"),
    }
    runs = {}
    with tempfile.TemporaryDirectory(prefix="store-", dir=folder) as store:
        environment = {**program.environment(), "DOCKLESS_CACHE_DIR": store}
        for name, arguments in steps.items():
            argv = (program.path, *arguments)
            runs[name] = run(Contender(f"dockless {name}", argv, environment, lambda: None))
    for path in bundle.rglob("*"):
        if path.is_file():
            path.unlink()
    bundle.rename(folder / f"old-{len(list(folder.iterdir()))}")
    print(count, "images:", *(f"{name} {each.seconds:.2f} s" for name, each in runs.items()))
    return runs


def _images(folder: Path, count: int) -> None:
    layout = images.Layout(folder)
    work = folder.with_name(f"{folder.name}-layers")
    roots = []
    for number in range(count):
        tree = work / str(number)
        tree.mkdir(parents=True)
        (tree / "number").write_text(f"{number}\n")
        layer = images.layer(work / f"{number}.tar", ["number"], tree)
        roots.append(layout.image((layer,), **images.named(f"ghcr.io/many/image{number}:v1")))
    layout.top(*roots)


def _rows(few: list[dict[str, Run]], many: list[dict[str, Run]]) -> Iterator[Row]:
    both = (few, many)
    for step in few[0]:
        less, more = (
            statistics.median(each[step].seconds for each in runs) for runs in (few, many)
        )
        yield Row(
            f"{step}, {_MANY} images", more, "s", _PROPORTION,
            f"{_MANY // _FEW} times {_FEW} images", less * _MANY / _FEW, relative=True,
        )  # fmt: skip
    peak = max(each.peak for runs in both for step in runs for each in step.values())
    yield Row("peak memory", peak / _MB, "MB", _MEMORY_MB)


if __name__ == "__main__":
    main()
