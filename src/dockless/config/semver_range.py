"""Tags that are versions, and constraints on them. The only importer of semantic_version.

The grammar is npm's, with a comma for 'and' as skopeo has it: `>= 1.12, < 2`, `^1.4`, `~1.4.2`,
`1.x`, `1.4 || 2.1`.
"""

import re

from semantic_version import NpmSpec, Version

_VERSION = re.compile(
    r"v?(?P<major>\d+)(\.(?P<minor>\d+))?(\.(?P<patch>\d+))?(?P<rest>[-+][0-9A-Za-z.+-]+)?"
)


class Constraint:
    """A constraint; raises ValueError for invalid text."""

    def __init__(self, text: str) -> None:
        together = re.sub(r"([<>=^~]) +", r"\1", text.replace(",", " "))
        self._spec = NpmSpec(" ".join(together.split()))

    def allows(self, tag: str) -> bool:
        """Whether the tag is a version that satisfies it; missing parts count as 0."""
        found = _VERSION.fullmatch(tag)
        if found is None:
            return False
        numbers = (str(int(found[part] or 0)) for part in ("major", "minor", "patch"))
        try:
            return bool(self._spec.match(Version(".".join(numbers) + (found["rest"] or ""))))
        except ValueError:
            return False
