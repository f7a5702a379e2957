"""The cases that are measured, one after another."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from itertools import count
from pathlib import Path

from bed.docker import Docker, docker
from bed.dockless import dockless
from bed.registry import Registry, empty
from bed.tools import crane
from benchmarks.images import MB, NAME, base_layers, image
from benchmarks.measure import Contender, Run, alternate, median, run
from benchmarks.results import Row
from demo.image import Archive, Layer
from demo.pulled import compressed_sizes, differences, pull

DOCKLESS = Path(sys.executable).parent / "dockless"
_PEAK = 150


class Bench:
    """The measurements, in folders of their own.

    Attributes:
        environment: What dockless sees.
        layers: Bytes of each layer, as it is and as dockless pushed it.
        seconds: Every run, by case and program.
    """

    def __init__(self, folder: Path, registry: Registry, maker: Executor, rounds: int) -> None:
        self._folder = folder
        self._registry = registry
        self._maker = maker
        self._rounds = rounds
        self._store = folder / "store"
        program = dockless(folder / "dockless", DOCKLESS_CACHE_DIR=str(self._store))
        self.environment = program.environment()
        self.layers: list[dict[str, int]] = []
        self.seconds: dict[str, dict[str, list[float]]] = {}

    def rows(self) -> list[Row]:
        """Measure every case."""
        _say("Making an image of about 500 MB from the files of /usr.")
        base = self._base("base")
        archive = self._image("image", base)
        runs = self._first_push(archive)
        skopeo, crane_ = median(runs["skopeo"]), median(runs["crane"])
        first = median(runs["dockless"])
        peak = max(each.peak for each in runs["dockless"]) / MB
        return [
            Row("first push", first, "s", 0.45, "skopeo copy", skopeo, relative=True),
            Row("first push", first, "s", 0.25, "crane push", crane_, relative=True),
            self._unchanged(archive),
            self._smallest_changed(base, skopeo),
            *self._daemon(archive),
            Row("peak memory, 500 MB", peak, "MB", _PEAK),
            *self._large(peak),
        ]

    def _first_push(self, archive: Archive) -> dict[str, list[Run]]:
        _say("Checking that each program pushes the whole image.")
        contenders = self._contenders(archive, self._forget)
        for each in contenders:
            run(each)
            self._check(each.name, archive)
        _say("First push: the store and the registry are empty.")
        return self._measured("first push", contenders)

    def _unchanged(self, archive: Archive) -> Row:
        _say("The same push again.")
        dockless_, skopeo, _ = self._contenders(archive, _nothing)
        self._forget()
        run(dockless_)
        run(skopeo)
        runs = self._measured("unchanged", (dockless_, skopeo))
        ours, theirs = median(runs["dockless"]), median(runs["skopeo"])
        return Row("unchanged", ours, "s", 0.4, "skopeo copy", theirs)

    def _smallest_changed(self, base: Sequence[Layer], skopeo: float) -> Row:
        _say("The smallest layer changed.")
        numbers = count()

        def change() -> None:
            self._image("changed", base, f"change {next(numbers)}\n")

        changed = self._image("changed", base, "not yet changed\n")
        contender, *_ = self._contenders(changed, change)
        runs = self._measured("smallest layer changed", (contender,))
        ours = median(runs["dockless"])
        return Row(
            "smallest layer changed", ours, "s", 0.3, "skopeo copy, first", skopeo, relative=True
        )

    def _daemon(self, archive: Archive) -> list[Row]:
        if os.geteuid():
            _say("A push from a Docker daemon is left out: the daemon needs root.")
            return []
        _say("An unchanged push from a Docker daemon.")
        folder = self._folder / "docker"
        folder.mkdir()
        with docker(folder) as daemon:
            daemon.run("load", "--input", archive.path)
            return self._from(daemon, folder)

    def _from(self, daemon: Docker, folder: Path) -> list[Row]:
        calls = _counting_docker(folder / "bin")
        target = self._reference("docker")
        daemon.run("tag", NAME, target)
        environment = {
            **self.environment,
            "DOCKER_HOST": daemon.address,
            "PATH": f"{folder / 'bin'}:{self.environment['PATH']}",
        }
        push = ("push", f"docker-daemon:{NAME}", "--image", self._reference("dockless"))
        contenders = (
            Contender("dockless", (DOCKLESS, *push), environment, _nothing),
            Contender("docker", ("docker", "push", target), environment, _nothing),
        )
        self._forget()
        for each in contenders:
            run(each)
        if "save" not in calls.read_text().split():
            raise RuntimeError("The first push from the daemon was not seen to save the image.")
        calls.write_text("")
        runs = self._measured("unchanged, from a daemon", contenders)
        saves = calls.read_text().split().count("save")
        ours, theirs = median(runs["dockless"]), median(runs["docker"])
        return [
            Row("unchanged, from a daemon", ours, "s", 0.4, "docker push", theirs),
            Row("its calls of docker save", saves, "", 0),
        ]

    def _large(self, peak: float) -> list[Row]:
        _say("Memory at 2 GB.")
        archive = self._image("large", self._base("large-base", 4))
        contender, *_ = self._contenders(archive, self._forget)
        large = run(contender).peak / MB
        self._check("dockless", archive)
        return [
            Row("peak memory, 2 GB", large, "MB", _PEAK),
            Row("peak memory, 2 GB", large, "MB", 1.1, "at 500 MB", peak, relative=True),
        ]

    def _contenders(self, archive: Archive, before: Callable[[], object]) -> tuple[Contender, ...]:
        path = archive.path
        skopeo = ("skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false")
        target = f"docker://{self._reference('skopeo')}"
        calls: dict[str, tuple[str | Path, ...]] = {
            "dockless": (DOCKLESS, "push", path, "--image", self._reference("dockless")),
            "skopeo": (*skopeo, f"docker-archive:{path}", target),
            "crane": (crane(), "push", path, self._reference("crane")),
        }
        return tuple(
            Contender(name, argv, self.environment, before) for name, argv in calls.items()
        )

    def _measured(self, case: str, contenders: Sequence[Contender]) -> dict[str, list[Run]]:
        runs = alternate(contenders, self._rounds)
        self.seconds[case] = {
            name: [round(each.seconds, 3) for each in its] for name, its in runs.items()
        }
        for name, its in runs.items():
            print(f"   {name:<9} {'  '.join(f'{each.seconds:.2f}' for each in its)} s", flush=True)
        return runs

    def _check(self, name: str, archive: Archive) -> None:
        """Pull what a program pushed, and compare it with the archive.

        Raises:
            RuntimeError: It is something else.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            layout = pull(crane(), self._reference(name), Path(folder, "pulled"))
            if wrong := differences(layout, archive):
                raise RuntimeError(f"{name} pushed something else. {' '.join(wrong)}")
            if name == "dockless" and not self.layers:
                pairs = zip(archive.layers, compressed_sizes(layout), strict=True)
                self.layers = [{"bytes": a.size, "pushedBytes": b} for a, b in pairs]

    def _forget(self) -> None:
        shutil.rmtree(self._store, ignore_errors=True)
        empty(self._registry)

    def _reference(self, name: str) -> str:
        return f"{self._registry.host}/{name}/{NAME}"

    def _base(self, name: str, scale: int = 1) -> list[Layer]:
        # in another process, since this one has to stay small
        return self._maker.submit(base_layers, self._folder / name, scale).result()

    def _image(self, name: str, base: Sequence[Layer], text: str = "first\n") -> Archive:
        return image(self._folder, name, base, text)


def _counting_docker(folder: Path) -> Path:
    """Write a `docker` that notes each of its commands in a file, which is returned."""
    folder.mkdir()
    calls, script = folder / "calls", folder / "docker"
    script.write_text(f'#!/bin/sh\necho "$1" >>{calls}\nexec {shutil.which("docker")} "$@"\n')
    script.chmod(0o755)
    return calls


def _nothing() -> None:
    """Leave the state as it is."""


def _say(sentence: str) -> None:
    print(f"\n{sentence}", flush=True)
