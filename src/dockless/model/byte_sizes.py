"""Sizes in bytes as text: `4000000000`, `700M`, `4G`, in decimal units."""

import re

from dockless.model.printable import shortened

_UNITS = ("", "k", "m", "g", "t")


def bytes_of(text: str) -> int:
    """Return the bytes of a size; raise ValueError where it is none."""
    found = re.fullmatch(r"([0-9]{1,18})([kKmMgGtT]?)B?", text)
    if found is None or not int(found[1]):
        raise ValueError(f"{shortened(text)!r} is not a size such as 700M or 4G")
    return int(found[1]) * int(1000 ** _UNITS.index(found[2].lower()))
