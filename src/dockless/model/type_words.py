"""The words with which registries reject manifests of a media type."""

import re

_TYPES = re.compile(
    r"media[ -]?type|content[ -]?type|schema[ -]?version|unsupported|manifest (?:type|format)"
    r"|unknown manifest|unrecognized manifest|oci[ .](?:image|manifest|artifact)"
)


def speaks_of_types(text: str) -> bool:
    """Whether a registry's own words say that a media type is why it rejects a manifest."""
    return bool(_TYPES.search(text.lower()))
