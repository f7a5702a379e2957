"""YAML as values with their line. The only importer of yaml."""

import re
from collections.abc import Iterator

import yaml
from msgspec import Struct

from dockless.config.document import Scalar, Value, member_key, shown_member
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


def parse(text: str, name: str) -> Value:
    """Return the text's map.

    Args:
        text: The YAML.
        name: What errors and origins call its file.

    Raises:
        UsageError: It is not one YAML document, is not a map, has a key twice, or expands
            excessively through its aliases.
    """
    try:
        # not the C loader: it has no guard against a nesting that is deeper than the stack
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = _Reader(name).value(node, "") if node else Value(data={}, file=name, line=1, key="")
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
    value.mapping()
    return value


def _told(quoted: re.Match[str]) -> str:
    """Return what is quoted if it is a character or a token of YAML.

    An undefined alias or tag is quoted too, and `password: *hunter2` is one.
    """
    return quoted[0] if _TOKEN.fullmatch(quoted[0][1:-1]) else "'…'"


class _Reader(Struct):
    """Turns nodes into values, and counts them, since aliases can multiply endlessly."""

    name: str
    count: int = 0

    def value(self, node: yaml.Node, key: str) -> Value:
        self.count += 1
        if self.count > _MOST_VALUES:
            problem = f"{self.name} has more than {_MOST_VALUES} values with its aliases expanded."
            raise UsageError(problem)
        line, column = node.start_mark.line + 1, node.start_mark.column + 1
        if isinstance(node, yaml.MappingNode):
            return Value(
                data=dict(self._members(node, key)),
                file=self.name,
                line=line,
                key=key,
                column=column,
            )
        if isinstance(node, yaml.SequenceNode):
            items = (self.value(item, f"{key}[{number}]") for number, item in enumerate(node.value))
            return Value(data=tuple(items), file=self.name, line=line, key=key, column=column)
        kind = "ERB" if MARK in node.value else _TYPES.get(node.tag, _TAGGED)
        return Value(
            data=Scalar(kind, node.value),
            file=self.name,
            line=line,
            key=key,
            column=column,
        )

    def _members(self, node: yaml.MappingNode, key: str) -> Iterator[tuple[str, Value]]:
        """Yield the entries of merge keys (`<<`) first, so that the map's own keys replace them."""
        for name, inner in node.value:
            if name.tag == _MERGE:
                yield from self._merged(inner, key)
        seen: set[str] = set()
        for name, inner in node.value:
            if name.tag == _MERGE:
                continue
            where = Value(data={}, file=self.name, line=name.start_mark.line + 1, key=key)
            if not isinstance(name.value, str):
                raise where.wrong("has a key that is not a single value")
            if MARK in name.value:
                raise where.unanswered()
            if name.value in seen:
                shown = shown_member(key, name.value)
                raise where.wrong(f"has the key `{shown}` twice", "Remove one of them.")
            seen.add(name.value)
            yield name.value, self.value(inner, member_key(key, name.value))

    def _merged(self, node: yaml.Node, key: str) -> Iterator[tuple[str, Value]]:
        value = self.value(node, key)
        sources = value.data if isinstance(value.data, tuple) else (value,)
        for source in reversed(sources):
            yield from source.mapping().items()
