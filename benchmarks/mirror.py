"""`make bench-mirror`: families of images from one layout to a registry, beside loops of skopeo.

On loopback, and behind a relay that makes a round trip of 40 ms.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bed import images
from bed.dockless import Dockless, dockless
from bed.images import Layer
from bed.registry import Registry, docker_registry, empty
from benchmarks.delay import far
from benchmarks.images import MB, cut, rows
from benchmarks.machine import heading, machine, versions
from benchmarks.rows import Row, table
from demo.image import write_layer

_FAMILIES, _MEMBERS = 6, 10
_SHARED_BYTES = (250 * MB, 10 * MB)
_ONE_WAY_MILLISECONDS = 20
_CREATED = 201


@dataclass(frozen=True, slots=True)
class Lab:
    """What is measured with."""

    folder: Path
    layout: Path
    names: Sequence[str]
    program: Dockless
    rounds: int

    def ours(self, host: str) -> tuple[str | Path, ...]:
        """Return the argv of a mirror."""
        return (self.program.path, "mirror", self.layout, "--to", host, "--quiet", "--insecure",
                "--parallel", "8")  # fmt: skip

    def loop(self, host: str, parallel: int) -> tuple[str | Path, ...]:
        """Return the argv of a loop of skopeo."""
        return loop(self.folder, self.layout, self.names, host, parallel)


def loop(
    folder: Path, layout: Path, names: Sequence[str], host: str, parallel: int
) -> tuple[str | Path, ...]:
    """Return the argv of a loop of skopeo."""
    script, listed = folder / f"loop-{parallel}.sh", folder / "names"
    listed.write_text("".join(f"{name}\n" for name in names))
    copy = (
        f"skopeo copy --quiet --all --insecure-policy --dest-tls-verify=false "
        f"oci:{layout}:{{}} docker://{host}/loop/{{}}"
    )
    script.write_text(f"xargs -P {parallel} -I{{}} {copy} <{listed}\n")
    return ("sh", script)


@dataclass(frozen=True, slots=True)
class Place:
    """A registry, and how it is reached."""

    registry: Registry
    host: str
    where: str


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mirror")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each program")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        program = dockless(folder / "dockless", DOCKLESS_CACHE_DIR=str(folder / "store"))
        print(f"Making {_FAMILIES * _MEMBERS} images in {_FAMILIES} families.")
        layout, names = images_of_families(folder)
        lab = Lab(folder, layout, names, program, asked.rounds)
        rows = [*_loopback(lab), *_far(lab)]
        print(f"\n{heading(machine(), versions(program.environment()))}\n\n{table(rows)}")


def images_of_families(folder: Path) -> tuple[Path, list[str]]:
    """Write the layout; return it and the names of its images.

    Each family shares a base of 250 MB of files and a layer of 10 MB; each image adds a small one.
    Two of ten are for two platforms, and two of ten have a signature as cosign tags it, and an SBOM
    that is an OCI referrer.
    """
    layout = images.Layout(folder / "layout")
    work = folder / "layers"
    work.mkdir()
    files = rows()
    roots: list[images.Json] = []
    names: list[str] = []

    def add(descriptor: images.Json, name: str) -> None:
        names.append(name)
        roots.append({**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}})

    for family in range(_FAMILIES):
        shared = [_cut(work / f"{family}-{size}.tar", files, size) for size in _SHARED_BYTES]
        for member in range(_MEMBERS):
            parts = (*shared, _own(work, family, member))
            name = f"app{family}/image{member}"
            both = {"amd64": parts, "arm64": parts[1:]}
            image = layout.platforms(both) if member % 5 == 0 else layout.image(parts)
            add(image, f"{name}:v1")
            if member % 5 == 1:
                signature = layout.image((_own(work, family, f"{member}-signature"),))
                add(signature, f"{name}:{image['digest'].replace(':', '-')}.sig")
                roots.append(layout.referrer(image, b"an SBOM of " + name.encode()))
    layout.top(*roots)
    return layout.folder, names


def _cut(path: Path, files: Iterator[Path], size: int) -> Layer:
    return Layer(path, write_layer(path, cut(files, size)).diff_id)


def _own(work: Path, family: int, member: int | str) -> Layer:
    tree = work / f"own-{family}-{member}"
    tree.mkdir()
    (tree / "name").write_text(f"{family} {member}\n" * 1000)
    return images.layer(work / f"own-{family}-{member}.tar", ["name"], tree)


def _loopback(lab: Lab) -> Iterator[Row]:
    (lab.folder / "registry").mkdir()
    with docker_registry(lab.folder / "registry") as registry:
        yield from _rows(
            lab, Place(registry, registry.host, "loopback"), (0.8, 0.4), with_xargs=True
        )


def _far(lab: Lab) -> Iterator[Row]:
    (lab.folder / "far").mkdir()
    with (
        docker_registry(lab.folder / "far") as registry,
        far(registry.host.partition(":")[2], _ONE_WAY_MILLISECONDS) as host,
    ):
        yield from _rows(lab, Place(registry, host, "40 ms"), (0.25, 0.1))


def _rows(
    lab: Lab,
    place: Place,
    limits: tuple[float, float],
    *,
    with_xargs: bool = False,
) -> Iterator[Row]:
    registry, host, where = place.registry, place.host, place.where

    def fresh() -> None:
        empty(registry)
        shutil.rmtree(lab.folder / "store", ignore_errors=True)

    programs = {"dockless": lab.ours(host), "loop": lab.loop(host, 1)}
    if with_xargs:
        programs["xargs -P 8"] = lab.loop(host, 8)
    first: dict[str, list[float]] = {name: [] for name in programs}
    again: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(lab.rounds):
        turn = number % len(programs)
        for name, argv in (*tuple(programs.items())[turn:], *tuple(programs.items())[:turn]):
            fresh()
            began = len(registry.requests())
            first[name].append(_seconds(lab, argv))
            if name == "dockless":
                check(lab.layout, registry)
                _check_once(registry, began)
            again[name].append(_seconds(lab, argv))
    for name in programs:
        print(f"{where:<9} {name:<11} first {_shown(first[name])}  again {_shown(again[name])} s")
    median = statistics.median
    ours, loop = median(first["dockless"]), median(first["loop"])
    yield Row(f"60 images, {where}", ours, "s", limits[0], "skopeo loop", loop, relative=True)
    if with_xargs:
        xargs = median(first["xargs -P 8"])
        yield Row(f"60 images, {where}", ours, "s", 0.35, "xargs -P 8", xargs, relative=True)
    yield Row(f"the same again, {where}", median(again["dockless"]), "s", limits[1],
              "skopeo loop again", median(again["loop"]), relative=True)  # fmt: skip


def check(layout: Path, registry: Registry, prefix: str = "") -> None:
    """Raise RuntimeError unless every image has arrived as it is."""
    index = json.loads((layout / "index.json").read_text())
    for each in index["manifests"]:
        name = each.get("annotations", {}).get("org.opencontainers.image.ref.name")
        repository, _, tag = name.partition(":") if name else ("", "", "")
        manifests = f"docker/registry/v2/repositories/{prefix}{repository}/_manifests"
        link = registry.storage / manifests / "tags" / tag / "current/link"
        if name and link.read_text() != each["digest"]:
            raise RuntimeError(f"{name} is not what it was")


def _check_once(registry: Registry, began: int) -> None:
    """Raise RuntimeError when a blob was sent twice."""
    sent = Counter(
        each.path.partition("digest=")[2]
        for each in registry.requests()[began:]
        if each.method == "PUT" and "/blobs/uploads/" in each.path and each.status == _CREATED
    )
    if set(sent.values()) != {1}:
        raise RuntimeError(f"blobs were sent more than once: {sent.most_common(3)}")


def _seconds(lab: Lab, argv: Sequence[str | Path]) -> float:
    os.sync()
    began = time.perf_counter()
    done = subprocess.run(argv, env=lab.program.environment(), capture_output=True, check=False)
    taken = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{argv[0]} failed: {done.stderr.decode()[-2000:]}")
    return taken


def _shown(seconds: Sequence[float]) -> str:
    return " ".join(f"{each:.2f}" for each in seconds)


if __name__ == "__main__":
    main()
