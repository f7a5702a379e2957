import json
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import SourceError
from dockless.model.mirrored import MirroredImage, PendingImage
from dockless.model.plan import Plan, PushResult, Writers
from dockless.model.shard import Shard
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.storage.kept_receipt import Heading, KeptReceipt
from dockless.storage.receipt_file import ReceiptFile
from dockless.storage.receipt_reading import read_receipt
from dockless.version import __version__
from fakes.image import FakeImage

REFERENCE = Reference(Repository.of("registry.inside:5000", "m/shop"), "1")


def heading(asked: list[str] | None = None) -> Heading:
    def version(name: str) -> str:
        if asked is not None:
            asked.append(name)
        return f"{name} 1.2"

    bundles = {"disk.tar": Digest("sha256", "a" * 64)}
    return Heading(target="registry.inside:5000/m", bundles=bundles, version_of=version)


def arrived(folder: Path, engine: str) -> MirroredImage:
    content = FakeImage(folder / "image").content()
    plan = Plan(
        repository=REFERENCE.repository, content=content, blobs=(), tags=(), digest_is_new=False
    )
    result = PushResult(
        plan=plan,
        unchanged=not engine,
        dry_run=False,
        verified=True,
        engine=engine,
        sent=0,
        attempts=1,
        seconds=0.0,
    )
    return MirroredImage(source="disk.tar", name="shop:1", references=(REFERENCE,), outcome=result)


FAILED = MirroredImage(
    source="x.tar", name="x", references=(), outcome=SourceError("It is gone."), origin="list:1:1"
)
PENDING = PendingImage("y.tar", "y:1", (REFERENCE,))


@pytest.mark.parametrize(
    ("engines", "versions"),
    [
        ((), {}),
        (("", "direct"), {}),
        (("skopeo", "crane", "direct", "crane"), {"crane": "crane 1.2", "skopeo": "skopeo 1.2"}),
    ],
)
def test_the_programs_that_wrote_are_named_with_their_versions(
    tmp_path: Path, engines: tuple[str, ...], versions: dict[str, str]
) -> None:
    asked: list[str] = []
    lines = [arrived(tmp_path, engine) for engine in engines]
    document = KeptReceipt(None, heading(asked)).document(lines, (), finished=True)
    assert document["versions"] == {"dockless": __version__, **versions}
    assert asked == sorted(versions)


@pytest.mark.parametrize("finished", [True, False])
def test_what_is_written_is_a_receipt_of_all_that_ended_and_of_what_did_not(
    tmp_path: Path, *, finished: bool
) -> None:
    path = tmp_path / "receipt.json"
    file = ReceiptFile(path)
    try:
        lines = [arrived(tmp_path, "direct"), FAILED]
        KeptReceipt(file, heading()).write(lines, [PENDING], finished=finished, last=True)
    finally:
        file.close()
    text = path.read_text()
    read = read_receipt(text, str(path))
    assert [str(item.reference) for item in read.items] == [str(REFERENCE)]
    assert len(read.missing) == 2
    document = json.loads(text)
    assert (document["finished"] is not None) == finished
    assert [each["name"] for each in document["pending"]] == ["y:1"]
    assert text.endswith("}\n")


def test_without_a_file_nothing_is_asked_or_written(tmp_path: Path) -> None:
    asked: list[str] = []
    KeptReceipt(None, heading(asked)).write(
        [arrived(tmp_path, "crane")], (), finished=True, last=True
    )
    assert not asked
    assert {each.name for each in tmp_path.iterdir()} <= {"image"}


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_a_program_that_knows_no_version_of_its_own_is_named(tmp_path: Path, engine: str) -> None:
    unknown = Heading(target="localhost:1", bundles={}, version_of=lambda _: "")
    document = KeptReceipt(None, unknown).document([arrived(tmp_path, engine)], (), finished=True)
    assert document["versions"] == {"dockless": __version__, engine: "unknown"}


@pytest.mark.parametrize("step", ["blobs", "manifests", "tags"])
def test_a_program_that_wrote_a_part_is_named_too(tmp_path: Path, step: str) -> None:
    line = arrived(tmp_path, "direct")
    assert line.result
    writers = Writers(**{step: ("crane", "dockless")})
    lines = [replace(line, outcome=replace(line.result, writers=writers))]
    document = KeptReceipt(None, heading()).document(lines, (), finished=True)
    assert document["versions"] == {"dockless": __version__, "crane": "crane 1.2"}


@pytest.mark.parametrize("shard", [Shard(0, 2), Shard(4, 5), Shard(99, 100)])
def test_the_receipt_of_a_part_says_of_which_division(shard: Shard) -> None:
    division = Digest.of(str(shard).encode())
    part = replace(heading(), part=shard, division=division)
    document = KeptReceipt(None, part).document([FAILED], (PENDING,), finished=True)
    assert (document["shards"], document["division"]) == ([str(shard)], str(division))
    assert "division" not in KeptReceipt(None, heading()).document([], (), finished=True)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("calls", "written"),
    [
        ([(False, False), (False, False)], 0),
        ([(False, False), (True, True)], 1),
        ([(False, False), (False, True)], 1),
    ],
)
def test_a_pipe_gets_the_last_receipt_only(
    tmp_path: Path, calls: list[tuple[bool, bool]], written: int
) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    file = ReceiptFile(tmp_path / "pipe")
    receipt = KeptReceipt(file, heading())
    for finished, last in calls:
        receipt.write([FAILED], (), finished=finished, last=last)
    file.close()
    assert os.read(reader, 100_000).count(b"receiptVersion") == written
    os.close(reader)
