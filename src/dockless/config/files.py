"""Reading the project's small files. A file that is not there is None, never an error."""

import codecs
import json
import re
from pathlib import Path

from dockless.config.document import Value
from dockless.errors import UsageError
from dockless.oci.untrusted_json import parse_json
from dockless.processes.regular import open_regular, read_given

_LARGEST_BYTES = 1 << 20
_LARGEST_LIST = 16 << 20
_QUOTED = re.compile(r"""\('.*'.*?\)|(['"])(?!\\).{2,}\1""")


def read_text(path: Path, name: str) -> str | None:
    """Return the file's text, or None when there is no such file.

    Args:
        path: The file.
        name: What errors and origins call it.

    Raises:
        UsageError: It cannot be read, is larger than 1 MiB, or is not UTF-8.
    """
    try:
        with open_regular(path) as file:
            data = file.read(_LARGEST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}.") from None
    if len(data) > _LARGEST_BYTES:
        raise UsageError(f"{name} is larger than 1 MiB, so it is not a configuration file.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{name} is not UTF-8 text.", "Save it as UTF-8.") from None


def read_json(path: Path, name: str) -> Value | None:
    """Return the file's object; raise UsageError as `read_text` does, or when it is none."""
    text = read_text(path, name)
    if text is None:
        return None
    from dockless.config import plain  # noqa: PLC0415 - many projects have no such file

    try:
        value = plain.value(parse_json(text), name)
    except json.JSONDecodeError as error:
        problem = f"{name}:{error.lineno} is not JSON: {error.msg}."
        raise UsageError(problem, "Correct the file, or remove it.") from None
    except (ValueError, RecursionError):
        raise UsageError(
            f"{name} is JSON that is nested too deeply or has too large a number.",
            "Correct the file.",
        ) from None
    value.mapping()
    return value


def read_yaml(path: Path, name: str) -> Value | None:
    """Return the file's map; raise UsageError as `read_text` and `parse_yaml` do."""
    text = read_text(path, name)
    return None if text is None else parse_yaml(text, name)


def read_yaml_list(path: Path) -> tuple[Value, ...]:
    """Return the documents of a list; see `yaml_file.parse_list`.

    Raises:
        UsageError: It cannot be read, is larger than 16 MiB, or is not YAML.
    """
    from dockless.config import yaml_file  # noqa: PLC0415 - yaml takes 40 ms to load

    try:
        data = read_given(path)
    except OSError as error:
        problem = f"The list {path} cannot be read: {error.strerror}."
        raise UsageError(problem, "Check the path.") from None
    if len(data) > _LARGEST_LIST:
        raise UsageError(f"The list {path} is larger than 16 MiB.", "Split it.")
    return yaml_file.parse_list(decoded(data, errors="replace"), str(path))


def decoded(data: bytes, errors: str) -> str:
    """Return the text of a list without its byte order mark; `errors` is about that in UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # PowerShell writes it
        return data.decode("utf-16", errors="replace")
    return data.removeprefix(codecs.BOM_UTF8).decode(errors=errors)


def parse_yaml(text: str, name: str) -> Value:
    """Return a text's map; raise UsageError as `yaml_file.parse` does."""
    from dockless.config import yaml_file  # noqa: PLC0415 - yaml takes 40 ms to load

    return yaml_file.parse(text, name)


def read_toml(path: Path, name: str) -> Value | None:
    """Return the file's table; raise UsageError as `read_text` does, or when it is not TOML."""
    text = read_text(path, name)
    if text is None:
        return None
    import tomllib  # noqa: PLC0415 - the same, for the few who need it

    from dockless.config import plain  # noqa: PLC0415 - the same

    try:
        return plain.value(tomllib.loads(text), name)
    except tomllib.TOMLDecodeError as error:
        problem = _QUOTED.sub("…", str(error))  # a key that is there twice is quoted
        raise UsageError(f"{name} is not TOML: {problem}.", "Correct the file.") from None
