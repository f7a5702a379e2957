"""What all tests share: the bed's fixtures, markers by folder, and daemons' logs on failure."""

import os
import signal
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest

from bed.process import tail

pytest_plugins = ["bed.fixtures", "bed.fleet"]

_TESTS = Path(__file__).parent
_MARKED = frozenset({"compat", "contract", "integration", "matrix", "ssh_matrix"})


def pytest_configure() -> None:
    """Let the children of tests end at signals that a shell or nohup has us ignore."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for each in (signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(each, signal.SIG_DFL)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        folder = item.path.relative_to(_TESTS).parts[0]
        if folder in _MARKED:
            item.add_marker(folder)
    if os.environ.get("DOCKLESS_TESTS") != "all" and not any("::" in each for each in config.args):
        _sample(config, items)


def _sample(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep every nth case of each test that is marked `sampled(n)`: `make faults` runs them all."""
    kept: list[pytest.Item] = []
    others: list[pytest.Item] = []
    seen: Counter[str] = Counter()
    for item in items:
        test = item.nodeid.partition("[")[0]
        mark = item.get_closest_marker("sampled")
        chosen = mark is None or seen[test] % mark.args[0] == 0
        seen[test] += 1
        (kept if chosen else others).append(item)
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = kept


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
