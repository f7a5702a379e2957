"""Where the cases are measured: a registry, a store, and a look at everything that was pushed."""

import contextlib
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bed.dockless import Dockless
from bed.registry import Registry, empty
from bed.tools import crane
from benchmarks import limit, measure
from benchmarks.images import NAME, SIZES, base_layers, image
from benchmarks.measure import Contender
from benchmarks.results import OURS, Case, Target
from demo.image import Archive, Layer
from demo.pulled import contents, differences, pull

DOCKLESS = Path(sys.executable).parent / "dockless"
_TAG = NAME.partition(":")[2]
Before = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Lab:
    """What is measured with.

    Attributes:
        folder: For everything that is made.
        registry: Where everything is pushed to.
        program: dockless, in folders of its own.
        host: How it is reached; empty for directly.
        maker: Another process, since this one has to stay small.
        rounds: How often each program is run.
    """

    folder: Path
    registry: Registry
    program: Dockless
    maker: Executor
    rounds: int
    host: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What every program sees."""
        return self.program.environment()

    @property
    def store(self) -> Path:
        """What dockless keeps."""
        return Path(self.program.extra["DOCKLESS_CACHE_DIR"])

    def forget(self) -> None:
        """Empty the registry and the store, but for what is known of the way to the registry."""
        for part in self.store.iterdir() if self.store.exists() else ():
            if part.name != "links":
                shutil.rmtree(part)
        empty(self.registry)

    def reference(self, name: str) -> str:
        """Return where a program pushes to."""
        return f"{self.host or self.registry.host}/{name}/{NAME}"

    @contextlib.contextmanager
    def room(self, name: str) -> Iterator[Path]:
        """Yield a folder for the images of one case, which are large."""
        folder = self.folder / name
        folder.mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def make(self, what: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - of any recipe
        """Call a recipe in the other process."""
        return self.maker.submit(what, *arguments).result()

    def usual(self, folder: Path) -> tuple[Archive, list[Layer]]:
        """Return an image of some 500 MB, and its layers but the last."""
        base: list[Layer] = self.make(base_layers, folder / "base", SIZES)
        return image(folder, "image", base), base

    def contender(
        self,
        name: str,
        *argv: str | Path,
        before: Before | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Contender:
        """Return a program; without `before`, registry and store are empty when it starts."""
        return Contender(name, argv, {**self.environment, **(more or {})}, before or self.forget)

    def ours(self, source: str | Path, *options: str, before: Before | None = None) -> Contender:
        """Return a push with dockless."""
        argv = (DOCKLESS, "push", source, "--image", self.reference("dockless"), *options)
        return self.contender("dockless", *argv, before=before)

    def skopeo(
        self, source: str, *options: str, before: Before | None = None, name: str = "skopeo"
    ) -> Contender:
        """Return a push with skopeo."""
        start = ("skopeo", "--insecure-policy", "copy", "--quiet", "--dest-tls-verify=false")
        target = f"docker://{self.reference(name.replace(' ', '-'))}"
        return self.contender(name, *start, *options, source, target, before=before)

    def crane(self, source: Path, before: Before | None = None) -> Contender:
        """Return a push with crane."""
        return self.contender("crane", crane(), "push", source, self.reference("crane"),
                              before=before)  # fmt: skip

    def measure(
        self,
        title: str,
        contenders: Sequence[Contender],
        wanted: Archive | str | Callable[[], Archive],
        limit_seconds: float | None = None,
    ) -> Case:
        """Run the programs in turn; look at what arrived, each time.

        Args:
            title: What is done.
            contenders: The programs.
            wanted: What is pushed: an archive, perhaps another one each time, or the digest of a
                layout's manifest.
            limit_seconds: What the hardware needs.

        Raises:
            RuntimeError: One pushed something else.
        """
        print(f"\n{title}", flush=True)
        case = Case(title, limit=limit_seconds)
        digests: dict[str, str] = {}

        def look(name: str) -> None:
            place = name.replace(" ", "-")
            digest, case.sent[name] = self._arrived(place)
            if digest == digests.get(name):
                return
            if isinstance(wanted, str):
                _expect(name, digest, wanted)
            else:
                self._compare(place, wanted if isinstance(wanted, Archive) else wanted())
            digests[name] = digest

        for each in contenders:
            case.peaks[each.name] = measure.run(each).peak
            look(each.name)
        case.seconds.update(measure.alternate(contenders, self.rounds, look))
        print(case.shown(), flush=True)
        return case

    def limit(self, layers: Sequence[Path], how: str) -> float:
        """Return the seconds that compressing and sending these layers takes at least."""
        with self.room("limit") as folder:
            packed = self.limit_of_compression(folder, layers, how)
            return packed + self.limit_of_upload(folder, layers, how)

    def limit_of_compression(self, folder: Path, layers: Sequence[Path], how: str) -> float:
        """Return the seconds that compressing these layers takes at least."""
        ways = limit.compressions(folder, layers, how, self.environment)
        return min(map(measure.median, measure.alternate(ways, self.rounds).values()))

    def limit_of_upload(self, folder: Path, layers: Sequence[Path], how: str) -> float:
        """Return the seconds that sending these layers, compressed, takes at least."""
        return self.limit_of_sending(folder, limit.compressed(folder, layers, how))

    def limit_of_sending(self, folder: Path, blobs: Sequence[Path]) -> float:
        """Return the seconds that sending these blobs takes at least."""
        host = self.host or self.registry.host
        sending = limit.upload(folder, host, blobs, self.environment, self.forget)
        return measure.median(measure.alternate([sending], self.rounds)["upload"])

    def limit_of_layout(self, layout: Path) -> float:
        """Return the seconds that sending every blob of a layout, each once, takes at least."""
        with self.room("limit") as folder:
            return self.limit_of_sending(folder, list(layout.glob("blobs/*/*")))

    def _arrived(self, name: str) -> tuple[str, int]:
        """Return the digest and the bytes of what a tag names, every blob of which is there."""
        storage = self.registry.storage / "docker/registry/v2"
        link = f"repositories/{name}/bench/_manifests/tags/{_TAG}/current/link"
        digest = (storage / link).read_text()
        document = json.loads(_data(storage, digest).read_bytes())
        blobs = [document["config"], *document["layers"]]
        for blob in blobs:
            _expect(name, _data(storage, blob["digest"]).stat().st_size, blob["size"])
        return digest, sum(
            blob["size"] for blob in {each["digest"]: each for each in blobs}.values()
        )

    def _compare(self, name: str, archive: Archive) -> None:
        """Pull what a program pushed, and compare it with the archive, byte by byte."""
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            layout = pull(crane(), self.reference(name), Path(folder, "pulled"))
            if name != OURS:  # others may write the config anew
                _expect(name, contents(layout), [layer.diff_id for layer in archive.layers])
            elif wrong := differences(layout, archive):
                raise RuntimeError(f"{name} pushed something else. {' '.join(wrong)}")


def faster(case: Case, than: str, most: float) -> Target:
    """Return the target that dockless takes at most so much of another's time."""
    theirs = case.limit if than == "the limit" else measure.median(case.seconds[than])
    ours = measure.median(case.seconds["dockless"])
    return Target(f"of {than}", ours / (theirs or 1), most)


def digest_of(layout: Path) -> str:
    """Return the digest of the one manifest of a layout, whose bytes are compared with it."""
    (root,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    digest = str(root["digest"])
    data = (layout / "blobs" / digest.replace(":", "/")).read_bytes()
    _expect(str(layout), f"sha256:{hashlib.sha256(data).hexdigest()}", digest)
    return digest


def _data(storage: Path, digest: str) -> Path:
    algorithm, _, hex_ = digest.partition(":")
    return storage / "blobs" / algorithm / hex_[:2] / hex_ / "data"


def _expect(what: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise RuntimeError(f"{what} is not what it should be: {found}, not {wanted}.")
