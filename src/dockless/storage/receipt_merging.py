"""Merging the receipts of the parts of one mirror."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from dockless.errors import UsageError
from dockless.model.counts import share
from dockless.model.shard import Shard
from dockless.model.verified import ReceiptItem
from dockless.storage.receipt_reading import Receipt

_MOST_NAMED = 5
_ONE_MIRROR = "Give the receipts of the parts of one mirror."


def merged(receipts: Sequence[Receipt]) -> dict[str, object]:
    """Return the receipt of several parts of one mirror; what stands in several is in it once.

    Raises:
        UsageError: They are of several mirrors.
    """
    documents = [each.document for each in receipts]
    if len({each["target"] for each in documents}) != 1:
        raise UsageError(
            "The receipts are of mirrors to different places.",
            _ONE_MIRROR,
        )
    parts = parts_of(receipts)
    divisions = sorted({each.division for each in receipts if each.shards})
    ends = [each["finished"] for each in documents]
    return {
        **{name: value for name, value in documents[0].items() if name != "division"},
        "finished": None if None in ends else max(ends, key=_moment_of),
        "versions": {
            name: text for each in reversed(documents) for name, text in each["versions"].items()
        },
        "bundles": {
            source: digest for each in documents for source, digest in each["bundles"].items()
        },
        **{
            name: _distinct(line for each in documents for line in each.get(name, ()))
            for name in ("images", "failures", "pending")
        },
        **({"shards": [str(each) for each in parts]} if parts else {}),
        **({"division": divisions[0]} if divisions and all(divisions) else {}),
    }


def parts_of(receipts: Sequence[Receipt]) -> tuple[Shard, ...]:
    """Return the parts that receipts are of, in order; none where no mirror was divided.

    Raises:
        UsageError: They are of mirrors that were divided in different ways.
    """
    divided = [each for each in receipts if each.shards]
    parts = {part for each in divided for part in each.shards}
    counts = sorted({part.count for part in parts})
    if len(counts) > 1:
        raise UsageError(
            f"The receipts are of mirrors in {' and in '.join(map(str, counts))} parts.",
            _ONE_MIRROR,
        )
    if len(targets := {each.document["target"] for each in divided}) > 1:
        raise UsageError(
            f"The receipts are of parts of mirrors to {' and to '.join(sorted(targets))}.",
            _ONE_MIRROR,
        )
    _refuse_divisions(divided)
    return tuple(sorted(parts, key=lambda part: part.index))


def _refuse_divisions(divided: Sequence[Receipt]) -> None:
    """Raise UsageError where receipts are of parts of different wholes."""
    firsts: dict[str, Shard] = {}
    for each in divided:
        if each.division:
            firsts.setdefault(each.division, each.shards[0])
    if len(firsts) > 1:
        one, other, *_ = firsts.values()
        raise UsageError(
            f"The receipts are of different divisions: what was mirrored, or its size, changed "
            f"between the runs of {one} and {other}, so an image may have been in no part.",
            "Run all parts again with the same sources, and give the receipts of these runs.",
        )


def division_doubt(receipts: Sequence[Receipt], *, merging: bool) -> str:
    """Return why it is not known that receipts are of parts of one mirror; empty if it is.

    Args:
        receipts: The receipts.
        merging: Whether they are to be of one mirror, also where they say nothing of parts.
    """
    divided = [each for each in receipts if each.shards]
    if len({part for each in divided for part in each.shards}) > 1:
        if all(each.division for each in divided):
            return ""
        return (
            "Whether the parts are of one division cannot be known: an older version of dockless, "
            "which did not record it, wrote a receipt of them."
        )
    if divided or not merging or len(receipts) == 1:
        return ""
    return (
        "Whether a part is missing cannot be known: the receipts do not say of which parts they "
        "are, as those of older versions of dockless and of undivided mirrors."
    )


def distinct(receipts: Sequence[Receipt]) -> tuple[list[ReceiptItem], list[str]]:
    """Return the items and the missing lines of all receipts, each once.

    Raises:
        UsageError: They are of mirrors that were divided in different ways.
    """
    items = dict.fromkeys(item for each in receipts for item in each.items)
    missing = dict.fromkeys(line for each in receipts for line in each.missing)
    return list(items), [*_lost_parts(receipts), *missing]


def _lost_parts(receipts: Sequence[Receipt]) -> Iterator[str]:
    """Yield a sentence where there is no receipt of some part of a mirror."""
    parts = parts_of(receipts)
    count = parts[0].count if parts else 0
    given = {part.index for part in parts}
    lost = [f"{index}/{count}" for index in range(count) if index not in given]
    if lost:
        named = ", ".join(lost[:_MOST_NAMED]) + (" and others" if len(lost) > _MOST_NAMED else "")
        yield (
            f"{share(len(lost), count, 'part')} of the mirror "
            f"{'has' if len(lost) == 1 else 'have'} no receipt here: {named}."
        )


def _distinct(lines: Iterator[object]) -> list[object]:
    return list({json.dumps(each, sort_keys=True): each for each in lines}.values())


def _moment_of(text: str) -> datetime:
    return datetime.fromisoformat(text)
