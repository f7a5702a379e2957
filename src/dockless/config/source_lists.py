"""Lists of sources: a text file with one source per line, or the YAML of `skopeo sync`."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from dockless.config import skopeo_sync
from dockless.config.files import decoded
from dockless.errors import UsageError, without_login
from dockless.model.listed import Listed, SyncItem, WrongEntry, login_in
from dockless.processes.regular import read_given

_YAML = (".yml", ".yaml")
_STDIN = Path("-")
_COMPRESSED = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ", b"BZh", b"PK\x03\x04")
_TAR, _TAR_AT = b"ustar", 257
_COMMENT = re.compile(r"(?:^|\s)#.*")


def listed(sources: tuple[str, ...], files: tuple[Path, ...]) -> tuple[Listed, ...]:
    """Return the sources of the command line and those that its lists name, in order.

    Raises:
        UsageError: A list cannot be read, a source is empty or contains a login, or the lists
            name none.
    """
    if not all(text.strip() for text in sources):
        raise UsageError(
            "A SOURCE is empty.", "Give a path or an image; a variable may be unset there."
        )
    for text in sources:
        if _has_login(text):
            raise login_in("A SOURCE")
    found = (
        *(Listed(text=text) for text in sources),
        *(each for path in files for each in _of(path)),
    )
    if files and not found:
        named = ", ".join(map(str, files))
        what = f"The list {named} names" if len(files) == 1 else f"The lists {named} name"
        raise UsageError(f"{what} no source.", "Write one source a line, or give a SOURCE.")
    return found


def _has_login(text: str) -> bool:
    """Whether a password would be in the receipt, as a name; that of a file may have such signs."""
    return without_login(text) != text and not os.path.lexists(text)


def _of(path: Path) -> Iterator[Listed]:
    if path == _STDIN:
        path = Path("/dev/stdin")
    if path.suffix in _YAML:
        yield from map(_of_entry, skopeo_sync.read(path))
        return
    for number, line in enumerate(_text_of(path).split("\n"), 1):
        if source := _COMMENT.sub("", line).strip():
            origin = f"{path}:{number}:{line.index(source) + 1}"
            if "\0" in source:
                nul = UsageError("This line has a NUL character, which no name has.", "Remove it.")
                yield Listed(text=without_login(source.replace("\0", "")), origin=origin, error=nul)
            elif _has_login(source):
                yield Listed(text=without_login(source), origin=origin, error=login_in("This line"))
            else:
                yield Listed(text=source, origin=origin)


def _text_of(path: Path) -> str:
    try:
        data = read_given(path)
        text = decoded(data, errors="surrogateescape")
    except FileNotFoundError:
        raise UsageError(f"There is no list {path}.", "Check the path after -f.") from None
    except OSError as error:
        raise _unreadable(path, f": {error.strerror}") from None
    if data.startswith(_COMPRESSED) or data[_TAR_AT:].startswith(_TAR):
        raise UsageError(f"The list {path} is an archive.", "Give it as a SOURCE, without -f.")
    if _is_binary(text):
        raise _unreadable(path, ": it is not text")
    return text


def _is_binary(text: str) -> bool:
    """Whether no line is free of NUL characters, or a file is compressed, or an archive."""
    if "\0" not in text:
        return False
    lines = [line for line in text.split("\n") if line.strip()]
    return sum("\0" in line for line in lines) * 2 > len(lines)


def _of_entry(entry: SyncItem | WrongEntry) -> Listed:
    if isinstance(entry, WrongEntry):
        return Listed(text=without_login(entry.text), origin=entry.origin, error=entry.error)
    return Listed(text="", origin=entry.origin, wanted=entry)


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(f"The list {path} cannot be read{why}.", "Give a text file.")
