from pathlib import Path

import pytest

from dockless.engines.names import refuses_repository
from dockless.oci.reference import Repository

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}
ONE_LETTER = Repository("registry.example.com", "a")
SOURCE = "could not parse reference: registry.example.com/a"


def program(tmp_path: Path, script: str) -> Path:
    path = tmp_path / "crane"
    path.write_text(f'#!/bin/sh\necho "$*" > {tmp_path / "asked"}\n{script}\n')
    path.chmod(0o755)
    return path


def test_an_engine_that_stumbles_over_the_repository_refuses_it(tmp_path: Path) -> None:
    words = f'Error: parsing reference "registry.example.com/a": {SOURCE}'
    path = program(tmp_path, f"echo '{words}' >&2; exit 1")
    assert refuses_repository("crane", path, ONE_LETTER, ENVIRONMENT) == (
        "crane accepts no repository path of one character: "
        f'parsing reference "registry.example.com/a": {SOURCE}.'
    )
    assert (tmp_path / "asked").read_text() == "copy registry.example.com/a !\n"


@pytest.mark.parametrize(
    ("name", "script"),
    [
        ("crane", """echo 'Error: parsing reference for "!": could not parse: !' >&2; exit 1"""),
        ("skopeo", "echo 'Invalid destination name docker://!: invalid format' >&2; exit 1"),
        ("crane", "echo 'Error: unknown command' >&2; exit 1"),
        ("crane", "exit 0"),
        ("crane", "kill -KILL $$"),
    ],
)
def test_an_engine_that_says_nothing_of_the_repository_does_not_refuse_it(
    tmp_path: Path, name: str, script: str
) -> None:
    path = program(tmp_path, script)
    assert refuses_repository(name, path, ONE_LETTER, ENVIRONMENT) == ""
    assert (tmp_path / "asked").exists()


def test_an_engine_that_cannot_be_started_does_not_refuse_it(tmp_path: Path) -> None:
    assert refuses_repository("crane", tmp_path / "absent", ONE_LETTER, ENVIRONMENT) == ""


def test_other_names_are_not_asked_about(tmp_path: Path) -> None:
    path = program(tmp_path, "exit 1")
    for name in ("ab", "a/b"):
        longer = Repository("registry.example.com", name)
        assert refuses_repository("crane", path, longer, ENVIRONMENT) == ""
    assert not (tmp_path / "asked").exists()
