"""No program that dockless starts sees its settings and secrets: few places start one.

Looked for in the syntax trees of all modules; see also `child_environment`.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dockless

SOURCE = Path(dockless.__file__).parent
# each with the argument that has the environment
DOORS = {
    ("processes/children.py", "subprocess.Popen"): ("env", "child_environment"),
    ("engines/shell.py", "sh.Command"): ("_env", ""),
}
STARTS = re.compile(
    r"(subprocess\.(Popen|run|call|check_call|check_output|getoutput|getstatusoutput)"
    r"|os\.(system|popen|fork|forkpty|exec\w+|spawn\w+|posix_spawnp?)|pty\.spawn|sh\.\w+"
    r"|asyncio\.create_subprocess_\w+|(paramiko\.)?ProxyCommand|multiprocessing\.\w+)$"
)


def starts(text: str) -> Iterator[tuple[str, ast.Call, ast.AST | None]]:
    """Yield each call that starts a program, and the call that it is an argument of or calls."""
    tree = ast.parse(text)
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and STARTS.match(ast.unparse(node.func)):
            yield ast.unparse(node.func), node, above.get(node)


def test_every_program_is_started_at_a_door_with_an_environment() -> None:
    seen = set()
    for path in SOURCE.rglob("*.py"):
        name = str(path.relative_to(SOURCE))
        for called, call, above in starts(path.read_text()):
            assert (name, called) in DOORS, f"{name}:{call.lineno} starts a program itself"
            seen.add((name, called))
            keyword, closes = DOORS[name, called]
            given = {
                each.arg: ast.unparse(each.value)
                for each in (call, above)
                if isinstance(each, ast.Call)
                for each in each.keywords
            }
            assert keyword in given, f"{name}:{call.lineno} has no {keyword}="
            assert closes in given[keyword]
    assert seen == set(DOORS)


@pytest.mark.parametrize(
    "line",
    ["subprocess.run(a, env=b)", "os.system(x)", "sh.ls()", "os.posix_spawn(a)", "os.execve(a)",
     "paramiko.ProxyCommand(x)"],
)  # fmt: skip
def test_each_way_to_start_a_program_is_seen(line: str) -> None:
    assert [called for called, _, _ in starts(f"def f():\n    return {line}\n")]
