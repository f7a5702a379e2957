"""An index.json with a faulty descriptor: each of its descriptors is read by itself.

OCI image-spec, image-layout.md, 'index.json file': it may list any number of images, which do not
depend on one another.
"""

from functools import partial

from dockless.errors import SourceError
from dockless.oci.manifest import Descriptor, compact_json, parse_descriptor, parse_document
from dockless.oci.untrusted_json import parse_json
from dockless.sources.docker_archive import isolated


def listed_each(label: str, data: bytes) -> tuple[Descriptor | SourceError, ...] | None:
    """Return each descriptor of an index.json, or what is wrong with it.

    Args:
        label: The layout's name in messages.
        data: The index.json.

    Returns:
        None where more is wrong than descriptors.

    Raises:
        SourceError: Its only descriptor is faulty.
    """
    try:
        members = parse_json(data)
        entries = members.pop("manifests") if isinstance(members, dict) else None
        if not isinstance(entries, list):
            return None
        parse_document(compact_json({**members, "manifests": []}))
    except (ValueError, KeyError):
        return None
    return isolated(
        partial(_read, entry, f"{label}: index.json: manifests[{position}]")
        for position, entry in enumerate(entries)
    )


def _read(entry: object, place: str) -> Descriptor:
    try:
        return parse_descriptor(entry)
    except ValueError as error:
        raise SourceError(
            f"{place} is not the descriptor of an image: {error}.", "Create or copy it again."
        ) from None
