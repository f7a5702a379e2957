"""How far the work on many images or hosts is, and what it came to, in words."""

import pytest
from msgspec.structs import replace

from dockless.model.ended import BUNDLED, HOSTS, MIRRORED, Fate, ItemEnd, RunWords
from dockless.report.whole import RunState, ended_text, summary_text, whole_text

HALF = RunState(
    words=MIRRORED,
    count=30,
    size=2_000_000_000,
    fates={"arrived": 10, "there": 2},
    done=500_000_000,
    sent=400_000_000,
    seconds=12.0,
    working=10.0,
)


@pytest.mark.parametrize(
    ("whole", "text"),
    [
        (HALF, "12 of 30 images, 400 MB sent, 40 MB/s, 30.0 s left"),
        (
            replace(HALF, fates={"arrived": 1, "failed": 3}, size=0, sent=0),
            "4 of 30 images, 3 failed, 1 min 5 s left",
        ),
        (replace(HALF, working=0.5), "12 of 30 images, 400 MB sent, 800 MB/s"),
        (replace(HALF, done=0, sent=0), "12 of 30 images"),
        (replace(HALF, count=1, fates={}, sent=0, done=0), "0 of 1 image"),
        (
            replace(HALF, words=BUNDLED, count=None, size=0, working=0.0, sources=(3, 5)),
            "12 images, source 3 of 5, 400 MB written, 33.3 MB/s",
        ),
    ],
)
def test_how_far_it_is(whole: RunState, text: str) -> None:
    assert whole_text(whole) == text


@pytest.mark.parametrize(
    ("fates", "words", "text"),
    [
        (
            {"arrived": 28, "there": 1, "failed": 1},
            MIRRORED,
            "28 arrived, 1 already there, 1 failed",
        ),
        ({"arrived": 30}, BUNDLED, "30 added"),
        ({"arrived": 20, "skipped": 7, "failed": 3}, HOSTS, "20 pushed, 3 failed, 7 skipped"),
        ({"planned": 29, "there": 1}, MIRRORED, "1 already there, 29 to be pushed"),
        ({"planned": 28, "tagged": 2}, MIRRORED, "2 tagged already, 28 to be pushed"),
        ({"arrived": 2}, MIRRORED, "2 arrived, 28 not done"),
    ],
)
def test_what_it_came_to(fates: dict[Fate, int], words: RunWords, text: str) -> None:
    whole = replace(HALF, fates=fates, words=words)
    said = summary_text(whole)
    assert said == (f"30 {words.noun}s: {text}; 400 MB {words.sent} in 12.0 s (33.3 MB/s)")


def test_nothing_sent_has_no_rate_and_one_is_no_plural() -> None:
    whole = RunState(words=MIRRORED, count=1, fates={"there": 1}, seconds=0.2)
    assert summary_text(whole) == "1 image: 1 already there; nothing sent in 0.2 s"


@pytest.mark.parametrize("seconds", [0.3, 12.0, 4000.0])
def test_a_rate_is_that_of_the_bytes_in_the_seconds_beside_it(seconds: float) -> None:
    said = summary_text(replace(HALF, seconds=seconds, sent=int(seconds * 5_000_000)))
    assert said.endswith("(5 MB/s)")


@pytest.mark.parametrize(
    ("item", "words", "text"),
    [
        (
            ItemEnd(name="r.io/a:1", fate="arrived", sent=12_300_000, seconds=3.14),
            MIRRORED,
            "r.io/a:1 arrived, 12.3 MB sent in 3.1 s",
        ),
        (
            ItemEnd(name="r.io/a:1", fate="there", seconds=9.0),
            MIRRORED,
            "r.io/a:1 is already there",
        ),
        (
            ItemEnd(name="r.io/a:1", fate="planned", sent=5),
            MIRRORED,
            "r.io/a:1 would be pushed, 5 B to send",
        ),
        (
            ItemEnd(name="h", fate="arrived", sent=5_000, seconds=1.0, how="by copy"),
            HOSTS,
            "h pushed by copy, 5 kB sent in 1.0 s",
        ),
        (ItemEnd(name="h", fate="planned", how="by copy"), HOSTS, "h would be pushed by copy"),
        (ItemEnd(name="h", fate="failed", seconds=2.0), HOSTS, "h failed after 2.0 s"),
        (ItemEnd(name="h", fate="skipped"), HOSTS, "h was skipped"),
        (
            ItemEnd(name="a:1", fate="arrived", sent=7, seconds=0.1),
            BUNDLED,
            "a:1 added, 7 B written in 0.1 s",
        ),
    ],
)
def test_each_has_its_line(item: ItemEnd, words: RunWords, text: str) -> None:
    assert ended_text(item, words) == text
