"""Every wait of the source: it has a limit, or stands here with what ends it.

What waits without a limit in another thread than the main one is deaf to signals, and to the time
that `--timeout` gives.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dockless
from bed.syntax import trees

SOURCE = Path(dockless.__file__).parent

ENDED = {
    "diagnosis/keyring.py:tried:trying.result": "asked when it has ended",
    "diagnosis/page.py:_looked:future.result": "asked when it has ended",
    "storage/locks.py:_wait_for:fcntl.flock": "a signal; other threads than the main one's are "
    "daemons; with --timeout it has a limit",
    "usecases/push/streaming.py:_run:self._decided.wait": "a daemon; set when the push ends",
    "retry.py:announce:state.outcome.exception": "asked when it has ended",
    "retry.py:wait:state.outcome.exception": "asked when it has ended",
    "threads.py:_work:self._waiting.get": "a daemon; told when the pool is closed",
}
"""What has no limit of its own, as `file:function:call`, and what ends it."""

THREADS = {
    "Thread",
    "Timer",
    "ThreadPoolExecutor",
    "ThreadPool",
    "ThreadingMixIn",
    "ThreadingHTTPServer",
    "start_new_thread",
    "igzip_threaded",
    "to_thread",
}
"""What starts threads, in place of `dockless.threads`: `Thread.start` waits for the thread's first
step, for ever where there is no memory for it, and so does whatever is made of it."""

_ALWAYS = {"wait", "join", "get", "result", "exception", "acquire", "communicate"}


def _is_unbounded(call: ast.Call) -> bool:
    """Whether a call may wait for ever."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if isinstance(call.func, ast.Name) and call.func.id == "wait":  # concurrent.futures.wait
        return len(call.args) < 2 and not call.keywords
    if name == "wait_for":
        return len(call.args) < 2 and not call.keywords
    if name == "flock":
        return "LOCK_NB" not in ast.unparse(call) and "LOCK_UN" not in ast.unparse(call)
    return name in _ALWAYS and not call.args and not call.keywords


def _calls(node: ast.AST, function: str) -> Iterator[tuple[str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inside = child.name if isinstance(child, ast.FunctionDef) else function
        if isinstance(child, ast.Call):
            yield inside, child
        yield from _calls(child, inside)


def _waits(source: Path) -> set[str]:
    return {
        f"{path}:{function}:{ast.unparse(call.func)}"
        for path, tree in trees(source)
        for function, call in _calls(tree, "")
        if _is_unbounded(call)
    }


def test_every_wait_without_a_limit_is_known_with_what_ends_it() -> None:
    assert _waits(SOURCE) == set(ENDED)


@pytest.mark.parametrize(
    "call",
    [
        "thread.join()",
        "lock.acquire()",
        "fcntl.flock(file, fcntl.LOCK_EX)",
        "queue.get()",
        "future.result()",
        "event.wait()",
        "news.wait_for(lambda: done)",
        "child.communicate()",
    ],
)
def test_a_wait_without_a_limit_is_found(tmp_path: Path, call: str) -> None:
    (tmp_path / "new.py").write_text(f"def step():\n    if not {call}:\n        raise OSError\n")
    assert _waits(tmp_path) == {f"new.py:step:{call.partition('(')[0]}"}


@pytest.mark.parametrize(
    "call",
    [
        "thread.join(5)",
        "lock.acquire(timeout=1)",
        "fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)",
        "queue.get(timeout=1)",
        "event.wait(1)",
        "news.wait_for(lambda: done, 5)",
        "', '.join(names)",
        "names.get('a')",
    ],
)
def test_what_has_a_limit_or_does_not_wait_is_left_alone(tmp_path: Path, call: str) -> None:
    (tmp_path / "new.py").write_text(f"def step():\n    {call}\n")
    assert not _waits(tmp_path)


def _threads(source: Path) -> set[str]:
    """Return who names something that starts threads, as `file:name`."""
    return {
        f"{path.relative_to(source).as_posix()}:{name}"
        for path in source.rglob("*.py")
        for name in _names(ast.parse(path.read_text()))
        if name in THREADS
    }


def _names(tree: ast.Module) -> Iterator[str]:
    ours = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module == "dockless.threads"
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name) and node.id not in ours:
            yield node.id
        elif isinstance(node, ast.ImportFrom) and node.module != "dockless.threads":
            yield from (alias.name for alias in node.names)


def test_threads_are_started_in_one_place() -> None:
    assert _threads(SOURCE) == {"threads.py:start_new_thread"}


@pytest.mark.parametrize(
    "line",
    [
        "from threading import Thread",
        "threading.Thread(target=step).start()",
        "threading.Timer(1, step).start()",
        "from concurrent.futures import ThreadPoolExecutor",
        "from multiprocessing.pool import ThreadPool",
        "from isal import igzip_threaded",
    ],
)
def test_a_thread_that_is_started_elsewhere_is_found(tmp_path: Path, line: str) -> None:
    (tmp_path / "new.py").write_text(f"{line}\n")
    assert _threads(tmp_path)
    (tmp_path / "new.py").write_text("from dockless.threads import ThreadPool\nThreadPool(1)\n")
    assert not _threads(tmp_path)
