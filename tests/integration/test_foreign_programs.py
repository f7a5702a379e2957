"""No program is run that lies in the current folder, or where others may put one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bed import logins
from bed.dockless import Dockless
from bed.failures import complaint
from bed.registry import Registry

_EVIL = "#!/bin/sh\necho ran >>'{mark}'\nexit 1\n"


@pytest.fixture
def mark(program: Dockless) -> Path:
    """What the programs write to that lie in the project's folder under every name that matters."""
    folder, mark = program.project, program.folder / "ran"
    for name in ("crane", "skopeo", "docker", "podman", "ssh", "git", "docker-credential-y/evil",
                 "docker-credential-z"):  # fmt: skip
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(_EVIL.format(mark=mark))
        path.chmod(0o755)
    return mark


@pytest.mark.parametrize("path", ["", ":/usr/bin:/bin", ".", "/usr/bin:/bin:"])
def test_a_push_runs_nothing_of_the_current_folder(
    program: Dockless, registry: Registry, packed: Path, mark: Path, tmp_path: Path, path: str
) -> None:
    empty = {"PATH": path, "DOCKLESS_TOOLS_DIR": str(tmp_path / "none")}
    program = replace(program, extra=empty)
    # the console script names its Python itself
    image = ("--image", f"{registry.host}/foreign/{tmp_path.name}:1")
    done = program.run("push", packed, *image)
    assert done.code == 0, done.stderr
    program.run("tools", "list", "--check")
    program.run("doctor")
    program.run("push", *image)  # which looks for a local image
    assert not mark.exists()


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"credsStore": "y/evil"}, 2),
        ({"credsStore": "../project/docker-credential-z"}, 2),
        ({"credHelpers": {"HOST": "y/evil"}}, 2),
        ({"credsStore": "z"}, 4),
        ({"credHelpers": {"HOST": "z"}}, 4),
    ],
)
def test_a_helper_is_a_program_on_path(
    program: Dockless,
    locked_registry: Registry,
    packed: Path,
    mark: Path,
    settings: dict[str, object],
    code: int,
) -> None:
    text = json.dumps(settings).replace("HOST", locked_registry.host)
    logins.docker_file(program.home, json.loads(text))
    program = replace(program, extra={"PATH": ":/usr/bin:/bin"})
    image = ("--image", f"{locked_registry.host}/foreign/app:1")
    trust = ("--ca-file", locked_registry.ca_file)
    complaint(program.run("push", packed, *image, *trust), code)
    assert not mark.exists()


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o757])
def test_a_tools_folder_that_everybody_may_write_to_gives_no_engine(
    program: Dockless, registry: Registry, packed: Path, mark: Path, tmp_path: Path, mode: int
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (program.project / "crane").rename(tools / "crane")
    tools.chmod(mode)
    extra = {"PATH": "/nonexistent", "DOCKLESS_TOOLS_DIR": str(tools)}
    program = replace(program, extra=extra)
    image = ("--image", f"{registry.host}/foreign/{tmp_path.name}:1")
    said = complaint(program.run("push", packed, *image, "--engine", "crane"), 7)
    assert f"{tools} is writable by everyone" in said
    assert program.run("push", packed, *image).code == 0
    listed = json.loads(program.run("tools", "list", "--format", "json").stdout)["engines"]
    [crane] = [each for each in listed if each["engine"] == "crane"]
    assert (crane["state"], crane["version"]) == ("unusable", "")
    refused = program.run("tools", "install", "--from", tools / "crane", "--sha256", "0" * 64)
    assert "chmod go-w" in complaint(refused, 7)
    assert not mark.exists()


@pytest.mark.parametrize("tools", [".", "./", "../project"])
def test_a_relative_tools_folder_is_a_usage_error(
    program: Dockless, registry: Registry, packed: Path, mark: Path, tools: str
) -> None:
    program = replace(program, extra={"PATH": "/usr/bin:/bin", "DOCKLESS_TOOLS_DIR": tools})
    image = ("--image", f"{registry.host}/foreign/relative:1")
    for argv in (
        ("tools", "list", "--check"),
        ("tools", "path"),
        ("tools", "install"),
        ("doctor",),
        ("push", packed, *image),
        ("push", packed, *image, "--engine", "crane"),
    ):
        said = complaint(program.run(*argv), 2)
        assert f"DOCKLESS_TOOLS_DIR is '{tools}'" in said, argv
    assert not mark.exists()
