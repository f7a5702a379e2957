"""Whether a build context leaves a file out, by the rules of `.dockerignore`.

The rules are docker's (docs.docker.com, "Build context", ".dockerignore files"): one pattern a
line, `#` comments, `!` brings back, `**` is any number of folders, a pattern that names a folder
holds for what is in it, and the last pattern that matches decides.
"""

import re
from collections.abc import Iterator
from pathlib import Path

_FILES = (".containerignore", ".dockerignore")  # podman and buildah take the first that is there


def is_ignored(path: Path, context: Path) -> bool:
    """Whether every tool that builds in `context` leaves `path` out.

    Args:
        path: A file in it; both are absolute, and free of links.
        context: The folder.
    """
    files = [context / name for name in _FILES if (context / name).is_file()]
    name = path.relative_to(context).as_posix()
    return bool(files) and all(
        _leaves_out(file.read_text(errors="replace"), name) for file in files
    )


def _leaves_out(rules: str, name: str) -> bool:
    out = False
    for pattern, brings_back in _patterns(rules):
        if pattern.fullmatch(name):
            out = not brings_back
    return out


def _patterns(rules: str) -> Iterator[tuple[re.Pattern[str], bool]]:
    for line in rules.splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        brings_back = text.startswith("!")
        parts = [part for part in text.lstrip("!").split("/") if part not in ("", ".")]
        if parts:
            yield re.compile(_expression(parts)), brings_back


def _expression(parts: list[str]) -> str:
    """Return the pattern as a regular expression that also matches what lies below."""
    pieces = ["(?:.*/)?" if part == "**" else f"{_component(part)}/" for part in parts]
    whole = "".join(pieces)
    return whole.removesuffix("/") + "(?:/.*)?" if whole.endswith("/") else f"{whole}.*"


def _component(part: str) -> str:
    pieces = re.findall(r"\*\*|\*|\?|\[[^\]]+\]|\\.|.", part)
    special = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return "".join(special.get(piece) or _literal(piece) for piece in pieces)


def _literal(piece: str) -> str:
    is_class = len(piece) > 1 and piece[0] == "["
    return piece if is_class or piece[0] == "\\" else re.escape(piece)
