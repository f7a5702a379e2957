"""Receipts: what arrived where, to be checked later; docs/receipt.schema.json has the form."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dockless.model.digest import Digest
from dockless.model.errors import DocklessError, UsageError
from dockless.model.foreign_json import parse_json
from dockless.model.plan import PushResult
from dockless.model.reference import Reference
from dockless.report.document import error_members

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one image.

    Attributes:
        source: What its source is called.
        name: What it is called there.
        references: Where it goes; none when it has no place to go.
        outcome: What its push did, or why it did not arrive.
        arrived: When it came, as RFC 3339; None for one that was there before.
        origin: Where a list asks for it, `file:line:column`; empty on the command line.
    """

    source: str
    name: str
    references: tuple[Reference, ...]
    outcome: PushResult | DocklessError
    arrived: str | None = None
    origin: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """An image that nobody has tried yet.

    Attributes:
        source: What its source is called.
        name: What it is called there.
        references: Where it goes.
    """

    source: str
    name: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says.

    Attributes:
        items: What is to be at the registry.
        missing: What is not there by the receipt itself, a sentence each.
    """

    items: "tuple[Item, ...]"
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One image of a receipt.

    Attributes:
        reference: Where it is.
        digest: What it is.
    """

    reference: Reference
    digest: Digest


def receipt_document(
    target: str,
    moment: str | None,
    versions: Mapping[str, str],
    bundles: Mapping[str, Digest],
    lines: Iterable[Line],
) -> dict[str, object]:
    """Return the receipt of a mirror.

    Args:
        target: The registry, and what every repository begins with.
        moment: When it ended, as RFC 3339; None while it goes on.
        versions: The versions of what did it.
        bundles: The digest of the index.json of each bundle or layout.
        lines: What became of each image.
    """
    lines = tuple(lines)
    return {
        "receiptVersion": _VERSION,
        "target": target,
        "finished": moment,
        "versions": dict(versions),
        "bundles": {source: str(digest) for source, digest in bundles.items()},
        "images": [
            _image(line, line.outcome) for line in lines if isinstance(line.outcome, PushResult)
        ],
        "failures": [
            _failure(line, line.outcome)
            for line in lines
            if isinstance(line.outcome, DocklessError)
        ],
    }


def pending_members(pending: Iterable[Pending]) -> list[dict[str, object]]:
    """Return the member `pending` of a receipt."""
    return [
        {
            "source": each.source,
            "name": each.name,
            "references": [str(reference) for reference in each.references],
        }
        for each in pending
    ]


def read_receipt(text: str, label: str) -> Receipt:
    """Return the images of a receipt, each with each of its references, and what it lacks.

    Raises:
        UsageError: It is no receipt.
    """
    try:
        document = parse_json(text)
        if document["receiptVersion"] != _VERSION:
            raise UsageError(
                f"{label} is a receipt of version {document['receiptVersion']}.",
                "Read it with the dockless that wrote it.",
            )
        items = tuple(
            Item(Reference.parse(reference), Digest.parse(image["digest"]))
            for image in _listed(document["images"])
            for reference in _listed(image["references"])
        )
        return Receipt(items, tuple(_missing(document, label)))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(f"{label} is no receipt of dockless mirror.") from None


def _missing(document: Mapping[str, Any], label: str) -> Iterator[str]:
    """Yield what did not arrive by the receipt itself, a sentence each."""
    for failure in _listed(document["failures"]):
        yield f"{_named(failure)} did not arrive: {failure['error']['message']}"
    pending = _listed(document.get("pending", []))
    for each in pending:
        yield f"{_named(each)} had not been tried when {label} was written."
    if document["finished"] is None and not pending:
        yield f"{label} is of a mirror that did not end: it may lack images that came after these."


def _named(line: Mapping[str, Any]) -> str:
    references = line["references"]
    where = f" as {references[0]}" if references else ""
    return f"{line['name'] or 'An image'} of {line['source']}{where}"


def _listed(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError("a list")
    return value


def merged(receipts: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    """Return the receipt of several parts of one mirror.

    Raises:
        UsageError: They are of several mirrors, or a part of one is missing or of another type.
    """
    try:
        return _merged(receipts)
    except (KeyError, TypeError, AttributeError):
        raise UsageError(
            "The receipts cannot be joined: one of them is not as dockless mirror writes it.",
            "Give the receipts of the parts as they were written.",
        ) from None


def _merged(receipts: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    if len({each["target"] for each in receipts}) != 1:
        raise UsageError("The receipts are of mirrors to different places.")
    ends = [each["finished"] for each in receipts]
    failures = [failure for each in receipts for failure in each["failures"]]
    return {
        **receipts[0],
        "finished": None if None in ends else max(ends),
        "bundles": {
            source: digest for each in receipts for source, digest in each["bundles"].items()
        },
        "images": [image for each in receipts for image in _listed(each["images"])],
        # what cannot be found or read, every part says
        "failures": list({json.dumps(each): each for each in failures}.values()),
        "pending": [entry for each in receipts for entry in _listed(each.get("pending", []))],
    }


def _image(line: Line, result: PushResult) -> dict[str, object]:
    content = result.plan.content
    return {
        "source": line.source,
        "name": line.name,
        "references": [str(each) for each in line.references],
        "digest": str(content.root.digest),
        "mediaType": content.root.media_type,
        "unchanged": result.unchanged,
        "arrived": line.arrived,
        "verified": result.verified,
        "checked": result.checked,
        "blobs": [{"digest": str(blob.digest), "size": blob.size} for blob in content.blobs],
    }


def _failure(line: Line, error: DocklessError) -> dict[str, object]:
    return {
        "source": line.source,
        "name": line.name,
        "references": [str(each) for each in line.references],
        "origin": line.origin or None,
        "error": error_members(error),
    }
