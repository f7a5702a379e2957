"""docs/api.md: every example is run, in a folder that has the files that it names."""

import re
import shutil
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.registry import Login, Registry

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    program: Dockless,
    own_registry: Registry,
    locked_registry: Registry,
    login: Login,
    old_archive: Path,
    oci_layout: Path,
) -> Path:
    """A folder with the files of the examples, and the environment of a user of their own."""
    made = tmp_path / "work"
    made.mkdir()
    shutil.copy(old_archive, made / "image.tar")
    shutil.copytree(oci_layout, made / "layout")
    shutil.copy(locked_registry.ca_file, made / "ca.crt")
    to = f"{own_registry.host}/mirrored"
    receipt = made / "receipt.json"
    mirrored = program.run("mirror", made / "layout", "--to", to, "--as", "x", "--receipt", receipt)
    assert mirrored.code == 0, mirrored.stderr
    for name, value in program.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REGISTRY_PASSWORD", login.password)
    monkeypatch.chdir(made)
    return made


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(
    folder: Path, own_registry: Registry, locked_registry: Registry, number: int
) -> None:
    assert folder.is_dir()
    code = EXAMPLES[number].replace("registry.example.com", own_registry.host)
    code = code.replace("private.example.com", locked_registry.host)
    exec(compile(code, f"{PAGE}, example {number}", "exec"), {"__name__": "example"})  # noqa: S102 - that is the test


def test_the_page_has_an_example_of_each_function() -> None:
    text = "".join(EXAMPLES)
    for name in ("push", "mirror", "open_image", "verify", "Client", "Client.from_environment"):
        assert f"dockless.{name}(" in text
