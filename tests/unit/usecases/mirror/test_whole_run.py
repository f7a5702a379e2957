"""One run of a mirror, from the images that were found to its result."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import AbsentError, NetworkError, PartialError, PushError, SourceError
from dockless.usecases.mirror.job import MirrorWork
from dockless.usecases.mirror.run import Lost
from dockless.usecases.mirror.whole_run import MirrorContext, run_mirror
from fakes.mirror import FakeLenders, FakeLog, FakeReceipt, FakeTarget, FakeTeam, items
from fakes.overview import FakeOverview

GONE = Lost(source="gone.tar", name="", error=SourceError("There is no file gone.tar."))
DOWN = NetworkError("It does not respond.")


def work(folder: Path, *names: str) -> MirrorWork:
    return MirrorWork(items=items(folder, *names), lost=(), sources=(), bundles={})


class Run:
    """A run, and everything that it works with."""

    def __init__(self, team: FakeTeam | None = None, refusal: PushError | None = None) -> None:
        self.log = FakeLog()
        self.receipt = FakeReceipt()
        self.target = FakeTarget(team or FakeTeam(), refusal)
        self.notes: list[str] = []
        self.complaints: list[str] = []
        self.overview = FakeOverview()

    def context(self, *, dry_run: bool = False) -> MirrorContext:
        return MirrorContext(
            target=self.target,
            lenders=FakeLenders(),
            receipt=self.receipt,
            log=self.log,
            parallel=1,
            dry_run=dry_run,
            note=self.notes.append,
            complain=self.complaints.append,
            overview=self.overview,
        )


def test_every_image_arrives_and_the_log_is_forgotten(tmp_path: Path) -> None:
    run, todo = Run(), work(tmp_path, "a", "b")
    done = run_mirror(todo, run.context())
    assert done.error is None
    assert done.unknown_repositories is None
    assert run.target.reached == [todo.items[0].repository]
    assert run.log.steps == ["begin", "end"]
    assert run.receipt.written[-1] == (2, 0, True)
    assert run.notes == run.complaints == []


def test_a_run_that_continues_says_what_had_arrived(tmp_path: Path) -> None:
    run = Run()
    run.log.begun = "2026-01-02T03:04:05Z"
    run_mirror(work(tmp_path, "a", "b"), run.context())
    assert run.notes == [
        "Continuing the mirror started 2026-01-02T03:04:05Z: 1 of 2 images had arrived."
    ]


@pytest.mark.parametrize(
    ("names", "dry_run", "said"),
    [
        (("a",), True, ["This would continue the mirror started X: 1 of 1 image had arrived."]),
        (
            ("a", "b"),
            True,
            ["This would continue the mirror started X: 1 of 2 images had arrived."],
        ),
        ((), False, []),
        ((), True, []),
    ],
)
def test_a_dry_run_continues_nothing_and_nothing_is_said_where_nothing_had_arrived(
    tmp_path: Path, names: tuple[str, ...], *, dry_run: bool, said: list[str]
) -> None:
    run = Run()
    run.log.begun = "X"
    run_mirror(work(tmp_path, *names), run.context(dry_run=dry_run))
    assert run.notes == said


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_an_error_is_told_where_it_is_not_that_of_the_whole(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    todo = work(tmp_path, *names)
    error = PushError("It broke.")
    run = Run(FakeTeam({todo.items[0].name: error}))
    done = run_mirror(todo, run.context())
    assert bool(run.complaints) == (len(names) > 1)
    assert type(done.error) is (PartialError if len(names) > 1 else PushError)
    assert run.log.steps == ["begin"], "the next run goes on"


def test_what_was_lost_counts_and_nothing_is_reached_for_it_alone(tmp_path: Path) -> None:
    run = Run()
    done = run_mirror(replace(work(tmp_path), lost=(GONE,)), run.context())
    assert done.error is GONE.error
    assert not run.complaints
    assert not run.target.reached


@pytest.mark.parametrize("receipt_fails", [True, False])
def test_a_registry_that_cannot_be_used_is_the_error_of_every_image(
    tmp_path: Path, *, receipt_fails: bool
) -> None:
    run = Run()
    run.target = FakeTarget(FakeTeam(), DOWN)
    full = PushError("There is no space.", "Free some.")
    todo = work(tmp_path, "a", "b", "c")
    if receipt_fails:
        run.receipt.failures = [None, *([full] * 9)]
    done = run_mirror(todo, run.context())
    assert isinstance(done.error, NetworkError)
    assert done.error.what == "It does not respond. Because of that, 3 images did not arrive."
    assert [image.error for image in done.images] == [DOWN] * 3
    assert run.complaints == ([str(full)] if receipt_fails else [])


def test_a_dry_run_writes_no_log_and_names_the_repositories_that_are_missing(
    tmp_path: Path,
) -> None:
    todo = work(tmp_path, "a", "b")
    known = todo.items[0].repository
    run = Run(FakeTeam(known=[known.path]))
    done = run_mirror(todo, run.context(dry_run=True))
    assert done.unknown_repositories == (todo.items[1].repository,)
    assert run.log.steps == []


def test_a_dry_run_tells_of_blobs_that_no_source_has(tmp_path: Path) -> None:
    todo = work(tmp_path, "a")
    absent = AbsentError("No source has it.")
    lacks = todo.items[0].open().content().blobs[-1].digest
    run = Run()
    context = replace(run.context(dry_run=True), lenders=FakeLenders({lacks: absent}))
    assert isinstance(run_mirror(todo, context).error, AbsentError)


def test_a_list_that_others_overwrite_and_a_receipt_that_cannot_be_written_are_told(
    tmp_path: Path,
) -> None:
    team = FakeTeam()
    team.unsettled = NetworkError("Others overwrite it.")
    run = Run(team)
    full = PushError("There is no space.", "Free some.")
    run.receipt.failures = [None, *([full] * 9)]
    done = run_mirror(work(tmp_path, "a"), run.context())
    assert done.error is team.unsettled
    assert run.notes == []
    assert run.complaints == [str(full)], "the error of the whole is reported at the end"
    assert run.log.steps == ["begin"]
