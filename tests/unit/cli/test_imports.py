"""What a warm push is made of is imports; these are the ones that it must not pay for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_LATE = {"sh", "asyncio", "isal", "zstandard", "yaml", "rich", "paramiko", "tenacity", "urllib3"}
_PROGRAM = """
import json, sys
from dockless.cli.main import main
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]), file=sys.stderr)
"""


def modules(project: Path, *arguments: str) -> set[str]:
    """Return the modules that a command line has imported at its end."""
    done = subprocess.run(
        (sys.executable, "-c", _PROGRAM, *arguments),
        cwd=project,
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        check=True,
        timeout=60,
    )
    code, names = json.loads(done.stderr.splitlines()[-1])
    assert code == 0, done.stderr.decode()
    return set(names)


@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("push", "--help"), ("push", "--explain", "--username", "me")],
    ids=" ".join,
)
def test_what_only_a_longer_push_needs_is_not_imported(
    project: Path, arguments: tuple[str, ...]
) -> None:
    names = modules(project, *arguments)
    assert "click" in names
    assert {name.partition(".")[0] for name in names} & _LATE == set()


def test_yaml_is_imported_for_a_file_that_is_yaml(project: Path) -> None:
    (project / "config").mkdir()
    (project / "config/deploy.yml").write_text("image: acme/shop\n")
    assert "yaml" in modules(project, "push", "--explain")
