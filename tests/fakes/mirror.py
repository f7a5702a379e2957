"""The fakes of a mirror: sources, a receipt, a log, workers and a registry."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from dockless.errors import DocklessError
from dockless.model.mirrored import MirroredImage, PendingImage
from dockless.model.plan import BlobPlan, Plan, PushResult
from dockless.model.renaming import Renaming
from dockless.model.shard import Shard
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.ports import Image, SourceImage
from dockless.usecases.mirror.job import (
    work_of,
)
from dockless.usecases.mirror.run import MirrorItem
from fakes.image import FakeImage

RULES = Renaming(host="registry.inside:5000", prefix="m")
WHOLE = Shard(0, 1)


class FakeLenders:
    """The sources of a run, of which no one leaves out anything but what is said."""

    def __init__(self, absent: Mapping[Digest, DocklessError] | None = None) -> None:
        self.added: list[Image] = []
        self._absent = absent or {}

    def add(self, image: Image) -> None:
        self.added.append(image)

    def completed(self, image: Image) -> Image:
        return image

    def fault(self, image: Image, digest: Digest) -> DocklessError | None:
        assert digest in {blob.digest for blob in image.content().blobs}
        return self._absent.get(digest)


class FakeReceipt:
    """A receipt in memory."""

    def __init__(self) -> None:
        self.written: list[tuple[int, int, bool]] = []
        self.failures: list[DocklessError | None] = []

    def document(
        self, images: Sequence[MirroredImage], pending: Sequence[PendingImage], *, finished: bool
    ) -> dict[str, object]:
        return {"images": len(images), "pending": len(pending), "finished": finished}

    def write(
        self,
        images: Sequence[MirroredImage],
        pending: Sequence[PendingImage],
        *,
        finished: bool,
        last: bool,
    ) -> None:
        assert last or not finished
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        self.written.append((len(images), len(pending), finished))


class FakeLog:
    """A log of an interrupted run, in which one image had arrived, or of none.

    Attributes:
        steps: What was done to it.
    """

    def __init__(self, begun: str = "") -> None:
        self.begun = begun
        self.steps: list[str] = []

    def had(self, targets: Iterable[Reference]) -> int:
        """Return that the first had arrived."""
        return len(list(targets)[:1])

    def arrived(self, target: Reference, digest: Digest, *, now: bool) -> str | None:
        """Return what stands for the moment."""
        return f"{target}@{digest}" if now else None

    def begin(self) -> None:
        """Remember that."""
        self.steps.append("begin")

    def end(self) -> None:
        """Remember that."""
        self.steps.append("end")


class FakeTeam:
    """Pushes all but the images of these names; the registry has these repositories."""

    def __init__(
        self, errors: Mapping[str, BaseException] | None = None, known: Sequence[str] = ()
    ) -> None:
        self._errors = errors or {}
        self._known = known
        self.unsettled: DocklessError | None = None

    def push(self, item: MirrorItem) -> PushResult:
        if error := self._errors.get(item.name):
            raise error
        return planned(item)

    def look(self, items: Sequence[MirrorItem]) -> None:
        assert all(item.blobs for item in items)

    def settle(self) -> None:
        if self.unsettled:
            raise self.unsettled

    def knows(self, repository: Repository) -> bool:
        return repository.path in self._known


def planned(item: MirrorItem, *, dry_run: bool = False, unchanged: bool = False) -> PushResult:
    content = item.open().content()
    blobs = tuple(BlobPlan(blob, present=False) for blob in content.blobs)
    plan = Plan(
        repository=item.repository, content=content, blobs=blobs, tags=(), digest_is_new=False
    )
    return PushResult(
        plan=plan,
        unchanged=unchanged,
        dry_run=dry_run,
        verified=True,
        engine="direct",
        sent=0,
        attempts=1,
        seconds=0.0,
    )


def source(folder: Path, name: str, layer: bytes = b"app") -> SourceImage:
    image = FakeImage(folder / name.replace("/", "-"), (layer,))
    return SourceImage(
        source=f"{name}.tar",
        names=(f"{name}:1",),
        bare=name,
        size=10,
        open=lambda: image,
        content=image.content(),
    )


def items(folder: Path, *names: str) -> tuple[MirrorItem, ...]:
    found = [source(folder, name, name.encode()) for name in names]
    return work_of(found, FakeLenders(), RULES, WHOLE).items


class FakeTarget:
    """The registry that is mirrored to, as a `MirrorTarget`; a refusal is raised when reached."""

    def __init__(self, team: FakeTeam, refusal: DocklessError | None = None) -> None:
        self._team = team
        self._refusal = refusal
        self.reached: list[Repository] = []

    def reach(self, repository: Repository, tags: Sequence[str]) -> None:
        """Remember what it was reached for."""
        assert tags
        self.reached.append(repository)
        if self._refusal:
            raise self._refusal

    def team(self) -> FakeTeam:
        """Return the workers."""
        return self._team
