"""A record of more than three fields takes them by name: places alone would not tell them apart."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dockless
from bed.syntax import trees

SOURCE = Path(dockless.__file__).parent
MOST_BY_PLACE = 3


def _base(node: ast.expr) -> str:
    """Return the last word of a base class or decorator: `Struct` of `msgspec.Struct`."""
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Call():
            return _base(node.func)
        case ast.Subscript():
            return _base(node.value)
    return ""


def _is_keyword_only(node: ast.ClassDef) -> bool:
    decorated = [each.keywords for each in node.decorator_list if isinstance(each, ast.Call)]
    return any(
        each.arg == "kw_only" and isinstance(each.value, ast.Constant) and each.value.value is True
        for keywords in (node.keywords, *decorated)
        for each in keywords
    )


class Records:
    """The records of a tree of sources, and what they inherit from one another."""

    def __init__(self, source: Path) -> None:
        self._classes: dict[str, list[tuple[str, ast.ClassDef]]] = {}
        for place, tree in trees(source):
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    self._classes.setdefault(node.name, []).append((place, node))

    def _above(self, node: ast.ClassDef) -> Iterator[ast.ClassDef]:
        for base in map(_base, node.bases):
            for _, each in self._classes.get(base, ()):
                if each is not node:
                    yield each

    def _is_record(self, node: ast.ClassDef) -> bool:
        bases = {_base(each) for each in node.bases}
        decorators = {_base(each) for each in node.decorator_list}
        made = bases & {"Struct", "NamedTuple"} or "dataclass" in decorators
        return bool(made) or any(map(self._is_record, self._above(node)))

    def _fields(self, node: ast.ClassDef) -> dict[str, bool]:
        """Return the fields, with the inherited ones, and whether each is keyword-only."""
        found: dict[str, bool] = {}
        for each in self._above(node):
            found |= self._fields(each)
        named = _is_keyword_only(node)
        for line in node.body:
            match line:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
                    if _base(annotation) != "ClassVar":
                        found[name] = named
        return found

    def by_place(self) -> set[str]:
        """Return the records that take more than three fields by place, as `file:name`."""
        return {
            f"{path}:{name}"
            for name, all_of_it in self._classes.items()
            for path, node in all_of_it
            if self._is_record(node)
            and len(fields := self._fields(node)) > MOST_BY_PLACE
            and not all(fields.values())
        }


def test_records_of_more_than_three_fields_are_keyword_only() -> None:
    assert Records(SOURCE).by_place() == set()


FOUR = "    a: int\n    b: int\n    c: int\n    d: int = 0\n"


@pytest.mark.parametrize(
    "text",
    [
        f"class Wide(Struct, frozen=True):\n{FOUR}",
        f"class Wide(msgspec.Struct, kw_only=False):\n{FOUR}",
        f"class Wide(NamedTuple):\n{FOUR}",
        f"@dataclass\nclass Wide:\n{FOUR}",
        f"@dataclasses.dataclass(frozen=True)\nclass Wide:\n{FOUR}",
        f"class Wide(Struct, Generic[T]):\n{FOUR}",
        f"def made():\n    class Wide(Struct):\n{FOUR.replace('    ', '        ')}",
        "class Base(Struct):\n    a: int\n    b: int\nclass Wide(Base):\n    c: int\n    d: int\n",
        f"class Base(Struct):\n    first: int\nclass Wide(Base, kw_only=True):\n{FOUR}",
    ],
)
def test_a_wide_record_with_places_is_found(tmp_path: Path, text: str) -> None:
    (tmp_path / "new.py").write_text(text)
    assert Records(tmp_path).by_place() == {"new.py:Wide"}


@pytest.mark.parametrize(
    "text",
    [
        f"class Wide(Struct, frozen=True, kw_only=True):\n{FOUR}",
        f"@dataclass(kw_only=True)\nclass Wide:\n{FOUR}",
        "class Small(Struct):\n    a: int\n    b: int\n    c: int\n    D: ClassVar[int] = 1\n",
        f"class Shape(Protocol):\n{FOUR}",
    ],
)
def test_what_reads_well_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "new.py").write_text(text)
    assert Records(tmp_path).by_place() == set()
