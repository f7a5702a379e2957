"""`--explain` of every kind of registry: where each command line would push to."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from dockless.errors import UsageError

Run = Callable[..., Result]


def rows(result: Result) -> list[tuple[str, ...]]:
    """Return setting, value and origin of each line."""
    header, *lines = result.stdout.splitlines()
    value, origin = header.index("VALUE"), header.index("FROM")
    return [(line[:value].strip(), line[value:origin].strip(), line[origin:]) for line in lines]


def targets(result: Result) -> list[str]:
    return [value for setting, value, _ in rows(result) if setting == "target"]


ECR = "123456789.dkr.ecr.us-east-1.amazonaws.com/myapp:latest"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("--registry dockerhub --username myuser", ["docker.io/myuser/shop:latest"]),
        (
            "--registry dockerhub --username myuser --tag v1.0.0 --tag stable",
            ["docker.io/myuser/shop:v1.0.0", "docker.io/myuser/shop:stable"],
        ),
        (f"--registry ecr --image {ECR}", [ECR]),
        (
            "--registry private --image 10.0.0.5:5000/team/shop --tag v2",
            ["10.0.0.5:5000/team/shop:v2"],
        ),
    ],
)
def test_the_targets_are_named_in_full(run: Run, given: str, expected: list[str]) -> None:
    result = run("push", "--explain", *given.split())
    assert targets(result) == expected


def test_a_tag_of_a_file_gives_way_and_the_namespace_is_lower_case(run: Run, project: Path) -> None:
    (project / "config").mkdir()
    (project / "config/deploy.yml").write_text("image: shop:latest\n")
    given = ("--registry", "ghcr", "--namespace", "ACME", "--tag", "v3")
    assert targets(run("push", "--explain", *given)) == ["ghcr.io/acme/shop:v3"]


@pytest.mark.parametrize(
    "given",
    [
        "--registry ghcr --image docker.io/acme/shop",
        "--registry ecr",
        "--image shop:v1 --tag v2",
        "--registry acr",
        "--registry private",
        "--registry dockerhub",
        "--registry nowhere",
        "--image Shop",
        "--tag ",
    ],
)
def test_settings_that_name_no_target_are_a_usage_error(run: Run, given: str) -> None:
    result = run("push", "--explain", *given.split(" "))
    assert isinstance(result.exception, UsageError)
    assert result.exception.exit_code == 2
    assert "target" not in [line.split()[0] for line in result.stdout.splitlines()]


def test_every_setting_says_where_it_came_from(
    run: Run, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "docker-config.json").write_text('{"username": "saved", "namespace": "acme"}')
    monkeypatch.setenv("DOCKLESS_REGISTRY", "ghcr")
    shown = rows(run("push", "shop:dev", "--explain", "--tag", "v1"))
    origins = {setting: (value, origin) for setting, value, origin in shown}
    assert origins["registry"] == ("ghcr", "DOCKLESS_REGISTRY")
    assert origins["username"] == ("saved", "docker-config.json")
    assert origins["namespace"] == ("acme", "docker-config.json")
    assert origins["tag"] == ("v1", "--tag")
    assert origins["source"] == ("shop:dev", "SOURCE")
    assert origins["target"][0] == "ghcr.io/acme/shop:v1"


def test_without_a_source_the_local_names_are_listed_in_order(run: Run) -> None:
    shown = rows(run("push", "--explain", "--username", "me", "--tag", "v1"))
    assert [value for setting, value, _ in shown if setting == "source"] == [
        "shop:v1",
        "shop:latest",
    ]


def test_a_password_is_never_a_value(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKLESS_PASSWORD", "hunter2")
    assert "hunter2" not in run("push", "--explain", "--username", "me").output


def test_nothing_is_written_and_nobody_is_asked(run: Run, project: Path, empty_home: Path) -> None:
    result = run("push", "--explain", "--username", "me", "--password", "")
    assert result.exit_code == 0
    assert list(project.iterdir()) == list(empty_home.iterdir()) == []


@pytest.mark.parametrize("key", ["service", "image"])
def test_what_only_ruby_tells_is_said_to_be_so(run: Run, project: Path, key: str) -> None:
    (project / "config").mkdir()
    text = "service: s\nimage: s\n".replace(f"{key}: s", f"{key}: <%= x %>")
    (project / "config/deploy.yml").write_text(text)
    shown = run("push", "--explain", "--image", "ghcr.io/a/b:v1", "x:v1").stdout
    name = "project" if key == "service" else key
    value = "(needs Ruby)" if key == "service" else "ghcr.io/a/b:v1"
    assert re.search(rf"^{name} +{re.escape(value)} ", shown, re.MULTILINE), shown


@pytest.mark.parametrize("more", [(), ("--registry", "private"), ("--registry", "ghcr")])
def test_all_images_are_explained_without_the_target_of_one(
    run: Run, project: Path, more: tuple[str, ...]
) -> None:
    (project / "set.tar").touch()
    done = run("push", "set.tar", "--all", *more, "--explain")
    assert done.exit_code == 0, done.output
    assert re.search(r"^target +by its own name +each image$", done.stdout, re.MULTILINE)
