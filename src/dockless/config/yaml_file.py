"""YAML as values with their line. The only importer of yaml."""

import contextlib
import re
from collections.abc import Iterator, Mapping

import yaml
from msgspec import Struct, field

from dockless.config.document import MERGED, MapFault, Scalar, Value, member_key, shown_member
from dockless.config.erb import MARK
from dockless.errors import UsageError

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
# another tag may be a password: `password: !S3cr3t` is one to YAML
_TYPES = {
    f"{_TAG}{name}": shown
    for name, shown in {
        "str": "text",
        "int": "number",
        "float": "number",
        "bool": "boolean",
        "null": "null",
        "timestamp": "date",
        "binary": "binary value",
    }.items()
}
_TAGGED = "value with a tag (`!`)"
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")
_TOKEN = re.compile(r"<[a-z ]+>|.")
_MOST_VALUES = 20_000
_MOST_REPEATED = 100_000


def parse(text: str, name: str) -> Value:
    """Return the text's map.

    Args:
        text: The YAML.
        name: What errors and origins call its file.

    Raises:
        UsageError: It is not one YAML document, is not a map, has a key twice, or expands
            excessively through its aliases.
    """
    with _explained(name):
        # not the C loader: it has no guard against a nesting that is deeper than the stack
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = (
            _NodeReader(name).value(node, "") if node else Value(data={}, file=name, line=1, key="")
        )
    value.mapping()
    return value


def parse_list(text: str, name: str) -> tuple[Value, ...]:
    """Return the documents of a list, with what of them cannot be read as faults of its map.

    A character that YAML does not allow becomes U+FFFD. What is repeated through aliases is
    limited, but not how long the list is.

    Args:
        text: The YAML.
        name: What errors and origins call its file.

    Raises:
        UsageError: It is not YAML.
    """
    with _explained(name):
        allowed = yaml.SafeLoader.NON_PRINTABLE.sub("\ufffd", text)
        nodes = tuple(yaml.compose_all(allowed, Loader=yaml.SafeLoader))
        reader = _ListReader(name)
        return tuple(reader.value(node, "") for node in nodes)


@contextlib.contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn the errors of the parser into UsageErrors that quote nothing of the file."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        problem = _QUOTED.sub(_told, error.problem or "unknown reason")
        raise UsageError(f"{where} is not YAML: {problem}.", "Correct the file.") from None
    except (yaml.YAMLError, ValueError, OverflowError):  # the last two of an escape past Unicode
        problem = f"{name} is not YAML: it has a character that YAML does not allow."
        raise UsageError(problem, "Correct the file.") from None
    except RecursionError:
        raise UsageError(f"{name} is nested too deeply, or contains itself.") from None


def _told(quoted: re.Match[str]) -> str:
    """Return what is quoted if it is a character or a token of YAML.

    An undefined alias or tag is quoted too, and `password: *hunter2` is one.
    """
    return quoted[0] if _TOKEN.fullmatch(quoted[0][1:-1]) else "'…'"


class _ReadMap(Struct, kw_only=True):
    """A map as far as it is read.

    Attributes:
        key: Its dotted key; empty for the whole file.
        members: Its members, and those of the maps that it merges.
        faults: What of it cannot be read.
        seen: Its own keys.
    """

    key: str
    members: dict[str, Value] = field(default_factory=dict)
    faults: list[MapFault] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)


class _NodeReader(Struct):
    """Turns nodes into values, and counts them, since aliases can multiply endlessly."""

    name: str
    count: int = 0

    def value(self, node: yaml.Node, key: str) -> Value:
        self._count(node)
        if isinstance(node, yaml.MappingNode):
            read = self._map(node, key)
            return self._at(node, read.members, key, tuple(read.faults))
        if isinstance(node, yaml.SequenceNode):
            items = (self.value(item, f"{key}[{number}]") for number, item in enumerate(node.value))
            return self._at(node, tuple(items), key)
        kind = "ERB" if MARK in node.value else _TYPES.get(node.tag, _TAGGED)
        return self._at(node, Scalar(kind, node.value), key)

    def _at(
        self,
        node: yaml.Node,
        data: Scalar | tuple[Value, ...] | Mapping[str, Value],
        key: str,
        faults: tuple[MapFault, ...] = (),
    ) -> Value:
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        return Value(data=data, file=self.name, line=line, key=key, column=column, faults=faults)

    def _count(self, _: yaml.Node) -> None:
        """Count a value; raise UsageError where there are too many."""
        self._add(_MOST_VALUES)

    def _add(self, most: int) -> None:
        self.count += 1
        if self.count > most:
            problem = f"{self.name} has more than {most} values with its aliases expanded."
            raise UsageError(problem)

    def _map(self, node: yaml.MappingNode, key: str) -> _ReadMap:
        """Read a map; its own keys replace those of merge keys (`<<`)."""
        read = _ReadMap(key=key)
        for name, inner in sorted(node.value, key=lambda member: member[0].tag != _MERGE):
            try:
                self._member(read, name, inner)
            except (UsageError, RecursionError) as error:
                read.faults.append(self._fault(name, key, error))
        return read

    def _member(self, read: _ReadMap, name: yaml.Node, inner: yaml.Node) -> None:
        """Read one member of a map, and what is wrong in what it merges."""
        key = read.key
        if name.tag == _MERGE:
            value = self.value(inner, key)
            sources = value.data if isinstance(value.data, tuple) else (value,)
            for source in reversed(sources):
                read.members.update(source.mapping())
                read.faults += source.faults
            return
        where = Value(data={}, file=self.name, line=name.start_mark.line + 1, key=key)
        if not isinstance(name.value, str):
            raise where.wrong("has a key that is not a single value")
        if MARK in name.value:
            raise where.unanswered()
        if name.value in read.seen:
            shown = shown_member(key, name.value)
            raise where.wrong(f"has the key `{shown}` twice", "Remove one of them.")
        read.seen.add(name.value)
        read.members[name.value] = self.value(inner, member_key(key, name.value))

    def _fault(self, name: yaml.Node, key: str, error: UsageError | RecursionError) -> MapFault:  # noqa: ARG002 - of a list's
        """Return what is kept of an error in a map's member; here it is one of the whole file."""
        raise error


class _ListReader(_NodeReader):
    """Reads a list, of which a wrong member harms no other."""

    visited: set[int] = field(default_factory=set)

    def _count(self, node: yaml.Node) -> None:
        if id(node) in self.visited:
            self._add(_MOST_REPEATED)
        self.visited.add(id(node))

    def _member(self, read: _ReadMap, name: yaml.Node, inner: yaml.Node) -> None:
        before = self.count
        try:
            super()._member(read, name, inner)
        finally:
            if not read.key and self.count > _MOST_REPEATED:  # the next entry has as many left
                self.count = before

    def _fault(self, name: yaml.Node, key: str, error: UsageError | RecursionError) -> MapFault:
        if isinstance(error, RecursionError):
            if key:
                raise error
            error = UsageError("The entry is nested too deeply, or contains itself.")
        written = name.value if isinstance(name.value, str) else ""
        line, column = name.start_mark.line + 1, name.start_mark.column + 1
        return MapFault(
            name=shown_member(key, written),
            key=MERGED if name.tag == _MERGE else written,
            place=f"{self.name}:{line}:{column}",
            error=error,
        )
