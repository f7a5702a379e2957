"""The hosts that a user's ssh_config(5) names, for completion; nothing of it is evaluated."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from dockless.processes.regular import read_regular

_DEEPEST = 4
_LINE = re.compile(
    r"[ \t]*(?P<keyword>Host|Include)(?:[ \t]*=[ \t]*|[ \t]+)(?P<rest>.+)", re.IGNORECASE
)
_PATTERN = frozenset("*?!%")


def config_hosts(home: Path) -> tuple[str, ...]:
    """Return the names on `Host` lines, without patterns, in the file's order, each once."""
    return tuple(dict.fromkeys(_hosts(home / ".ssh" / "config", home, 0)))


def _hosts(path: Path, home: Path, depth: int) -> Iterator[str]:
    text = ""
    with contextlib.suppress(OSError):
        text = read_regular(path).decode(errors="replace")
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        words = [word.strip('"') for word in found["rest"].split()] if found else []
        if found and found["keyword"].lower() == "host":
            yield from (word for word in words if _PATTERN.isdisjoint(word))
            continue
        for word in words if depth < _DEEPEST else ():
            pattern = word.removeprefix("~/.ssh/")
            with contextlib.suppress(OSError, ValueError, NotImplementedError):
                # an absolute pattern is none of this folder, and raises NotImplementedError
                for file in sorted((home / ".ssh").glob(pattern)):
                    yield from _hosts(file, home, depth + 1)
