import itertools
import time
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import (
    AbsentError,
    AuthError,
    ConflictError,
    DocklessError,
    LostCopyError,
    NetworkError,
    PartialError,
    PushError,
    SourceError,
    UsageError,
)
from dockless.model.mirrored import MirroredImage
from dockless.model.plan import PushResult
from dockless.model.shard import Shard
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.ports import SourceImage
from dockless.usecases.mirror.job import (
    MirrorWork,
    ShownMirror,
    carry_out,
    settled,
    summary,
    tell_lacking,
    unknown_repositories,
    unreached,
    work_of,
)
from dockless.usecases.mirror.receipt_writer import ReceiptWriter
from dockless.usecases.mirror.run import Lost, MirrorItem
from fakes.mirror import (
    RULES,
    WHOLE,
    FakeLenders,
    FakeLog,
    FakeReceipt,
    FakeTeam,
    items,
    planned,
    source,
)
from fakes.overview import FakeOverview


def writer(said: list[str] | None = None) -> tuple[ReceiptWriter, FakeReceipt]:
    receipt = FakeReceipt()
    lines = [] if said is None else said
    return ReceiptWriter(receipt, FakeLog(), lines.append), receipt


def shown(receipt_writer: ReceiptWriter, overview: FakeOverview | None = None) -> ShownMirror:
    return ShownMirror(receipt_writer, overview or FakeOverview())


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_receipt_that_cannot_be_written_in_mid_run_stops_no_mirror(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    found = items(tmp_path, "a", "b", "c", "d", "e")
    said: list[str] = []
    receipt_writer, receipt = writer(said)
    receipt_writer.begin(found, ())
    clock = itertools.count(1e12, 1e3)
    monkeypatch.setattr(time, "monotonic", clock.__next__)
    receipt.failures = [PushError("There is no space.", "Free some.")] * count
    outcomes = carry_out(found, FakeTeam(), 1, shown(receipt_writer))
    assert len(outcomes) == 5
    assert said == ["There is no space. The mirror goes on, and it is tried again."]
    assert receipt_writer.finish() is None
    assert receipt.written[-1] == (5, 0, True)


def test_a_receipt_that_cannot_be_written_at_the_end_is_an_error(tmp_path: Path) -> None:
    found = items(tmp_path, "a", "b")
    said: list[str] = []
    receipt_writer, receipt = writer(said)
    receipt_writer.begin(found, ())
    carry_out(found, FakeTeam(), 1, shown(receipt_writer))
    receipt.failures = [full := PushError("There is no space.", "Free some.")] * 2
    assert receipt_writer.finish() is full
    assert said == []
    assert receipt_writer.finish(finished=False) is full
    assert said == [str(full)], "a mirror that was broken off raises its own error"


def test_what_is_found_gets_its_target_and_what_is_not_stays_lost(tmp_path: Path) -> None:
    gone = Lost(source="gone.tar", name="", error=SourceError("There is no file gone.tar."))
    nameless = source(tmp_path, "b")
    lenders = FakeLenders()
    listing = Digest("sha256", "a" * 64)
    one = source(tmp_path, "a")
    one = SourceImage(
        source=one.source,
        names=one.names,
        bare="a",
        size=10,
        open=one.open,
        content=one.content,
        listing=listing,
    )
    found: list[SourceImage | Lost] = [
        one,
        gone,
        SourceImage(source="b.tar", names=(), bare="b", size=10, open=nameless.open),
    ]
    work = work_of(found, lenders, RULES, WHOLE)
    assert [str(item.references[0]) for item in work.items] == ["registry.inside:5000/m/a:1"]
    assert [lost.source for lost in work.lost] == ["gone.tar", "b.tar"]
    assert work.sources == ("a.tar", "b.tar")
    assert work.bundles == {"a.tar": listing}
    assert len(lenders.added) == 1


@pytest.mark.parametrize("error", [SourceError("It is gone."), UsageError("It is no name.")])
def test_a_part_is_pushed_where_every_part_misses_the_same(
    tmp_path: Path, error: DocklessError
) -> None:
    found = [source(tmp_path, name) for name in ("a", "b", "c")]
    parts = [
        work_of(
            [*found, Lost(source="x", name="", error=error)], FakeLenders(), RULES, Shard(index, 2)
        )
        for index in (0, 1)
    ]
    assert sorted(item.name for part in parts for item in part.items) == ["a:1", "b:1", "c:1"]
    assert all(part.lost for part in parts)


@pytest.mark.parametrize(
    "error",
    [NetworkError("It is down.", "Wait."), AuthError("It wants a login."), DocklessError("?")],
)
def test_a_part_ends_where_others_may_see_more(tmp_path: Path, error: DocklessError) -> None:
    found: list[SourceImage | Lost] = [
        source(tmp_path, "a"),
        Lost(source="x", name="", error=error),
    ]
    with pytest.raises(type(error), match="All parts must see the same sources") as caught:
        work_of(found, FakeLenders(), RULES, Shard(1, 2))
    assert caught.value.what == error.what
    assert work_of(found, FakeLenders(), RULES, WHOLE).lost


def test_all_parts_of_one_list_have_one_division(tmp_path: Path) -> None:
    found = [source(tmp_path, name) for name in ("a", "b", "c", "d")]
    parts = [work_of(found, FakeLenders(), RULES, Shard(index, 3)).division for index in range(3)]
    backwards = work_of(found[::-1], FakeLenders(), RULES, Shard(2, 3)).division
    assert {*parts, backwards} == {parts[0]}
    assert parts[0] is not None
    assert work_of(found, FakeLenders(), RULES, WHOLE).division is None


@pytest.mark.parametrize("names", ["abd", "ab", "abcd", "def", ""])
def test_another_list_has_another_division(tmp_path: Path, names: str) -> None:
    one, other = (
        work_of([source(tmp_path, name) for name in each], FakeLenders(), RULES, Shard(0, 2))
        for each in ("abc", names)
    )
    assert one.division != other.division


def test_what_decides_the_part_decides_the_division(tmp_path: Path) -> None:
    found = [source(tmp_path, name) for name in "abc"]
    renamed = replace(RULES, flatten=True, prefix="n")
    first = found[0]
    larger = [replace(first, size=first.size + 1), *found[1:]]
    more = [replace(first, names=(*first.names, "a:2")), *found[1:]]
    lost: list[SourceImage | Lost] = list(found[:2])
    lost += [Lost(source="c", name="c:1", error=SourceError("It is gone."))]
    divisions = {
        work_of(each, FakeLenders(), rules, Shard(1, 2)).division
        for each, rules in (
            (found, RULES), (found, renamed), (larger, RULES), (more, RULES), (lost, RULES),
        )
    }  # fmt: skip
    assert len(divisions) == 5


def test_every_outcome_is_recorded_and_each_failure_said_once(tmp_path: Path) -> None:
    said: list[str] = []
    record, receipt = writer(said)
    work = items(tmp_path, "a", "b", "c")
    record.begin(work, [Lost(source="x", name="y", error=SourceError("It is gone."))])
    team = FakeTeam({"b:1": ConflictError("It differs."), "c:1": NetworkError("It is down.")})
    carry_out(work, team, 2, shown(record))
    assert receipt.written[0] == (1, 3, False)
    assert sorted(line.name for line in record.lines() if line.error) == ["b:1", "c:1", "y"]
    assert [line.arrived for line in record.lines() if line.result] == [
        f"registry.inside:5000/m/a:1@{work[0].open().content().root.digest}"
    ]
    assert len(said) == 3
    assert record.document() == {"images": 4, "pending": 0, "finished": True}


def test_an_interrupted_mirror_writes_what_arrived_and_says_what_failed(tmp_path: Path) -> None:
    said: list[str] = []
    record, receipt = writer(said)
    work = items(tmp_path, "a", "b", "c")
    record.begin(work, ())
    team = FakeTeam({"a:1": NetworkError("It is down."), "c:1": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        carry_out(work, team, 1, shown(record))
    assert receipt.written[-1] == (2, 1, False)
    assert len(said) == 1
    assert "It is down." in said[0]


def test_a_dry_run_tells_of_blobs_that_nobody_has(tmp_path: Path) -> None:
    record, _ = writer()
    work = items(tmp_path, "a", "b")
    missing = work[0].open().content().blobs[-1].digest
    error = AbsentError("The layer is in an older bundle.")
    outcomes = {item: planned(item, dry_run=True) for item in work}
    tell_lacking(outcomes, FakeLenders({missing: error}), shown(record))
    assert [(line.name, line.error) for line in record.lines()] == [("a:1", error)]


@pytest.mark.parametrize(
    ("present", "failing"),
    [
        ({}, ["a:1", "b:1", "c:1", "d:1"]),
        ({"d:1"}, ["a:1", "b:1", "c:1"]),
        ({"a:1"}, []),
        ({"a:1", "c:1"}, []),
    ],
)
def test_a_dry_run_fails_what_a_damaged_blob_would_fail(
    tmp_path: Path, present: set[str], failing: list[str]
) -> None:
    record, _ = writer()
    found = [source(tmp_path, name, b"shared") for name in ("a", "b", "c", "d")]
    work = work_of(found, FakeLenders(), RULES, WHOLE).items
    shared = work[0].open().content().blobs[-1].digest
    error = SourceError("It is a link to a path outside of the layout.")
    outcomes = {item: planned(item, dry_run=True) for item in work}
    for item in work:
        if item.name in present:  # of which nothing is read
            plan = outcomes[item].plan
            there = tuple(replace(blob, present=True) for blob in plan.blobs)
            outcomes[item] = replace(outcomes[item], plan=replace(plan, blobs=there))
    tell_lacking(outcomes, FakeLenders({shared: error}), shown(record))
    assert sorted(line.name for line in record.lines() if line.error is error) == failing


def test_a_dry_run_tries_what_lacks_a_blob_again_once_others_have_brought_it(
    tmp_path: Path,
) -> None:
    record, _ = writer()
    found = [source(tmp_path, name, b"shared") for name in ("a", "b", "c")]
    work = work_of(found, FakeLenders(), RULES, WHOLE).items
    lenders = FakeLenders({work[0].open().content().blobs[-1].digest: AbsentError("It is gone.")})
    outcomes = {item: planned(item, dry_run=True) for item in work}
    plan = outcomes[work[-1]].plan
    there = tuple(replace(blob, present=True) for blob in plan.blobs)
    outcomes[work[-1]] = replace(outcomes[work[-1]], plan=replace(plan, blobs=there))
    tell_lacking(outcomes, lenders, shown(record))
    assert not record.lines()
    outcomes[work[-1]] = planned(work[-1], dry_run=True)
    tell_lacking(outcomes, lenders, shown(record))
    assert [line.name for line in record.lines()] == ["a:1", "b:1", "c:1"]


def test_lists_of_referrers_that_are_not_settled_are_an_error() -> None:
    team = FakeTeam()
    assert settled(team) is None
    team.unsettled = NetworkError("Another client overwrites it.", "Run it again.")
    assert settled(team) is team.unsettled


@pytest.mark.parametrize(
    ("failed", "arrived", "what"),
    [
        (0, 0, ""),
        (0, 2, ""),
        (1, 2, "1 of 3 images did not arrive."),
        (2, 1, "2 of 3 images did not arrive."),
        (1, 0, "It is gone 0."),
        (2, 0, "None of the 2 images arrived."),
        (7, 0, "None of the 7 images arrived."),
    ],
)
def test_the_errors_of_images_are_summed_up(
    tmp_path: Path, failed: int, arrived: int, what: str
) -> None:
    (item,) = items(tmp_path, "a")
    outcomes: list[PushResult | DocklessError] = [planned(item)] * arrived
    outcomes += [SourceError(f"It is gone {number}.") for number in range(failed)]
    lines = [MirroredImage(source="a", name="a", references=(), outcome=each) for each in outcomes]
    error = summary(lines)
    assert (error.what if error else "") == what
    would = what.replace("did not arrive", "would not arrive").replace("arrived", "would arrive")
    planned_error = summary(lines, dry_run=True)
    assert (planned_error.what if planned_error else "") == would
    kinds = {(True, True): PartialError, (True, False): SourceError}
    assert type(error) is kinds.get((bool(failed), bool(arrived)), type(None))


@pytest.mark.parametrize(
    ("errors", "remedy"),
    [
        ([SourceError("It is gone.")], "Correct what its error says, and run the mirror again."),
        ([ConflictError("a"), PushError("b")], "Correct what their errors say, and run the mirror"),
        ([NetworkError("It is down.")], "See its error, and run the mirror again."),
        ([SourceError("It is gone."), LostCopyError("It went.")], "See their errors, and run the"),
        ([AuthError("No.")], "See its error, and run the mirror again."),
    ],
)
def test_a_mirror_is_not_run_again_where_that_alone_cannot_help(
    tmp_path: Path, errors: list[DocklessError], remedy: str
) -> None:
    (item,) = items(tmp_path, "a")
    outcomes: list[PushResult | DocklessError] = [planned(item), *errors]
    lines = [MirroredImage(source="a", name="a", references=(), outcome=each) for each in outcomes]
    error = summary(lines)
    assert error
    assert error.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("failed", "arrived", "faults", "what", "kind"),
    [
        (0, 2, 1, "2 of 2 images arrived, but the sources have 1 fault.", PartialError),
        (0, 1, 3, "1 of 1 image arrived, but the sources have 3 faults.", PartialError),
        (1, 1, 1, "1 of 2 images did not arrive.", PartialError),
        (2, 3, 2, "2 of 5 images did not arrive.", PartialError),
        (2, 0, 1, "None of the 2 images arrived.", SourceError),
        (1, 0, 1, "No image arrived.", SourceError),
        (0, 0, 2, "No image arrived.", UsageError),
        (0, 0, 1, "A list is damaged.", UsageError),
    ],
)
def test_what_only_carries_images_is_not_counted_as_one(
    failed: int,
    arrived: int,
    faults: int,
    what: str,
    kind: type[DocklessError],
    tmp_path: Path,
) -> None:
    (item,) = items(tmp_path, "a")
    outcomes: list[PushResult | DocklessError] = [planned(item)] * arrived
    outcomes += [SourceError("It is gone.")] * failed
    lines = [MirroredImage(source="a", name="a", references=(), outcome=each) for each in outcomes]
    fault = UsageError("A list is damaged.")
    lines += [
        MirroredImage(source="a", name="", references=(), outcome=fault, is_image=False)
        for _ in range(faults)
    ]
    error = summary(lines)
    assert error is not None
    assert (error.what, type(error)) == (what, kind)


def test_repositories_that_the_registry_lacks_are_named_in_order(tmp_path: Path) -> None:
    work = items(tmp_path, "c", "b", "a", "d")
    lines = [
        MirroredImage(
            source="x",
            name=item.name,
            references=item.references,
            outcome=planned(item, dry_run=True, unchanged=item.name == "d:1"),
        )
        for item in work
    ]
    unknown = unknown_repositories(lines, FakeTeam(known=["m/b"]))
    assert [each.path for each in unknown] == ["m/a", "m/c"]


@pytest.mark.parametrize("error", [NetworkError("It is down."), AuthError("No."), PushError("?")])
def test_a_repository_of_which_the_registry_does_not_say_is_not_called_absent(
    tmp_path: Path, error: DocklessError
) -> None:
    (item,) = items(tmp_path, "a")
    line = MirroredImage(
        source="x", name="a", references=item.references, outcome=planned(item, dry_run=True)
    )

    class Silent(FakeTeam):
        def knows(self, repository: Repository) -> bool:
            raise error.with_context(f"{error.what} {repository}")

    assert unknown_repositories([line], Silent()) == ()


def test_every_image_is_shown_while_it_is_pushed_and_counted_once(tmp_path: Path) -> None:
    overview = FakeOverview()
    record, _ = writer()
    found = items(tmp_path, "a", "b", "c")
    lost = (
        Lost(source="x.tar", name="y:1", error=SourceError("It is gone.")),
        Lost(source="z.tar", name="", error=SourceError("It is damaged."), is_image=False),
    )
    team = FakeTeam({"b:1": ConflictError("It differs."), "c:1": NetworkError("It is down.")})
    every = shown(record, overview)
    every.begin(MirrorWork(items=found, lost=lost, sources=(), bundles={}))
    carry_out(found, team, 1, every)
    assert overview.expected == (4, sum(item.size for item in found))
    here = [f"registry.inside:5000/m/{name}:1" for name in ("a", "b", "c")]
    assert [name for name, _ in overview.begun] == [*here, here[2]], "the last is tried again"
    told = {each.name: each.fate for each in overview.shown}
    assert told == {"y:1": "failed", here[0]: "arrived", here[1]: "failed", here[2]: "failed"}
    assert len(overview.shown) == len(overview.items) == 4
    assert not any(each.has_line for each in overview.shown if each.fate == "failed")


def test_a_registry_that_is_down_fails_every_image(tmp_path: Path) -> None:
    overview = FakeOverview()
    record, _ = writer()
    work = MirrorWork(items=items(tmp_path, "a", "b"), lost=(), sources=(), bundles={})
    unreached(NetworkError("It is down."), work, record, shown(record, overview))
    assert overview.expected is not None
    assert [each.fate for each in overview.items.values()] == ["failed"] * overview.expected[0]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    "error",
    [LostCopyError("It was deleted."), NetworkError("It is down."), AbsentError("It is lacking.")],
)
def test_what_is_deleted_meanwhile_is_pushed_again_at_the_end(
    tmp_path: Path, error: DocklessError, times: int
) -> None:
    record, _ = writer()
    work = items(tmp_path, "a", "b", "c")
    errors = {"a:1": [error] * times}

    class Losing(FakeTeam):
        def push(self, item: MirrorItem) -> PushResult:
            if errors.get(item.name):
                raise errors[item.name].pop()
            return super().push(item)

    outcomes = carry_out(work, Losing(), 1, shown(record))
    failed = [item.name for item, each in outcomes.items() if isinstance(each, DocklessError)]
    assert failed == (["a:1"] if times == 2 else [])
