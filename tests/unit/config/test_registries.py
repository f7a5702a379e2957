from pathlib import Path

import pytest

from dockless.config import project
from dockless.config.cascade import Flags, Settings, resolve
from dockless.config.docker_config import ProjectSession
from dockless.config.naming import ServerNeeded
from dockless.config.registries import login_target, remembers
from dockless.errors import UsageError


def settings(folder: Path, registry: str | None = None) -> Settings:
    return resolve(Flags(registry=registry), {}, project.read(folder, {}, None))


@pytest.mark.parametrize(
    ("text", "kind", "scope"),
    [
        ("ghcr.io", "ghcr", "ghcr.io"),
        ("https://GHCR.io/", "ghcr", "ghcr.io"),
        ("ghcr.io/ACME", "ghcr", "ghcr.io/acme"),
        ("registry-1.docker.io", "dockerhub", "docker.io"),
        ("https://index.docker.io/v1/", "dockerhub", "docker.io"),
        ("localhost:5000", "private", "localhost:5000"),
        ("[::1]:5000", "private", "[::1]:5000"),
        ("1.dkr.ecr.eu-west-1.amazonaws.com", "ecr", "1.dkr.ecr.eu-west-1.amazonaws.com"),
        ("host.example/a/b", "private", "host.example/a/b"),
    ],
)
def test_a_host_names_kind_and_scope(tmp_path: Path, text: str, kind: str, scope: str) -> None:
    target = login_target(text, settings(tmp_path))
    assert (target.kind.name, target.scope) == (kind, scope)


@pytest.mark.parametrize(
    ("registry", "scope"), [(None, "docker.io"), ("dockerhub", "docker.io"), ("ghcr", "ghcr.io")]
)
def test_without_a_host_the_kind_has_one(tmp_path: Path, registry: str | None, scope: str) -> None:
    assert login_target(None, settings(tmp_path, registry)).scope == scope


def test_without_a_host_the_project_s_registry_is_meant(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/deploy.yml").write_text(
        "service: shop\nimage: acme/shop\nregistry:\n  server: Host.Example:5000\n"
    )
    assert login_target(None, settings(tmp_path)).scope == "host.example:5000"


@pytest.mark.parametrize("registry", ["private", "acr"])
def test_a_server_of_one_s_own_is_asked_for(tmp_path: Path, registry: str) -> None:
    with pytest.raises(ServerNeeded):
        login_target(None, settings(tmp_path, registry))


@pytest.mark.parametrize("registry", ["ecr", "gcr"])
def test_a_server_of_a_cloud_must_be_given(tmp_path: Path, registry: str) -> None:
    with pytest.raises(UsageError, match="dockless login HOST"):
        login_target(None, settings(tmp_path, registry))


def test_kind_and_host_must_agree(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"asks for ghcr, but host\.example is private"):
        login_target("host.example", settings(tmp_path, "ghcr"))
    assert login_target("host.example", settings(tmp_path, "private")).kind.name == "private"


def test_what_the_session_remembers_does_not_stop_a_login_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "docker-config.json").write_text('{"registry": "ghcr", "username": "me"}')
    assert login_target("host.example", settings(tmp_path)).kind.name == "private"


@pytest.mark.parametrize(
    "text",
    ["", "x", "a b.example", "user@host.example", "host.example:p", "h.example/A B", "h.ex?q=1"],
)
def test_what_is_no_host_is_a_usage_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="is not a registry host"):
        login_target(text, settings(tmp_path))


@pytest.mark.parametrize(
    ("session", "host", "expected"),
    [
        (ProjectSession(), "docker.io", False),
        (ProjectSession(registry="dockerhub"), "docker.io", True),
        (ProjectSession(registry="ghcr", image="acme/shop"), "ghcr.io", True),
        (ProjectSession(registry="private", image="Host.Example/shop"), "host.example", True),
        (ProjectSession(registry="private", image="host.example/shop"), "docker.io", False),
        (ProjectSession(registry="nonsense"), "docker.io", False),
        (ProjectSession(registry="private", image="::"), "docker.io", False),
    ],
)
def test_a_session_is_about_one_registry(
    session: ProjectSession, host: str, *, expected: bool
) -> None:
    assert remembers(session, host) is expected


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("myregistry", "myregistry.azurecr.io"),
        ("https://Acme01", "acme01.azurecr.io"),
        ("team-x7f2/web", "team-x7f2.azurecr.io/web"),
        ("myregistry.azurecr.us", "myregistry.azurecr.us"),
    ],
)
def test_the_short_name_of_an_acr_registry_is_completed(
    tmp_path: Path, text: str, scope: str
) -> None:
    assert login_target(text, settings(tmp_path, "acr")).scope == scope
    if "." not in text:
        with pytest.raises(UsageError, match="not a registry host"):
            login_target(text, settings(tmp_path, "private"))
