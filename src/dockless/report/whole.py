"""How far the work on many images or hosts is, and what it came to, as text."""

from collections.abc import Mapping

from msgspec import Struct

from dockless.model.counts import counted, share
from dockless.model.ended import Fate, ItemEnd, RunWords
from dockless.report.units import human_size, human_time

_LEAST_SECONDS = 1.0  # before that nobody can say how long the rest takes


class RunState(Struct, frozen=True, kw_only=True):
    """How far a run is.

    Attributes:
        words: How its work is called.
        count: How many images or hosts there are; None while that is not known.
        size: About how many bytes they have; 0 for unknown.
        fates: How many ended in each way.
        done: The bytes of `size` that need no more work.
        sent: Bytes that were sent or written.
        seconds: How long it has been running.
        working: How long it has been working on what was counted; 0 before.
        sources: Which source is read, and how many there are; none once all are read.
    """

    words: RunWords
    count: int | None = None
    size: int = 0
    fates: Mapping[Fate, int]
    done: int = 0
    sent: int = 0
    seconds: float = 0.0
    working: float = 0.0
    sources: tuple[int, int] | None = None

    @property
    def ended(self) -> int:
        """How many are done, in whatever way."""
        return sum(self.fates.values())

    @property
    def part(self) -> float:
        """The part that is done, from 0 to 1; by bytes where they are known."""
        if self.size:
            return min(1.0, self.done / self.size)
        return self.ended / self.count if self.count else 0.0

    @property
    def seconds_left(self) -> float | None:
        """About how long the rest takes; None where nobody can say."""
        if self.working < _LEAST_SECONDS or not 0 < self.part < 1:
            return None
        return self.working * (1 - self.part) / self.part


def whole_text(whole: RunState) -> str:
    """Return how far a run is: `2 of 30 images, 1.2 GB sent, 85 MB/s, 41.0 s left`."""
    words = whole.words
    if whole.count is None:
        facts = [counted(whole.ended, words.noun)]
    else:
        facts = [share(whole.ended, whole.count, words.noun)]
    if whole.sources:
        facts.append("source {} of {}".format(*whole.sources))
    if failed := whole.fates.get("failed"):
        facts.append(f"{failed} failed")
    if whole.sent:
        facts.append(f"{human_size(whole.sent)} {words.sent}")
        if seconds := whole.working or whole.seconds:
            facts.append(f"{human_size(whole.sent / seconds)}/s")
    if (left := whole.seconds_left) is not None:
        facts.append(f"{human_time(left)} left")
    return ", ".join(facts)


def summary_text(whole: RunState) -> str:
    """Return what a run came to.

    As `30 images: 28 arrived, 1 already there, 1 failed; 1.2 GB sent in 14.2 s (85 MB/s)`.
    """
    words = whole.words
    total = whole.ended if whole.count is None else max(whole.count, whole.ended)
    facts = [
        f"{number} {word}"
        for fate, word in _fates(words).items()
        if (number := whole.fates.get(fate))
    ]
    if rest := total - whole.ended:
        facts.append(f"{rest} not done")
    spent = human_time(whole.seconds)
    bytes_ = f"nothing {words.sent} in {spent}"
    if whole.sent:
        bytes_ = f"{human_size(whole.sent)} {words.sent} in {spent}"
        if whole.seconds:
            bytes_ += f" ({human_size(whole.sent / whole.seconds)}/s)"
    return f"{counted(total, words.noun)}: {', '.join(facts)}; {bytes_}"


def ended_text(item: ItemEnd, words: RunWords) -> str:
    """Return the line for one image or host that is done."""
    spent = human_time(item.seconds)
    way = f" {item.how}" if item.how else ""
    match item.fate:
        case "arrived":
            what = f"{words.arrived}{way}, {human_size(item.sent)} {words.sent}"
            what += f" in {spent}" if item.seconds else ""
        case "planned":
            what = f"would be pushed{way}"
            what += f", {human_size(item.sent)} to send" if item.sent else ""
        case "failed":
            what = f"failed after {spent}"
        case "there":
            what = "is already there"
        case "tagged":
            what = "has its tags; blobs were not checked"
        case _:
            what = "was skipped"
    return f"{item.name} {what}"


def _fates(words: RunWords) -> Mapping[Fate, str]:
    return {
        "arrived": words.arrived,
        "there": "already there",
        "tagged": "tagged already",
        "planned": "to be pushed",
        "failed": "failed",
        "skipped": "skipped",
    }
