"""The cases of one machine: archives, layouts and stores to a registry beside them."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path

from bed.docker import Docker, docker
from bed.dockless import dockless
from bed.images import skopeo_copy
from bed.process import output
from bed.tools import crane
from benchmarks.disk import beyond_store, filesystem
from benchmarks.images import (
    MB,
    NAME,
    base_layers,
    image,
    log_layer,
    long_layer,
    noise_layer,
)
from benchmarks.lab import DOCKLESS, Lab, digest_of, faster
from benchmarks.measure import Contender, alternate, median
from benchmarks.results import Case, Target
from demo.image import Archive, Layer, write_archive

_PEAK_MB = 150
_SPARE_MB = 0.1  # no layer: the manifest, the folders and links of one layout
_TAGS = 20
_HUGE = 4000 * MB


def archive(lab: Lab) -> Iterator[Case]:
    """Measure a docker-archive of about 500 MB: first, again, and with its last layer changed."""
    with lab.room("archive") as folder:
        made, base = lab.usual(folder)
        paths = [layer.path for layer in made.layers]
        zstd = ("--compression", "zstd")
        cold = _cold(lab, made, lab.limit(paths, "gzip"))
        yield cold
        yield _zstd(lab, made, zstd, lab.limit(paths, "zstd"))
        yield _unchanged(lab, made)
        yield _changed(lab, folder, made, base, cold)


def _cold(lab: Lab, made: Archive, limit: float) -> Case:
    peers = (lab.ours(made.path), lab.skopeo(_docker_archive(made)), lab.crane(made.path))
    case = lab.measure("docker-archive of 500 MB, gzip", peers, made, limit)
    case.targets += [
        faster(case, "skopeo", 0.40),
        faster(case, "crane", 0.22),
        faster(case, "the limit", 1.3),
        _memory(case),
        *_disk(lab, made.path),
    ]
    return case


def _zstd(lab: Lab, made: Archive, options: Sequence[str], limit: float) -> Case:
    plain = lab.skopeo(_docker_archive(made))
    same = ("--format=oci", "--dest-compress-format=zstd")
    peers = (lab.ours(made.path, *options), plain,
             lab.skopeo(_docker_archive(made), *same, name="skopeo zstd"))  # fmt: skip
    case = lab.measure("docker-archive of 500 MB, zstd", peers, made, limit)
    bytes_ = case.sent["dockless"] / case.sent["skopeo"]
    case.targets += [faster(case, "skopeo", 0.35), Target("of skopeo's bytes", bytes_, 0.75)]
    return case


def _unchanged(lab: Lab, made: Archive) -> Case:
    peers = (lab.ours(made.path, before=_nothing),
             lab.skopeo(_docker_archive(made), before=_nothing))  # fmt: skip
    lab.forget()
    case = lab.measure("the same again", peers, made)
    case.targets.append(Target("in all", median(case.seconds["dockless"]), 0.35, "s"))
    return case


def _changed(lab: Lab, folder: Path, made: Archive, base: Sequence[Layer], cold: Case) -> Case:
    """Measure pushes of an archive whose smallest layer is another one each time.

    Both are told: of skopeo's first push, and of one that profits by its cache of what it knows.
    """
    numbers = count()

    last = [made]

    def change() -> None:
        last[0] = image(folder, "changed", base, f"change {next(numbers)}\n")

    path = image(folder, "changed", base).path
    peers = (lab.ours(path, before=change), lab.skopeo(f"docker-archive:{path}", before=change))
    lab.forget()
    case = lab.measure("one small layer changed", peers, lambda: last[0])
    ours = median(case.seconds["dockless"])
    case.targets += [
        Target("of skopeo's first", ours / cold.median("skopeo"), 0.25),
        Target("of skopeo with its cache", ours / case.median("skopeo"), 0.25),
    ]
    return case


def layout(lab: Lab) -> Iterator[Case]:
    """Measure an OCI layout, whose layers are compressed already."""
    with lab.room("layout") as folder:
        made, _ = lab.usual(folder)
        skopeo_copy(_docker_archive(made), f"oci:{folder / 'layout'}:1")
        source = folder / "layout"
        peers = (lab.ours(source), lab.crane(source), lab.skopeo(f"oci:{source}:1"))
        limit = lab.limit_of_layout(source)
        case = lab.measure("OCI layout of the same", peers, digest_of(source), limit)
        most = 1.1 * median(case.seconds["crane"]) + 0.3
        case.targets.append(
            Target("of 1.1 crane + 0.3 s", median(case.seconds["dockless"]) / most, 1)
        )
        yield case


def stores(lab: Lab) -> Iterator[Case]:
    """Measure an image in the stores of docker and podman; they need root."""
    if os.geteuid():
        print("The stores of docker and podman are left out: they need root.")
        return
    with lab.room("stores") as folder, ExitStack() as stack:
        made, _ = lab.usual(folder)
        (lab.folder / "docker").mkdir()
        daemon = stack.enter_context(docker(lab.folder / "docker"))
        daemon.run("load", "--input", made.path)
        podman = ("podman", f"--root={folder / 'podman'}", f"--runroot={folder / 'run'}",
                  "--storage-driver=vfs")  # fmt: skip
        output((*podman, "load", "--input", made.path))
        yield _cold_store(lab, made, daemon, podman)
        yield _warm_store(lab, made, daemon)


def _cold_store(lab: Lab, made: Archive, daemon: Docker, podman: Sequence[str]) -> Case:
    save = lab.contender("save", "docker", "save", NAME, more={"DOCKER_HOST": daemon.address})
    saved = median(alternate([save], lab.rounds)["save"])
    with lab.room("limit") as room:
        sent = lab.limit_of_upload(room, [layer.path for layer in made.layers], "gzip")
    target = lab.reference("podman")
    peers = (
        *_from_docker(lab, daemon, None),
        lab.contender(
            "podman",
            *podman,
            "push",
            "--quiet",
            "--tls-verify=false",
            "--format=v2s2",
            NAME,
            target,
        ),
    )
    case = lab.measure("Docker daemon, 500 MB", peers, made, saved + sent)
    case.targets += [
        faster(case, "the limit", 1.15),
        faster(case, "docker", 0.85),
        *_disk(lab, f"docker-daemon:{NAME}", DOCKER_HOST=daemon.address),
    ]
    return case


def _warm_store(lab: Lab, made: Archive, daemon: Docker) -> Case:
    lab.forget()
    case = lab.measure("the same again, from the daemon", _from_docker(lab, daemon, _nothing), made)
    case.targets.append(Target("in all", median(case.seconds["dockless"]), 0.35, "s"))
    return case


def _from_docker(lab: Lab, daemon: Docker, before: object) -> tuple[Contender, Contender]:
    where = {"DOCKER_HOST": daemon.address}
    start = _nothing if before else None
    target = lab.reference("docker")
    daemon.run("tag", NAME, target)
    push = ("push", f"docker-daemon:{NAME}", "--image", lab.reference("dockless"))
    return (
        lab.contender("dockless", DOCKLESS, *push, before=start, more=where),
        lab.contender("docker", "docker", "push", "--quiet", target, before=start, more=where),
    )


def tags(lab: Lab) -> Iterator[Case]:
    """Measure twenty tags of one image."""
    with lab.room("tags") as folder:
        made = image(folder, "tags", lab.make(base_layers, folder / "base", (20 * MB,)))
        names = [str(number) for number in range(2, _TAGS + 1)]
        options = [part for name in names for part in ("--tag", name)]
        ours = lab.ours(made.path, "--tag", "1", *options)
        moves = "".join(f"{crane()} tag {lab.reference('crane')} {name}\n" for name in names)
        script = folder / "crane.sh"
        script.write_text(f"{crane()} push {made.path} {lab.reference('crane')}\n{moves}")
        copy = (
            "skopeo --insecure-policy copy --quiet --dest-tls-verify=false --src-tls-verify=false"
        )
        source = f"docker://{lab.reference('skopeo')}"
        start = source.rpartition(":")[0]
        more = "".join(f"{copy} {source} {start}:{name}\n" for name in names)
        copies = folder / "skopeo.sh"
        copies.write_text(f"{copy} {_docker_archive(made)} {source}\n{more}")
        peers = (ours, lab.contender("skopeo", "sh", copies), lab.contender("crane", "sh", script))
        limit = lab.limit([layer.path for layer in made.layers], "gzip")
        yield lab.measure(f"{_TAGS} tags of one image of 20 MB", peers, made, limit)


def many_layers(lab: Lab) -> Iterator[Case]:
    """Measure an image of 120 layers of a megabyte."""
    yield from _shape(lab, "120 layers of 1 MB", partial(base_layers, sizes=(MB,) * 119))


def compressible(lab: Lab) -> Iterator[Case]:
    """Measure a layer that compresses well."""
    yield from _shape(lab, "a log of 300 MB", partial(_one, log_layer, 300 * MB))


def incompressible(lab: Lab) -> Iterator[Case]:
    """Measure a layer that does not compress."""
    yield from _shape(lab, "300 MB that do not compress", partial(_one, noise_layer, 300 * MB))


def sizes(lab: Lab) -> Iterator[Case]:
    """Measure one layer as it grows: time for each GB, and memory."""
    cost: dict[int, float] = {}
    for size in (100 * MB, 1000 * MB, _HUGE):
        with lab.room("size") as folder:
            layer = lab.make(long_layer, folder / "layer.tar", size)
            made = write_archive(folder / "image.tar", NAME, [layer])
            peers = [lab.ours(made.path)]
            if size < _HUGE:  # the largest takes skopeo a minute each time
                peers.append(lab.skopeo(_docker_archive(made)))
            limit = lab.limit([layer.path], "gzip")
            case = lab.measure(f"one layer of {size / MB / 1000:g} GB", peers, made, limit)
            cost[size] = median(case.seconds["dockless"]) / layer.size
            case.targets.append(_memory(case))
            if size == _HUGE:
                growth = cost[size] / cost[100 * MB]
                case.targets.append(Target("of 0.1 GB's time for each GB", growth, 1.2))
            yield case


def _shape(lab: Lab, title: str, recipe: Callable[[Path], list[Layer]]) -> Iterator[Case]:
    with lab.room("shape") as folder:
        made = image(folder, "shape", lab.make(recipe, folder / "base"))
        limit = lab.limit([layer.path for layer in made.layers], "gzip")
        peers = (lab.ours(made.path), lab.skopeo(_docker_archive(made)), lab.crane(made.path))
        yield lab.measure(title, peers, made, limit)


def _one(recipe: Callable[[Path, int], Layer], size: int, folder: Path) -> list[Layer]:
    folder.mkdir()
    return [recipe(folder / "0.tar", size)]


def _memory(case: Case) -> Target:
    return Target("of memory", case.peaks["dockless"] / MB, _PEAK_MB, "MB")


def _disk(lab: Lab, source: str | Path, **more: str) -> Iterator[Target]:
    """Measure the disk that a first push needs beyond the store; a filesystem needs root."""
    if os.geteuid():
        return
    with lab.room("disk") as folder, filesystem(folder):
        own = dockless(folder / "own", DOCKLESS_CACHE_DIR=str(folder / "store"), **more)
        lab.forget()
        spare = beyond_store(own, "push", source, "--image", lab.reference("dockless"))
    yield Target("of disk beyond the store", spare / MB, _SPARE_MB, "MB")


def _docker_archive(made: Archive) -> str:
    return f"docker-archive:{made.path}"


def _nothing() -> None:
    """Leave the state as it is."""
