"""Fixtures of the matrix: registries that start when a cell needs them, and dockless."""

import contextlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bed.dockless import Dockless, dockless
from bed.registry import Login
from matrix.content import Contents, contents
from matrix.fetch import path
from matrix.records import RECORD, keep
from matrix.servers import Access, Server, server
from matrix.versions import Listed

_LONGEST = 200
"""Characters that are kept of what went wrong."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    record = item.stash.get(RECORD, None)
    if record and (report.when == "call" or report.failed):
        did = record.did
        if call.excinfo is not None:
            did = call.excinfo.exconly().splitlines()[0][:_LONGEST]
        keep(replace(record, passed=report.passed, did=did))
    return report


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Contents:
    """What is pushed."""
    return contents(tmp_path_factory.mktemp("contents"))


@pytest.fixture(scope="session")
def servers(
    tmp_path_factory: pytest.TempPathFactory, login: Login
) -> Iterator[Callable[[Listed, Access], Server]]:
    """Return the registry with this access; each is started once."""
    known: dict[tuple[str, Access], Server] = {}
    with contextlib.ExitStack() as stack:

        def start(program: Listed, access: Access) -> Server:
            key = (program.label, access)
            if key not in known:
                folder = tmp_path_factory.mktemp("registry")
                known[key] = stack.enter_context(server(program, access, folder, login))
            return known[key]

        yield start


@pytest.fixture
def only(tmp_path: Path) -> Callable[..., Dockless]:
    """Return dockless with these programs, and no others, on PATH."""

    def build(*programs: Listed, **extra: str) -> Dockless:
        folder = tmp_path / "bin"
        folder.mkdir()
        for program in programs:
            (folder / program.name).symlink_to(path(program))
        tools = tmp_path / "no-tools"
        here = {"PATH": str(folder), "DOCKLESS_TOOLS_DIR": str(tools)}
        return dockless(tmp_path / "dockless", **here, **extra)

    return build
