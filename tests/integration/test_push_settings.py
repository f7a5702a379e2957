"""Where a push goes: options, environment and files, as `--explain` tells and as a push obeys."""

import json
from pathlib import Path

import pytest

from bed.dockless import Dockless, dockless
from bed.failures import complaint
from bed.registry import Registry

pytestmark = pytest.mark.sampled(5)

WHEELS = """
name: shop
image: {host}/wheels/shop:v7
servers:
  - host: 192.168.1.10
    user: ubuntu
  - host: 192.168.1.11
    user: ubuntu
"""
KAMAL = """
service: shop
image: kamal/shop
registry:
  server: {host}
  username: deployer
servers:
  web: [192.168.1.10]
"""
SESSION = {"registry": "ghcr", "username": "me", "image": "", "namespace": "Session-Team"}

Row = tuple[str, str]


def explained(program: Dockless, *options: str) -> dict[str, list[Row]]:
    """Return what `--explain` says, from a process without any network: value and origin."""
    alone = Dockless(program.folder, program.extra, ("unshare", "--net", *program.before))
    result = alone.run("push", *options, "--explain")
    assert (result.code, result.stderr) == (0, "")
    header, *lines = result.stdout.splitlines()
    starts = [header.index(title) for title in ("SETTING", "VALUE", "FROM")]
    rows: dict[str, list[Row]] = {}
    for line in lines:
        name, value, origin = (
            line[start:end].strip() for start, end in zip(starts, (*starts[1:], None), strict=True)
        )
        rows.setdefault(name, []).append((value, origin))
    return rows


def write(program: Dockless, name: str, text: str) -> None:
    path = program.project / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


@pytest.fixture
def alone(tmp_path: Path) -> Dockless:
    """A project of its own, where no daemon can be reached."""
    return dockless(tmp_path / "dockless", PATH="/usr/bin:/bin", DOCKER_HOST="tcp://127.0.0.1:1")


def test_a_wheels_file_names_project_image_and_tag(alone: Dockless) -> None:
    write(alone, "config/deploy.yml", WHEELS.format(host="registry.example"))
    rows = explained(alone)
    assert rows["project"] == [("shop", "config/deploy.yml:2")]
    assert rows["image"] == [("registry.example/wheels/shop:v7", "config/deploy.yml:3")]
    assert rows["tag"] == [("v7", "config/deploy.yml:3")]
    assert rows["kind"] == [("private", "host of config/deploy.yml:3")]
    assert rows["target"] == [("registry.example/wheels/shop:v7", "config/deploy.yml:3")]


def test_a_kamal_file_names_server_username_and_version(tmp_path: Path) -> None:
    program = dockless(tmp_path / "dockless", VERSION="abc123")
    write(program, "config/deploy.yml", KAMAL.format(host="registry.example"))
    rows = explained(program)
    assert rows["server"] == [("registry.example", "config/deploy.yml:5")]
    assert rows["username"] == [("deployer", "config/deploy.yml:6")]
    assert rows["tag"] == [("abc123", "VERSION")]
    assert rows["target"] == [("registry.example/kamal/shop:abc123", "config/deploy.yml:3")]


def test_a_session_names_kind_username_and_namespace(alone: Dockless) -> None:
    write(alone, "docker-config.json", json.dumps(SESSION))
    rows = explained(alone)
    assert rows["registry"] == [("ghcr", "docker-config.json")]
    assert rows["username"] == [("me", "docker-config.json")]
    assert rows["namespace"] == [("Session-Team", "docker-config.json")]
    assert rows["target"] == [("ghcr.io/session-team/project:latest", "folder name")]


def test_each_level_beats_the_ones_below_it(tmp_path: Path) -> None:
    files = {
        "docker-config.json": json.dumps(SESSION | {"image": "session.example/app:s"}),
        "config/deploy.yml": "service: shop\nimage: deploy.example/app\nregistry:\n"
        "  server: deploy.example\n  username: deployer\n",
    }
    variables = {
        "DOCKLESS_IMAGE": "variable.example/app",
        "DOCKLESS_USERNAME": "variable",
        "DOCKLESS_TAG": "v1,v2",
        "VERSION": "version",
    }
    options = ("--image", "option.example/app", "--username", "option", "--tag", "t")
    bottom, lower, upper = (dockless(tmp_path / name) for name in ("bottom", "lower", "upper"))
    write(bottom, "docker-config.json", files["docker-config.json"])
    for program in (lower, upper):
        for name, text in files.items():
            write(program, name, text)
    lower = Dockless(lower.folder, {"VERSION": "version"})
    upper = Dockless(upper.folder, variables)

    found = [explained(bottom, "--registry", "private"), explained(lower), explained(upper)]
    found.append(explained(upper, *options))

    assert [[value for value, _ in rows["target"]] for rows in found] == [
        ["session.example/app:s"],
        ["deploy.example/app:version"],
        ["variable.example/app:v1", "variable.example/app:v2"],
        ["option.example/app:t"],
    ]
    assert [rows["username"] for rows in found] == [
        [("me", "docker-config.json")],
        [("deployer", "config/deploy.yml:5")],
        [("variable", "DOCKLESS_USERNAME")],
        [("option", "--username")],
    ]
    assert [rows["tag"][0][1] for rows in found] == [
        "docker-config.json",
        "VERSION",
        "DOCKLESS_TAG",
        "--tag",
    ]


def test_explain_tells_the_local_images_that_would_be_looked_for(alone: Dockless) -> None:
    write(alone, "config/deploy.yml", "name: shop\nimage: local/app:v3\n")
    write(alone, "compose.yaml", "services:\n  web:\n    build: .\n    image: composed:1\n")
    rows = explained(alone, "--image", "r.example/app", "--tag", "v3")
    assert [value for value, _ in rows["source"]] == ["r.example/app:v3", "app:v3"]
    rows = explained(alone, "--registry", "ghcr", "--namespace", "acme", "--tag", "v4")
    assert [value for value, _ in rows["source"]] == ["shop:v4", "shop:latest"]
    rows = explained(alone, "--image", "r.example/app", "--tag", "81", "--tag", "82")
    assert [value for value, _ in rows["source"]] == [
        "r.example/app:81",
        "app:81",
        "r.example/app:82",
        "app:82",
    ]
    rows = explained(alone, "--registry", "ghcr", "--namespace", "acme")
    assert [value for value, _ in rows["source"]] == [
        "ghcr.io/acme/app:v3",
        "shop:v3",
        "local/app:v3",
        "shop:latest",
        "composed:1",
    ]
    write(alone, "compose.yaml", "services:\n  db:\n    image: postgres:15\n")
    rows = explained(alone, "--registry", "ghcr", "--namespace", "acme")
    assert "postgres:15" not in [value for value, _ in rows["source"]]


@pytest.mark.parametrize(
    ("text", "name"),
    [(WHEELS, "wheels/shop:v7"), (KAMAL, "kamal/shop:abc123")],
    ids=["wheels", "kamal"],
)
def test_a_push_obeys_the_file_of_either_dialect(
    tmp_path: Path, registry: Registry, old_archive: Path, text: str, name: str
) -> None:
    program = dockless(tmp_path / "dockless", VERSION="abc123")
    write(program, "config/deploy.yml", text.format(host=registry.host))
    result = program.run("push", old_archive)
    assert result.code == 0, result.stderr
    assert result.stderr.startswith(f"Target: {registry.host}/{name}\n")
    assert result.stdout.startswith(f"{registry.host}/{name.partition(':')[0]}@sha256:")


def test_the_password_in_a_kamal_file_draws_a_warning_and_is_not_shown(alone: Dockless) -> None:
    text = KAMAL.format(host="registry.example") + "  password: hunter2\n"
    write(alone, "config/deploy.yml", text.replace("servers:\n  web: [192.168.1.10]\n", ""))
    result = alone.run("push", "--explain", "--tag", "v1")
    assert result.code == 0
    assert "Warning: config/deploy.yml:7 holds the registry's password" in result.stderr
    assert "hunter2" not in result.stdout + result.stderr


PUBLIC = {
    ("--registry", "dockerhub", "--username", "myuser"): ["docker.io/myuser/shop:latest"],
    ("--registry", "dockerhub", "--username", "myuser", "--tag", "v1.0.0", "--tag", "stable"): [
        "docker.io/myuser/shop:v1.0.0",
        "docker.io/myuser/shop:stable",
    ],
    (
        "--registry",
        "ecr",
        "--image",
        "123456789.dkr.ecr.us-east-1.amazonaws.com/myapp:latest",
    ): ["123456789.dkr.ecr.us-east-1.amazonaws.com/myapp:latest"],
    ("--registry", "private", "--image", "10.0.0.5:5000/team/shop", "--tag", "v2"): [
        "10.0.0.5:5000/team/shop:v2"
    ],
}


@pytest.mark.parametrize(("options", "targets"), PUBLIC.items())
def test_the_documented_targets(
    alone: Dockless, options: tuple[str, ...], targets: list[str]
) -> None:
    write(alone, "config/deploy.yml", "name: shop\n")
    assert [value for value, _ in explained(alone, *options)["target"]] == targets


def test_the_image_of_a_file_takes_the_tag_of_the_command_line(alone: Dockless) -> None:
    write(alone, "config/deploy.yml", "name: shop\nimage: shop:latest\n")
    rows = explained(alone, "--registry", "ghcr", "--namespace", "ACME", "--tag", "v3")
    assert rows["target"] == [("ghcr.io/acme/shop:v3", "config/deploy.yml:2")]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--local", "--remote"), "--local and --remote do not go together"),
        (("--servers", "1"), "--servers needs --remote"),
        (("--remote",), "No servers are configured"),
        (("--remote", "--servers", "1"), "No servers are configured"),
        (("--registry", "ghcr", "--image", "docker.io/acme/shop"), "docker.io"),
        (("--registry", "ecr"), "--image"),
        (("--registry", "gcr"), "--image"),
        (("--registry", "acr"), "`registry.server`"),
        (("--registry", "private"), "`registry.server`"),
        (("--registry", "dockerhub"), "--namespace or --username"),
        (("--registry", "ghcr"), "--namespace or --username"),
        (("--registry", "quay"), "'quay' is not a kind of registry"),
        (("--image", "shop:v1", "--tag", "v2"), "'v1'"),
        (("--image", f"r.example/shop@sha256:{'0' * 64}"), "digest"),
        (("--image", "r.example/Shop"), "r.example/Shop"),
        (("--image", "r.example/shop", "--tag", ""), "--tag"),
        (("--image", "r.example/shop", "--tag", "-v"), "'-v' is not a tag"),
        (("--image", ""), "--image is empty"),
        (("--username", ""), "--username is empty"),
        (("--password", "x", "--password-stdin"), "--password and --password-stdin"),
        (
            ("--build", "image.tar"),
            "--build pushes what it builds from this folder, and not image.tar",
        ),
        (("--all",), "--all needs a SOURCE"),
        (("-", "--password-stdin"), "SOURCE - and --password-stdin"),
        (("--insecure", "--ca-file", "ca.pem"), "--insecure and --ca-file do not go together"),
        (("--destination", "staging"), "config/deploy.yml"),
        (("--destination", "../x"), "'../x'"),
    ],
)
def test_a_contradiction_or_a_gap_is_a_usage_error(
    alone: Dockless, options: tuple[str, ...], said: str
) -> None:
    assert said in complaint(alone.run("push", *options), 2)


def test_explain_tells_the_settings_even_if_they_name_no_target(alone: Dockless) -> None:
    result = alone.run("push", "--registry", "ecr", "--username", "me", "--explain")
    assert result.code == 2
    assert "Error: The host of the ecr registry is not known." in result.stderr
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["registry", "ecr", "--registry"] in rows
    assert ["username", "me", "--username"] in rows
    assert "target" not in [row[0] for row in rows]


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--compression", "brotli"), "'brotli' is not one of"),
        (("--engine", "docker"), "'docker' is not one of"),
        (("--timeout", "soon"), "'soon' is not a duration"),
        (("--retries", "-1"), "-1 is not from 0 to 100"),
        (("--platform", "amd64"), "amd64"),
        (("--tags", "v1"), "dockless push has no option --tags"),
        (("one.tar", "two.tar"), "cannot use the argument two.tar"),
    ],
)
def test_an_option_that_cannot_be_read_is_a_usage_error(
    alone: Dockless, option: tuple[str, ...], said: str
) -> None:
    result = alone.run("push", *option)
    assert (result.code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("config/deploy.yml", "name: [", "config/deploy.yml"),
        ("config/deploy.yml", "name: [shop]\n", "config/deploy.yml:1"),
        ("config/deploy.yml", "name: a\nservice: b\n", "mixes the formats of Wheels and Kamal"),
        ("config/deploy.yml", "name: <%= 1 %>\n", "ERB"),
        ("docker-config.json", "{", "docker-config.json"),
        ("docker-config.json", '{"registry": 1}', "docker-config.json"),
        ("docker-config.json", '{"registry": "quay"}', "docker-config.json: 'quay'"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_usage_error(
    alone: Dockless, name: str, text: str, said: str
) -> None:
    write(alone, name, text)
    assert said in complaint(alone.run("push", "--image", "r.example/shop"), 2)


def test_a_usage_error_is_one_json_document_when_that_is_asked_for(alone: Dockless) -> None:
    result = alone.run("push", "--image", "shop:v1", "--tag", "v2", "--format", "json")
    assert result.code == 2
    error = json.loads(result.stdout)["error"]
    assert (error["kind"], error["exitCode"]) == ("usage", 2)
