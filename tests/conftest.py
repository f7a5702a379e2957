"""What all tests share: the bed's fixtures, markers by folder, and daemons' logs on failure."""

from collections.abc import Generator
from pathlib import Path

import pytest

from bed.process import tail

pytest_plugins = ["bed.fixtures", "bed.fleet"]

_TESTS = Path(__file__).parent
_MARKED = frozenset({"compat", "contract", "integration", "matrix"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(_TESTS).parts[0]
        if folder in _MARKED:
            item.add_marker(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        for name, fixture in item.funcargs.items():
            log = getattr(fixture, "log", None)
            if isinstance(log, Path):
                report.sections.append((f"log of {name}", tail(log)))
    return report
