"""The syntax trees of a folder of sources, parsed once for all the tests that look at them."""

import ast
import functools
from pathlib import Path


@functools.cache
def trees(source: Path) -> tuple[tuple[str, ast.Module], ...]:
    """Return the path, relative to `source`, and the tree of each module, sorted by path."""
    return tuple(
        (path.relative_to(source).as_posix(), ast.parse(path.read_text()))
        for path in sorted(source.rglob("*.py"))
    )
