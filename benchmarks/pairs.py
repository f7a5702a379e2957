"""`make bench-pairs BEFORE=REVISION`: this dockless beside an older one, in turn.

Both are whole processes with stores of their own, at one registry. For each case the ratio of every
pair of runs is taken; what is printed is their median, and the upper bound of its 95 % confidence
interval by bootstrap.
"""

import argparse
import itertools
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bed.dockless import Dockless, dockless
from bed.images import skopeo_copy
from bed.registry import Registry, docker_registry, empty
from benchmarks.images import NAME, SIZES, base_layers, image
from benchmarks.machine import heading, machine, versions
from benchmarks.measure import Contender, seconds
from benchmarks.mirror import images_of_families

_CHECKOUT = Path(__file__).parents[1]
_RESAMPLES = 5000
_LIMIT = 1.03


@dataclass(frozen=True, slots=True)
class Version:
    """One dockless.

    Attributes:
        name: `before` or `after`.
        script: Its console script.
        program: Its folders and environment.
        store: What it keeps.
    """

    name: str
    script: Path
    program: Dockless
    store: Path

    def contender(self, before: Callable[[], object], *arguments: str | Path) -> Contender:
        """Return a run of it."""
        argv = (self.script, *arguments)
        return Contender(self.name, argv, self.program.environment(), before)


@dataclass(frozen=True, slots=True)
class Lab:
    """Both versions, and the registry that they push to."""

    folder: Path
    registry: Registry
    pair: tuple[Version, Version]

    def forget(self) -> None:
        """Empty the registry and both stores."""
        for each in self.pair:
            shutil.rmtree(each.store, ignore_errors=True)
        empty(self.registry)

    def push(self, source: Path, before: Callable[[], object]) -> list[Contender]:
        """Return both versions' push of a source."""
        return [
            each.contender(before, "push", source, "--quiet", "--image", self._target(each))
            for each in self.pair
        ]

    def mirror(self, layout: Path) -> list[Contender]:
        """Return both versions' mirror of a layout."""
        argv = ("mirror", layout, "--quiet", "--parallel", "8", "--to")
        return [
            each.contender(self.forget, *argv, f"{self.registry.host}/{each.name}")
            for each in self.pair
        ]

    def _target(self, version: Version) -> str:
        return f"{self.registry.host}/{version.name}/{NAME}"


def main() -> None:
    """Measure and print; exit 1 where a ratio is above the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pairs")
    parser.add_argument("--before", required=True, help="a revision of this repository")
    parser.add_argument("--pairs", type=int, default=15, help="pairs of runs a case")
    parser.add_argument("--only", action="append", choices=_CASES, help="these cases alone")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        (folder / "registry").mkdir()
        registry = stack.enter_context(docker_registry(folder / "registry"))
        old = _installed(asked.before, _CHECKOUT / ".cache" / "before")
        new = Path(sys.executable).parent / "dockless"
        pair = (_version("before", old, folder), _version("after", new, folder))
        lab = Lab(folder, registry, pair)
        print(heading(machine(), versions(pair[1].program.environment())), flush=True)
        slow = [name for name in asked.only or _CASES if _measured(lab, name, asked.pairs) > _LIMIT]
    if slow:
        sys.exit(f"Slower than before: {', '.join(slow)}.")


def _installed(revision: str, folder: Path) -> Path:
    """Install a revision into an environment of its own; return its console script."""
    git = ("git", "-C", _CHECKOUT)
    name = subprocess.run(
        (*git, "rev-parse", "--short", f"{revision}^{{commit}}"),
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    tree, script = folder / name, folder / name / ".venv/bin/dockless"
    if not script.exists():
        shutil.rmtree(tree, ignore_errors=True)
        subprocess.run((*git, "clone", "--quiet", "--shared", _CHECKOUT, tree), check=True)
        subprocess.run(("git", "-C", tree, "checkout", "--quiet", name), check=True)
        argv = ("sh", tree / "scripts/venv.sh", tree / ".venv", "-e", tree)
        subprocess.run(argv, check=True)
    return script


def _version(name: str, script: Path, folder: Path) -> Version:
    store = folder / f"store-{name}"
    program = dockless(folder / name, DOCKLESS_CACHE_DIR=str(store))
    return Version(name, script, program, store)


def _measured(lab: Lab, name: str, pairs: int) -> float:
    """Run a case, and print and return the median of its ratios."""
    lab.forget()
    with tempfile.TemporaryDirectory(dir=lab.folder) as folder, ProcessPoolExecutor(1) as maker:
        contenders = _CASES[name](lab, Path(folder), maker)
        for each in contenders:
            seconds(each)
        runs = [_turn(contenders, number) for number in range(pairs)]
    ratios = [after / before for before, after in runs]
    median, upper = statistics.median(ratios), _upper_bound(ratios)
    old, new = (statistics.median(each) for each in zip(*runs, strict=True))
    print(
        f"{name}: before {old:.3f} s, after {new:.3f} s, median ratio {median:.3f}, "
        f"95 % upper bound {upper:.3f}, {pairs} pairs",
        flush=True,
    )
    return median


def _turn(contenders: Sequence[Contender], number: int) -> tuple[float, float]:
    """Run both, in turn the one and the other first; return the seconds of each."""
    order = contenders if number % 2 else contenders[::-1]
    taken = {each.name: seconds(each) for each in order}
    return taken["before"], taken["after"]


def _upper_bound(ratios: Sequence[float]) -> float:
    chance = random.Random(1)  # noqa: S311 - the same every time
    medians = sorted(
        statistics.median(chance.choices(ratios, k=len(ratios))) for _ in range(_RESAMPLES)
    )
    return medians[int(0.95 * _RESAMPLES)]


def _first(lab: Lab, folder: Path, maker: ProcessPoolExecutor) -> list[Contender]:
    base = maker.submit(base_layers, folder / "base", SIZES).result()
    return lab.push(image(folder, "image", base).path, lab.forget)


def _changed(lab: Lab, folder: Path, maker: ProcessPoolExecutor) -> list[Contender]:
    base = maker.submit(base_layers, folder / "base", SIZES).result()
    numbers: Iterator[int] = itertools.count()

    def change() -> None:
        image(folder, "changed", base, f"change {next(numbers)}\n")

    return lab.push(image(folder, "changed", base).path, change)


def _layout(lab: Lab, folder: Path, maker: ProcessPoolExecutor) -> list[Contender]:
    base = maker.submit(base_layers, folder / "base", SIZES).result()
    made = image(folder, "image", base).path
    skopeo_copy(f"docker-archive:{made}:{NAME}", f"oci:{folder / 'layout'}:1")
    return lab.push(folder / "layout", lab.forget)


def _mirror(lab: Lab, folder: Path, maker: ProcessPoolExecutor) -> list[Contender]:
    layout, _ = maker.submit(images_of_families, folder).result()
    return lab.mirror(layout)


_CASES = {"first push": _first, "changed layer": _changed, "layout": _layout, "mirror": _mirror}


if __name__ == "__main__":
    main()
