"""Sizes in bytes on the command line."""

import re

import click

from dockless.model.printable import shortened


class Size(click.ParamType[int]):
    """A size in bytes: `4000000000`, `700M`, `4G`, in decimal units."""

    name = "size"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the bytes."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]{1,18})([kKmMgGtT]?)B?", str(value))
        if found is None or not int(found[1]):
            self.fail(f"{shortened(str(value))!r} is not a size such as 700M or 4G", param, ctx)
        return int(found[1]) * int(1000 ** ("", "k", "m", "g", "t").index(found[2].lower()))
