"""The values of a configuration file, each with its position for error messages."""

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from dockless.config.setting import Setting
from dockless.errors import UsageError

_LAST_PORT = 65535
_ERB = "ERB"
_HIDDEN = "***"
MERGED = "<<"
"""The key of a fault in what is merged into a map."""
_SECRET = re.compile(r"passw|passphrase|secret|token|credential|auths?$|key_data", re.IGNORECASE)
_WORD = re.compile(r"[\w-]+")
_LOGIN = re.compile(r"(?s:.*):(?s:.*)@(?!sha\d)")


def shown_member(key: str, name: str) -> str:
    """Return what messages call a member of a map.

    What stands below `password`, `credentials` and the like may be a secret, misplaced by its
    author, and so may what stands before the @ of a name, or with such a word in one key.

    Args:
        key: The path to the map.
        name: The member's key.
    """
    parent = re.sub(r"(?:\[\d+\])+$", "", key).rpartition(".")[2]
    # a registry's host is none, be it called so
    if parent == _HIDDEN or (_WORD.fullmatch(parent) and _SECRET.search(parent)):
        # the members that such maps have are not secrets
        return name if name in ("username", "password") else _HIDDEN
    if _SECRET.search(name) and not _WORD.fullmatch(name):
        return _HIDDEN
    return without_any_login(name)


def without_any_login(name: str) -> str:
    """Return a key or name without a login in it, which may have blanks and slashes."""
    return _LOGIN.sub(f"{_HIDDEN}@", name)


def member_key(key: str, name: str) -> str:
    """Return the path to a member of a map, as messages show it; see `shown_member`."""
    shown = shown_member(key, name)
    return f"{key}.{shown}" if key else shown


class NeedsRubyError(UsageError):
    """A value is Ruby code, which is not run; it is an error only where the value is needed."""


class Scalar(Struct, frozen=True):
    """A scalar as it is written in the file.

    Attributes:
        type: `text`, `number`, `boolean`, `null`, `ERB` for what only Ruby can answer, or the name
            of another type of the format; shown, so never what the file's author wrote.
        text: The scalar's characters, unquoted; not shown, since it may be a password.
    """

    type: str
    text: str

    def __repr__(self) -> str:
        """Show no text."""
        return f"Scalar(type={self.type!r})"


class MapFault(Struct, frozen=True, kw_only=True):
    """A member of a map that cannot be read, in a file whose other members are.

    Attributes:
        name: Its key, as messages show it; empty for one without.
        key: Its key as it is written; empty for one without.
        place: `file:line:column`.
        error: What is wrong.
    """

    name: str = ""
    key: str = ""
    place: str
    error: UsageError

    def __repr__(self) -> str:
        """Show no key as it is written."""
        return f"MapFault(name={self.name!r}, place={self.place!r})"


class Value(Struct, frozen=True, kw_only=True):
    """A value of a configuration file. Every method raises UsageError on a wrong type.

    Attributes:
        data: A scalar, a list or a map.
        file: The file's name, as people know it.
        line: The line where the value begins, from 1; 0 when the format does not tell.
        key: The path to the value from the top, such as `servers[0].port`; empty at the top.
        column: The column where it begins, from 1; 0 when the format does not tell.
        faults: What of a map cannot be read, where the file's reader allows that.
    """

    data: "Scalar | tuple[Value, ...] | Mapping[str, Value]"
    file: str
    line: int
    key: str
    column: int = 0
    faults: tuple[MapFault, ...] = ()

    @property
    def place(self) -> str:
        """The exact position of the value: `file:line:column`."""
        return f"{self.origin}:{self.column}" if self.column else self.origin

    @property
    def origin(self) -> str:
        """The position of the value: `file:line`."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def wrong(self, problem: str, remedy: str = "") -> UsageError:
        """Return the error about this value, with its position."""
        name = f"`{self.key}` in {self.origin}" if self.key else self.origin
        return UsageError(f"{name} {problem}.", remedy or "Correct it there.")

    @property
    def needs_ruby(self) -> bool:
        """Whether only Ruby, which is not run, can tell the value."""
        return isinstance(self.data, Scalar) and self.data.type == _ERB

    def unanswered(self) -> NeedsRubyError:
        """Return the error for a value that only Ruby can tell, or that a variable lacks for."""
        from dockless.config.erb import unset_variable  # noqa: PLC0415 - most files have no ERB

        name = unset_variable(self.data.text) if isinstance(self.data, Scalar) else ""
        if name:
            return self._ruby(
                f"needs the variable {name}, which is not set",
                "Set it, or give the value by an option or a DOCKLESS_ variable.",
            )
        return self._ruby(
            "is ERB (`<%`), which is Ruby code and is not run",
            'Write the value itself or `<%= ENV["NAME"] %>` there, or give it by an option or a '
            "DOCKLESS_ variable.",
        )

    def _ruby(self, problem: str, remedy: str) -> NeedsRubyError:
        error = self.wrong(problem, remedy)
        return NeedsRubyError(error.what, error.remedy)

    def _wrong_type(self, needed: str, remedy: str = "") -> UsageError:
        if self.needs_ruby:
            return self.unanswered()
        return self.wrong(f"is {self._type}, where {needed} is needed", remedy)

    def get(self, key: str) -> "Value | None":
        """Return a map's value; None when it is missing or null."""
        value = self.mapping().get(key)
        return None if value is None or value.is_null else value

    def mapping(self) -> "Mapping[str, Value]":
        """Return the map that the value is."""
        if not isinstance(self.data, Mapping):
            raise self._wrong_type("a map")
        return self.data

    def items(self) -> "tuple[Value, ...]":
        """Return the list that the value is."""
        if not isinstance(self.data, tuple):
            raise self._wrong_type("a list")
        return self.data

    def text(self) -> str:
        """Return the value as text; a number must be in quotes."""
        if isinstance(self.data, Scalar) and self.data.type == "text":
            return self.data.text
        quotes = "Put it in quotes." if isinstance(self.data, Scalar) else ""
        raise self._wrong_type("text", quotes)

    def optional(self, key: str) -> str:
        """Return the text of a map's member; nothing when it is not there."""
        value = self.get(key)
        return value.text() if value else ""

    def setting(self, key: str) -> Setting[str] | None:
        """Return the text of a map's member with its origin; None when absent or empty."""
        value = self.get(key)
        text = value.text() if value else ""
        return Setting(text, value.origin) if value and text else None

    def scalar(self) -> str:
        """Return a text, a number or a boolean as it is written."""
        if isinstance(self.data, Scalar) and not self.needs_ruby:
            return self.data.text
        raise self._wrong_type("a single value")

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(item.text() for item in self.items())

    def boolean(self) -> bool:
        """Return a boolean."""
        if isinstance(self.data, Scalar) and self.data.type == "boolean":
            return self.data.text.lower() in ("true", "yes", "on")
        raise self._wrong_type("true or false")

    def port(self) -> int:
        """Return a port, which may stand in quotes."""
        if self.needs_ruby:
            raise self.unanswered()
        text = self.data.text if isinstance(self.data, Scalar) else ""
        if text.isascii() and text.isdigit() and 0 < int(text[:6]) <= _LAST_PORT:
            return int(text)
        raise self.wrong(f"is not a port, a number from 1 to {_LAST_PORT}")

    @property
    def is_null(self) -> bool:
        """Whether the value is null, which stands for a value that is not there."""
        return isinstance(self.data, Scalar) and self.data.type == "null"

    @property
    def _type(self) -> str:
        if isinstance(self.data, Scalar):
            return f"a {self.data.type}" if self.data.type != "text" else "text"
        return "a list" if isinstance(self.data, tuple) else "a map"


def merge(base: Value, over: Value) -> Value:
    """Merge two maps recursively; anything else in `over` takes precedence."""
    if not isinstance(base.data, Mapping) or not isinstance(over.data, Mapping):
        return over
    return replace(base, data=dict(_merged(base.data, over.data)))


def _merged(base: Mapping[str, Value], over: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
    for key in {**base, **over}:
        if key in base and key in over:
            yield key, merge(base[key], over[key])
        else:
            yield key, over.get(key) or base[key]
