"""Reading receipts: every member is checked, as docs/receipt.schema.json has the form.

Members that are not known are of a later version of dockless, and are left alone.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from dockless.errors import UsageError
from dockless.model.counts import listed
from dockless.model.moments import is_moment
from dockless.model.shard import Shard
from dockless.model.verified import ReceiptItem
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.oci.untrusted_json import RepeatedMemberError, parse_own_json
from dockless.processes.regular import read_given
from dockless.storage.receipt import VERSION

_LARGEST_SIZE = 1 << 63
_LONGEST_SHOWN = 40
_MOST_NAMED = 3
_REMEDY = "Give the file that `dockless push` or `dockless mirror` wrote with --receipt."

ValueCheck = Callable[[object, str], None]
"""Looks at a value, which stands at this place; raises ValueError with what is wrong."""


class Receipt(Struct, frozen=True, kw_only=True):
    """The content of a receipt.

    Attributes:
        items: What should be at the registry: each image with each of its references.
        missing: What is not there by the receipt itself, a sentence each.
        document: All of it, of which every known member has the right type.
        shards: The parts of a divided mirror that it is of; none for a whole one, or an older one.
    """

    items: tuple[ReceiptItem, ...]
    missing: tuple[str, ...]
    document: Mapping[str, Any]
    shards: tuple[Shard, ...] = ()

    @property
    def division(self) -> str:
        """The digest of the whole that was divided; empty where nothing was, or an older one."""
        return str(self.document.get("division", ""))


def read_receipts(paths: Iterable[Path]) -> list[Receipt]:
    """Return what receipts say.

    Raises:
        UsageError: One cannot be read, or is not a receipt.
    """
    return [read_receipt(_text_of(path), str(path)) for path in paths]


def read_receipt(text: str, label: str) -> Receipt:
    """Read a receipt.

    Raises:
        UsageError: It is not a receipt, or a member is missing or invalid.
    """
    try:
        document = parse_own_json(text)
    except RepeatedMemberError as error:
        raise UsageError(f"{label} is not a valid receipt: {error}.", _REMEDY) from None
    except ValueError:
        raise UsageError(f"{label} is not a receipt: it is not JSON.", _REMEDY) from None
    if not isinstance(document, dict) or "receiptVersion" not in document:
        raise UsageError(f"{label} is not a receipt of dockless.", _REMEDY)
    version = document["receiptVersion"]
    if type(version) is not int or version != VERSION:
        raise UsageError(
            f"{label} is a receipt of version {_shown(version)}, but this dockless reads version "
            f"{VERSION}.",
            "Read it with the dockless that wrote it.",
        )
    try:
        _receipt(document, "")
        items = tuple(_items(document["images"], _ReceiptTarget.parse(document["target"])))
    except ValueError as error:
        raise UsageError(f"{label} is not a valid receipt: {error}.", _REMEDY) from None
    shards = tuple(Shard.parse(text, {}) for text in document.get("shards", ()))
    return Receipt(
        items=items, missing=tuple(_missing(document, label)), document=document, shards=shards
    )


def hosts(receipts: Iterable[Receipt]) -> set[str]:
    """Return the registries of all references."""
    return {item.reference.repository.host for each in receipts for item in each.items}


class _ReceiptTarget(Struct, frozen=True):
    """Where everything of a receipt is."""

    host: str
    prefix: str

    @classmethod
    def parse(cls, text: str) -> "_ReceiptTarget":
        host, _, prefix = text.partition("/")
        try:
            return cls(Repository.of(host, "of/images").host, prefix)
        except ValueError as error:
            raise ValueError(f"target is {_shown(text)}: {error}") from None

    def has(self, place: Repository) -> bool:
        return place.host == self.host and place.path.startswith(self.prefix and f"{self.prefix}/")


def _items(images: Sequence[Mapping[str, Any]], target: _ReceiptTarget) -> Iterator[ReceiptItem]:
    for number, image in enumerate(images):
        digest = Digest.parse(image["digest"])
        blobs = tuple((Digest.parse(blob["digest"]), blob["size"]) for blob in image["blobs"])
        for position, text in enumerate(image["references"]):
            reference = Reference.parse(text)
            where = f"images[{number}].references[{position}]"
            if not target.has(reference.repository):  # logins are for the target
                raise ValueError(f"{where} is {_shown(text)}, which is not in the target")
            if not reference.tag and not reference.digest:
                raise ValueError(f"{where} has neither a tag nor a digest")
            if reference.digest and reference.digest != digest:
                raise ValueError(f"{where} has another digest than its image")
            yield ReceiptItem(
                reference=reference, digest=digest, media_type=image["mediaType"], blobs=blobs
            )


def _missing(document: Mapping[str, Any], label: str) -> Iterator[str]:
    """Yield a sentence for each image that did not arrive according to the receipt."""
    names: dict[str, list[str]] = {}
    for failure in document["failures"]:
        message = failure["error"]["message"]
        names.setdefault(message, []).append(_named(failure, message))
    for message, having in names.items():
        more = len(having) - _MOST_NAMED
        shown = [*having[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])]
        yield f"{listed(shown, 'and')} did not arrive: {message}"
    pending = document.get("pending", ())
    for each in pending:
        yield f"{_named(each)} had not been tried when {label} was written."
    if document["finished"] is None and not pending:
        yield f"{label} is from a run that did not finish: it may lack images that came later."


def _named(line: Mapping[str, Any], message: str = "") -> str:
    """Return how a line of a receipt is called; what its message says of that is left out."""
    references, source = line["references"], line["source"]
    where = f" as {references[0]}" if references and references[0] not in message else ""
    name = line["name"] or "An image"
    return f"{name}{'' if source in message or source == name else f' of {source}'}{where}"


def _text_of(path: Path) -> str:
    try:
        return read_given(path).decode()
    except FileNotFoundError:
        raise UsageError(f"There is no receipt {path}.", _REMEDY) from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not a receipt: it is not text.", _REMEDY) from None
    except OSError as error:
        raise UsageError(f"The receipt {path} cannot be read: {error.strerror}.", _REMEDY) from None


def _text(value: object, where: str) -> None:
    if not isinstance(value, str):
        raise ValueError(f"{where} is {_shown(value)}, and must be a string")


def _filled(value: object, where: str) -> None:
    _text(value, where)
    if not value:
        raise ValueError(f"{where} is empty")


def _flag(value: object, where: str) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{where} is {_shown(value)}, and must be true or false")


def _count(value: object, where: str) -> None:
    if type(value) is not int or not 0 <= value < _LARGEST_SIZE:
        raise ValueError(f"{where} is {_shown(value)}, and must be a count")


def _moment(value: object, where: str) -> None:
    if not is_moment(value):
        raise ValueError(f"{where} is {_shown(value)}, and must be an RFC 3339 time")


def _shard(value: object, where: str) -> None:
    try:
        whole = isinstance(value, str) and str(Shard.parse(value, {})) == value
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(f"{where} is {_shown(value)}, and must be INDEX/COUNT")


def _digest(value: object, where: str) -> None:
    _text(value, where)
    try:
        Digest.parse(str(value))
    except ValueError:
        raise ValueError(f"{where} is {_shown(value)}, and must be a digest") from None


def _reference(value: object, where: str) -> None:
    _text(value, where)
    try:
        whole = str(Reference.parse(str(value))) == value
    except ValueError:
        whole = False
    if not whole:
        raise ValueError(f"{where} is {_shown(value)}, and must be a whole reference")


def _or_null(check: ValueCheck) -> ValueCheck:
    def look(value: object, where: str) -> None:
        if value is not None:
            check(value, where)

    return look


def _list_of(check: ValueCheck, least: int = 0) -> ValueCheck:
    def look(value: object, where: str) -> None:
        if not isinstance(value, list):
            raise ValueError(f"{where} is {_shown(value)}, and must be a list")
        if len(value) < least:
            raise ValueError(f"{where} is empty")
        for number, each in enumerate(value):
            check(each, f"{where}[{number}]")

    return look


def _map_of(check: ValueCheck) -> ValueCheck:
    def look(value: object, where: str) -> None:
        for name, each in _object(value, where).items():
            check(each, f"{where}.{name}")

    return look


def _members(
    required: Mapping[str, ValueCheck], optional: Mapping[str, ValueCheck] | None = None
) -> ValueCheck:
    def look(value: object, where: str) -> None:
        members = _object(value, where)
        for name in required:
            if name not in members:
                raise ValueError(f"{where or 'it'} lacks {name}")
        for name, check in {**required, **(optional or {})}.items():
            if name in members:
                check(members[name], f"{where}.{name}" if where else name)

    return look


def _object(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"{where or 'it'} is {_shown(value)}, and must be an object")
    return value


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


_LINE: Mapping[str, ValueCheck] = {"source": _text, "name": _text}
_MORE: Mapping[str, ValueCheck] = {"otherSources": _list_of(_text)}
_ERROR = _members({"kind": _text, "message": _text, "remedy": _text, "exitCode": _count})
_IMAGE = _members(
    {
        **_LINE,
        "references": _list_of(_reference, least=1),
        "digest": _digest,
        "mediaType": _filled,
        "unchanged": _flag,
        "arrived": _or_null(_moment),
        "verified": _flag,
        "blobs": _list_of(_members({"digest": _digest, "size": _count})),
    },
    {**_MORE, "checked": _flag, "writers": _map_of(_list_of(_text))},
)
_NOT_THERE = {**_LINE, "references": _list_of(_reference)}
_receipt = _members(
    {
        "target": _filled,
        "finished": _or_null(_moment),
        "versions": _map_of(_text),
        "bundles": _map_of(_digest),
        "images": _list_of(_IMAGE),
        "failures": _list_of(
            _members({**_NOT_THERE, "error": _ERROR}, {**_MORE, "origin": _or_null(_text)})
        ),
    },
    {
        "pending": _list_of(_members(_NOT_THERE)),
        "shards": _list_of(_shard),
        "division": _digest,
    },
)
