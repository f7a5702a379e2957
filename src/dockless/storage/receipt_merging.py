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


def merged(receipts: Sequence[Receipt]) -> dict[str, object]:
    """Return the receipt of several parts of one mirror; what stands in several is in it once.

    Raises:
        UsageError: They are of several mirrors.
    """
    documents = [each.document for each in receipts]
    if len({each["target"] for each in documents}) != 1:
        raise UsageError(
            "The receipts are of mirrors to different places.",
            "Give the receipts of the parts of one mirror.",
        )
    parts = parts_of(receipts)
    ends = [each["finished"] for each in documents]
    return {
        **documents[0],
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
    }


def parts_of(receipts: Sequence[Receipt]) -> tuple[Shard, ...]:
    """Return the parts that receipts are of, in order; none where no mirror was divided.

    Raises:
        UsageError: They are of mirrors that were divided in different ways.
    """
    parts = {part for each in receipts for part in each.shards}
    counts = sorted({part.count for part in parts})
    if len(counts) > 1:
        raise UsageError(
            f"The receipts are of mirrors in {' and in '.join(map(str, counts))} parts.",
            "Give the receipts of the parts of one mirror.",
        )
    return tuple(sorted(parts, key=lambda part: part.index))


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
