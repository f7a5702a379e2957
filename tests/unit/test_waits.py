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
    "storage/compression.py:_append:part.result": "compressing a block",
    "storage/compression.py:_wait:written.result": "writing a file",
    "storage/locks.py:_wait_for:fcntl.flock": "a signal; other threads than the main one's are "
    "daemons; with --timeout it has a limit",
    "storage/staged_blobs.py:settle:self._settler.submit(_nothing).result": "closing files",
    "usecases/push/streaming.py:_run:self._decided.wait": "a daemon; set when the push ends",
    "processes/program_socket.py:close:self._child.wait": "the child was killed before",
    "retry.py:announce:state.outcome.exception": "asked when it has ended",
    "retry.py:wait:state.outcome.exception": "asked when it has ended",
    "sources/ahead.py:fill:self._news.wait_for": "a daemon; told when whoever reads ends",
    "concurrency.py:map_concurrently:answer.result": "the main thread, or a daemon",
    "concurrency.py:map_concurrently:wait": "the same; what is begun has limits of its own",
}
"""What has no limit of its own, as `file:function:call`, and what ends it."""

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
