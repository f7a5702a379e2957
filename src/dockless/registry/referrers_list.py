"""The list of referrers of a manifest: an OCI index, which other clients write, too.

As the distribution-spec has it under 'Pushing Manifests with Subject'. What this version does not
know of an index or a descriptor is kept as it is.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    LONGEST_MANIFEST,
    OCI_INDEX,
    Manifest,
    parse_descriptor,
    parse_document,
)

ReferrerDescriptor = Mapping[str, Any]
"""A descriptor's JSON object."""


class Referrer(Struct, frozen=True):
    """A manifest with a subject, as a list of referrers has it.

    Attributes:
        subject: What it is about.
        descriptor: Its own descriptor, with its `artifactType` and `annotations`.
    """

    subject: Digest
    descriptor: ReferrerDescriptor


def referrer_of(data: bytes) -> Referrer | None:
    """Return how a manifest or index is to be listed; None when it has no subject.

    Raises:
        ValueError: It is neither a manifest nor an index.
    """
    document = parse_document(data)
    if document.subject is None:
        return None
    members = json.loads(data)
    descriptor: dict[str, Any] = {
        "mediaType": document.media_type,
        "digest": str(Digest.of(data)),
        "size": len(data),
    }
    kind, annotations = members.get("artifactType"), members.get("annotations")
    if not kind and isinstance(document, Manifest):
        kind = document.config.media_type
    if isinstance(kind, str) and kind:
        descriptor["artifactType"] = kind
    if isinstance(annotations, dict) and annotations:
        descriptor["annotations"] = annotations
    return Referrer(document.subject, descriptor)


def missing(
    body: bytes | None, ours: tuple[ReferrerDescriptor, ...]
) -> tuple[ReferrerDescriptor, ...]:
    """Return those descriptors that a list lacks, or has without a member or with another type.

    Args:
        body: The list; None while there is none.
        ours: What ought to be in it.

    Raises:
        ValueError: It is not a list of referrers; the message has the reason.
    """
    there = {each["digest"]: each for each in _members(body)["manifests"]}
    return tuple(each for each in ours if not _is_listed(each, there.get(each["digest"], {})))


def merged(body: bytes | None, ours: tuple[ReferrerDescriptor, ...]) -> bytes:
    """Return a list with these descriptors in it, and everything else as it was.

    Raises:
        ValueError: As for `missing`, or it would be larger than registries take.
    """
    members = _members(body)
    added = {each["digest"]: dict(each) for each in ours}
    there = {each["digest"] for each in members["manifests"]}
    # some programs list a manifest without its annotations, or under its config's type: the type is
    # what the manifest says, and of the rest what they wrote is kept
    entries = [_completed(each, added.get(each["digest"], {})) for each in members["manifests"]]
    entries += [each for digest, each in added.items() if digest not in there]
    # in ASCII, which can hold any text that JSON can, lone surrogates included
    data = json.dumps({**members, "manifests": entries}, separators=(",", ":")).encode()
    if len(data) > LONGEST_MANIFEST:
        raise ValueError(f"it would have {len(data)} bytes, more than registries accept")
    return data


def _is_listed(ours: ReferrerDescriptor, there: ReferrerDescriptor) -> bool:
    same = ours.get("artifactType") in (None, there.get("artifactType"))
    return same and ours.keys() <= there.keys()


def _completed(there: ReferrerDescriptor, ours: ReferrerDescriptor) -> dict[str, Any]:
    kind = {"artifactType": ours["artifactType"]} if "artifactType" in ours else {}
    return {**ours, **there, **kind}


def _members(body: bytes | None) -> dict[str, Any]:
    if body is None:
        return {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}
    if len(body) > LONGEST_MANIFEST:
        raise ValueError(f"it has more than {LONGEST_MANIFEST} bytes")
    try:
        # json itself guesses UTF-16 and UTF-32 from bytes
        members = json.loads(body.decode(), parse_float=_finite, parse_constant=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"it is not JSON ({error})") from None
    if not isinstance(members, dict):
        raise ValueError("it is not a JSON object")
    kind = members.get("mediaType", OCI_INDEX)
    if kind != OCI_INDEX or "config" in members:
        raise ValueError(f"it is not an OCI index (mediaType {str(kind)[:100]!r})")
    # Go writes an empty list as null
    entries = members.get("manifests", ()) or []
    if not isinstance(entries, list):
        raise ValueError("its manifests are not a list")
    for entry in entries:
        parse_descriptor(entry)
    return {**members, "manifests": entries}


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:20]}")
    return number
