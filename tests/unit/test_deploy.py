"""What is meant to be deployed is what the clusters take, and what the command line has."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from dockless.cli.mirror import mirror

_FILE = Path(__file__).parents[2] / "deploy" / "kubernetes" / "mirror.yaml"


@pytest.fixture
def objects() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(_FILE.read_text()))


@pytest.mark.parametrize("version", ["1.31", "1.33"])
def test_every_object_follows_the_schemas_of_kubernetes(
    objects: list[dict[str, Any]], version: str
) -> None:
    for each in objects:
        kubernetes_validate.validate(each, version, strict=True)


def test_a_mistake_would_be_found(objects: list[dict[str, Any]]) -> None:
    objects[-1]["spec"]["completionMod"] = "Indexed"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(objects[-1], "1.31", strict=True)


def test_the_options_are_those_of_the_command(objects: list[dict[str, Any]]) -> None:
    (container,) = objects[-1]["spec"]["template"]["spec"]["containers"]
    command = container["command"]
    assert command[:2] == ["dockless", "mirror"]
    known = {option for parameter in mirror.params for option in parameter.opts}
    assert {word for word in command if word.startswith("--")} <= known


def test_the_number_of_parts_is_the_same_everywhere(objects: list[dict[str, Any]]) -> None:
    spec = objects[-1]["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    (parts,) = re.findall(r"auto/(\d+)", " ".join(container["command"]))
    assert spec["completions"] == int(parts)
