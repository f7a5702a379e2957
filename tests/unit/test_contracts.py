"""Every import contract of pyproject.toml is broken once, by the import that it forbids.

`lint-imports` shows that the contracts are kept. This shows that they would not be kept otherwise:
each forbidden import is written into a copy of the tree, and the contract has to name it.
"""

import itertools
import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import pytest

from bed.contracts import Breaches, breaches

CHECKOUT = Path(__file__).parents[2]
SOURCE = CHECKOUT / "src" / "dockless"
SETTINGS = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())

OWNERS = {
    "click": "cli",
    "isal": "storage",
    "jeepney": "credentials",
    "keyring": "credentials",
    "paramiko": "ssh",
    "platformdirs": "storage",
    "rich": "report",
    "semantic_version": "config",
    "sh": "engines",
    "subprocess": "processes",
    "tenacity": "retry",
    "urllib3": "transport",
    "yaml": "config",
    "zstandard": "storage",
}
"""The one room that may import each library."""

ANYWHERE = {"msgspec": "what values are made of"}
"""Dependencies that every room may import, and why."""

IMPORTED_AS = {"PyYAML": "yaml", "semantic-version": "semantic_version"}
"""What dependencies are imported as, where that is another name."""

FLOORS = (
    {"__main__"},
    {"cli"},
    {"client"},
    {"diagnosis"},
    {"usecases"},
    {"config", "credentials", "engines", "registry", "report", "sources", "ssh"},
    {"storage"},
    {"concurrency", "processes", "retry", "threads", "transport"},
    {"ports"},
    {"model"},
    {"errors", "oci", "version"},
)
"""The rooms by floor, highest first."""

ADAPTERS = FLOORS[5] | {"storage"}
"""What use cases know through ports alone."""

PURE = {"errors", "model", "oci", "ports"}
"""Rooms that import the standard library and msgspec, and no other library by any way."""

FORMS = {
    "at the top": "import {0}\n",
    "in a function": "def late() -> None:\n    import {0}\n",
    "for types alone": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import {0}\n",
}
"""How an import may be written."""

FLOORS_CONTRACT = "Floors: a room imports what is below it"
USE_CASES_CONTRACT = "Use cases know ports, not adapters"
PURE_CONTRACT = "Images and their errors need the standard library and msgspec"


def rooms() -> set[str]:
    """Return every module and package at the top of dockless."""
    modules = {path.stem for path in SOURCE.glob("*.py")} - {"__init__"}
    return modules | {path.parent.name for path in SOURCE.glob("*/__init__.py")}


@cache
def module(room: str) -> str:
    """Return a module of a room, the last by name: the room itself if it is one module."""
    inside = sorted(path for path in (SOURCE / room).rglob("*.py") if path.stem != "__init__")
    found = inside[-1].relative_to(SOURCE) if inside else Path(f"{room}.py")
    return ".".join(("dockless", *found.with_suffix("").parts))


def broken(
    folder: Path, imports: Mapping[str, Iterable[str]], form: str = FORMS["at the top"]
) -> Breaches:
    """Return what contracts say of a copy in which modules import more.

    Args:
        folder: Where the copy is made.
        imports: By the full name of a module: what it is made to import.
        form: How that is written.
    """
    copy = folder / "src" / "dockless"
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SOURCE, copy, ignore=ignored, copy_function=shutil.copyfile)
    shutil.copyfile(CHECKOUT / "pyproject.toml", folder / "pyproject.toml")
    for importing, imported in imports.items():
        path = (folder / "src").joinpath(*importing.split(".")).with_suffix(".py")
        if not path.exists():
            path = path.with_suffix("") / "__init__.py"
        with path.open("a") as file:
            file.writelines(f"\n{form.format(each)}" for each in imported)
    return breaches(folder)


def owner_contract(library: str) -> str:
    return f"{library} has one owner: {OWNERS[library]}"


@pytest.fixture(scope="module", params=FORMS)
def libraries(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Breaches:
    """What contracts say where every room imports every library that it does not own."""
    imports = {
        module(room): [library for library, owner in OWNERS.items() if owner != room]
        for room in rooms()
    }
    imports["dockless"] = list(OWNERS)
    return broken(tmp_path_factory.mktemp("libraries"), imports, FORMS[request.param])


@pytest.mark.parametrize("library", OWNERS)
def test_a_library_is_imported_by_its_owner_alone(libraries: Breaches, library: str) -> None:
    others = {"dockless", *(module(room) for room in rooms() - {OWNERS[library]})}
    assert libraries[owner_contract(library)] == {(importing, library) for importing in others}


def test_what_images_are_made_of_needs_no_library(libraries: Breaches) -> None:
    assert libraries[PURE_CONTRACT] >= {
        (module(room), library) for room in PURE for library in OWNERS
    }


@pytest.fixture(scope="module")
def floors(tmp_path_factory: pytest.TempPathFactory) -> Breaches:
    """What contracts say where every room imports every other one."""
    imports = {
        module(room): [module(other) for other in rooms() - {room, "__main__"}] for room in rooms()
    }
    return broken(tmp_path_factory.mktemp("floors"), imports)


def test_no_room_imports_what_is_above_it(floors: Breaches) -> None:
    upward = {
        (low, high)
        for position, floor in enumerate(FLOORS)
        for low, above in itertools.product(floor, FLOORS[1:position])
        for high in above
    }
    assert len({low for low, _ in upward}) == sum(map(len, FLOORS[2:]))
    assert upward <= _rooms_of(floors[FLOORS_CONTRACT])


def test_adapters_do_not_import_one_another(floors: Breaches) -> None:
    beside = set(itertools.permutations(FLOORS[5], 2))
    assert beside <= _rooms_of(floors[FLOORS_CONTRACT])


def test_what_may_be_imported_is_not_complained_of(floors: Breaches) -> None:
    where = {room: position for position, floor in enumerate(FLOORS) for room in floor}
    assert not {(a, b) for a, b in _rooms_of(floors[FLOORS_CONTRACT]) if where[a] < where[b]}


def test_use_cases_import_no_adapter(floors: Breaches) -> None:
    wanted = {(module("usecases"), module(adapter)) for adapter in ADAPTERS}
    assert wanted <= floors[USE_CASES_CONTRACT]


def test_a_room_that_is_in_no_floor_is_named(tmp_path: Path) -> None:
    copy = tmp_path / "src" / "dockless"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(CHECKOUT / "pyproject.toml", tmp_path / "pyproject.toml")
    (copy / "attic").mkdir()
    (copy / "attic" / "__init__.py").write_text('"""What is in no floor."""\n')
    (copy / "loose.py").write_text('"""A module that is in none."""\n')
    unknown = {("", "dockless.attic"), ("", "dockless.loose")}
    assert breaches(tmp_path) == {FLOORS_CONTRACT: unknown}


def test_every_room_stands_in_one_floor() -> None:
    assert rooms() == set().union(*FLOORS)
    assert len(rooms()) == sum(map(len, FLOORS))


def test_every_dependency_has_an_owner() -> None:
    """A new dependency gets a contract, or stands in `ANYWHERE`."""
    names = {
        re.split(r"[^\w-]", each, maxsplit=1)[0] for each in SETTINGS["project"]["dependencies"]
    }
    imported = {IMPORTED_AS.get(name, name) for name in names}
    assert imported == (set(OWNERS) | set(ANYWHERE)) - {"subprocess", "jeepney"}


def test_every_contract_is_broken_here() -> None:
    """A new contract gets a test that breaks it."""
    contracts = [each["name"] for each in SETTINGS["tool"]["importlinter"]["contracts"]]
    known = [FLOORS_CONTRACT, USE_CASES_CONTRACT, PURE_CONTRACT, *map(owner_contract, OWNERS)]
    assert sorted(contracts) == sorted(known)


def _rooms_of(pairs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(one.split(".")[1], other.split(".")[1]) for one, other in pairs}
