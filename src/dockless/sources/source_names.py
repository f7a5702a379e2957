"""Image IDs as SOURCE, which look like names, and the name that a SOURCE gives to its target."""

import re

from dockless.oci.reference import Name
from dockless.sources.spec import bare_name

_ID = re.compile(r"sha256:(?P<any>[0-9a-f]{1,64})|(?P<long>[0-9a-f]{12,64})")
_WHOLE_ID = 64


def id_digits(text: str) -> str:
    """Return the digits of a source that may be an image's ID, or how one begins; else nothing.

    Less than 12 digits are one only behind `sha256:`: `a` and `fea` are names.
    """
    found = _ID.fullmatch(text)
    return (found["any"] or found["long"]) if found else ""


def is_surely_id(text: str) -> bool:
    """Whether a source can be nothing but an image's ID: tools refuse such names."""
    digits = id_digits(text)
    return bool(digits) and (digits != text or len(digits) == _WHOLE_ID)


def target_name(text: str) -> Name | None:
    """Return the name that a source, which is one, gives to its target; None for an ID."""
    return None if is_surely_id(text) else bare_name(text)
