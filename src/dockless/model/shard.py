"""Dividing a mirror among machines that do not communicate."""

import hashlib
from collections.abc import Iterable, Mapping

from msgspec import Struct

from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository

MOST = 100_000
"""The most parts of a mirror; the division takes time for each part."""

_LONGEST = len(str(MOST))
_INDEXES = ("JOB_COMPLETION_INDEX", "CI_NODE_INDEX", "SLURM_ARRAY_TASK_ID")
_COUNTS = ("JOB_COMPLETION_COUNT", "CI_NODE_TOTAL", "SLURM_ARRAY_TASK_COUNT")


class Shard(Struct, frozen=True):
    """One part of several.

    Attributes:
        index: Which, from 0.
        count: How many there are.
    """

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @classmethod
    def parse(cls, text: str, environment: Mapping[str, str]) -> "Shard":
        """Read `INDEX/COUNT`, or `auto` or `auto/COUNT` for what a batch system says.

        Kubernetes says the index only (`JOB_COMPLETION_INDEX`, from 0); GitLab says
        `CI_NODE_INDEX` from 1 and `CI_NODE_TOTAL`; Slurm `SLURM_ARRAY_TASK_ID`, `_MIN` and
        `_COUNT`.

        Raises:
            ValueError: It is invalid, or the part is not known.
        """
        index, _, count = text.partition("/")
        if index == "auto":
            found, said = _told(environment)
            index, count = found, count or said
            if not index:
                raise ValueError(f"none of {', '.join(_INDEXES)} is set, which give the index")
            if not count:
                raise ValueError(
                    f"none of {', '.join(_COUNTS)} is set, which give the count: use auto/COUNT"
                )
        numbers = index.isdecimal() and count.isdecimal()
        if numbers and max(len(index), len(count)) > _LONGEST:
            raise ValueError(f"INDEX/COUNT has at most {MOST} parts")
        if not (numbers and int(count)):
            raise ValueError("it is not INDEX/COUNT, as in 0/4, nor auto")
        if int(index) >= int(count):
            last = int(count) - 1
            raise ValueError(
                f"parts are numbered from 0, and the last of {count} is {last}/{count}"
            )
        if int(count) > MOST:
            raise ValueError(f"INDEX/COUNT has at most {MOST} parts")
        return cls(int(index), int(count))

    def of(self, sizes: Mapping[Repository, int]) -> frozenset[Repository]:
        """Return the repositories of this part.

        Every part finds the same division from the same sizes: the largest first, each to the
        part that has the fewest bytes so far; equal ones in the order of a hash of their name. No
        repository is in two parts.
        """
        loads = [0] * self.count
        mine: list[Repository] = []
        for repository in sorted(sizes, key=lambda each: (-sizes[each], _stable(each))):
            part = min(range(self.count), key=lambda number: (loads[number], number))
            loads[part] += max(1, sizes[repository])
            if part == self.index:
                mine.append(repository)
        return frozenset(mine)


def division_of(references: Iterable[Reference], sizes: Mapping[Repository, int]) -> Digest:
    """Return a digest of what is divided, which tells one division from another.

    It is of all that decides which part an image is in: each reference and the bytes of each
    repository. Their order, the machine, and the part that is asked for are not in it.

    Args:
        references: Every reference of the whole.
        sizes: The bytes of each repository.
    """
    lines = {f"{each}\n" for each in references}
    lines |= {f"{repository} {size}\n" for repository, size in sizes.items()}
    return Digest.of("".join(sorted(lines)).encode())


def _stable(repository: Repository) -> bytes:
    return hashlib.sha256(str(repository).encode()).digest()


def _told(environment: Mapping[str, str]) -> tuple[str, str]:
    def number(key: str, less: int = 0) -> str:
        text = environment.get(key, "")
        return str(int(text) - less) if text.isdecimal() and len(text) <= _LONGEST else ""

    slurm = int(number("SLURM_ARRAY_TASK_MIN") or 0)
    places: Iterable[tuple[str, str]] = (
        (number("JOB_COMPLETION_INDEX"), number("JOB_COMPLETION_COUNT")),
        (number("CI_NODE_INDEX", 1), number("CI_NODE_TOTAL")),
        (number("SLURM_ARRAY_TASK_ID", slurm), number("SLURM_ARRAY_TASK_COUNT")),
    )
    return next(((index, count) for index, count in places if index), ("", ""))
