"""The words with which registries reject manifests of a media type."""

import re

_TYPES = (  # compiled when it is needed, which is rare
    r"media[ -]?type|content[ -]?type|schema[ -]?version|unsupported|manifest (?:type|format)"
    r"|unknown manifest|unrecognized manifest|oci[ .](?:image|manifest|artifact)"
)


def speaks_of_types(text: str) -> bool:
    """Whether a registry's own words say that a media type is why it rejects a manifest."""
    return bool(re.search(_TYPES, text.lower()))
