import os
import re
import subprocess
import sys
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from dockless.config import project
from dockless.config.cascade import Flags
from dockless.config.setting import Setting
from dockless.config.usable_settings import usable_settings
from dockless.errors import DocklessError, UsageError
from dockless.model.server import Server

FILES = {
    "config/deploy.yml": ("name: My_App\n", Setting("My_App", "config/deploy.yml:1")),
    "box.json": ('{"slug": "a_Slug", "name": "x"}', Setting("a_Slug", "box.json")),
    "pyproject.toml": ('[project]\nname = "Py Shop"\n', Setting("py-shop", "pyproject.toml")),
    "package.json": ('{"name": "@acme/shop"}', Setting("acme-shop", "package.json")),
}


def test_name_comes_from_the_first_file_that_has_one(tmp_path: Path) -> None:
    folder = tmp_path / "The Folder"
    (folder / "config").mkdir(parents=True)
    assert project.read(folder, {}, None).name() == Setting("the-folder", "folder name")
    for name, (text, setting) in reversed(FILES.items()):
        (folder / name).write_text(text)
        assert project.read(folder, {}, None).name() == setting


def test_name_of_box_is_slugified_when_it_has_no_slug(tmp_path: Path) -> None:
    (tmp_path / "box.json").write_text('{"slug": "", "name": "My Shop!"}')
    assert project.read(tmp_path, {}, None).name() == Setting("my-shop", "box.json")


def test_name_without_a_letter_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "box.json").write_text('{"name": "!!!"}')
    (tmp_path / "package.json").write_text('{"name": "shop"}')
    assert project.read(tmp_path, {}, None).name() == Setting("shop", "package.json")


def test_folder_without_a_name_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "___"
    folder.mkdir()
    with pytest.raises(UsageError, match="has a name that is not valid for an image"):
        project.read(folder, {}, None).name()


@pytest.mark.parametrize("name", ["box.json", "package.json", "pyproject.toml"])
def test_file_that_does_not_parse_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{")
    with pytest.raises(UsageError, match=re.escape(name)):
        project.read(tmp_path, {}, None).name()


def test_files_that_are_not_needed_are_not_read(tmp_path: Path) -> None:
    for name in ("box.json", "compose.yaml", "deploy-servers.txt", "pyproject.toml"):
        (tmp_path / name).write_text("[")
    project.read(tmp_path, {}, None)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("My Shop", "my-shop"),
        ("--a--b--", "a--b"),
        ("a_._b", "a-b"),
        ("Ünïcode", "n-code"),
        ("", ""),
        ("a1", "a1"),
    ],
)
def test_slug(text: str, slug: str) -> None:
    assert project.slug(text) == slug


@given(st.text())
def test_slug_is_an_image_name_and_stays_as_it_is(text: str) -> None:
    slug = project.slug(text)
    assert re.fullmatch(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)?", slug)
    assert project.slug(slug) == slug


def test_servers_of_the_deploy_file_come_first(tmp_path: Path) -> None:
    (tmp_path / "deploy-servers.txt").write_text("b u\n")
    assert project.read(tmp_path, {}, None).servers().origin == "deploy-servers.txt"
    (tmp_path / "config").mkdir()
    (tmp_path / "config/deploy.yml").write_text("servers:\n- host: a\n  user: u\n")
    assert project.read(tmp_path, {}, None).servers().value == (Server(address="a", user="u"),)


def test_no_servers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No servers are configured"):
        project.read(tmp_path, {}, None).servers()


def test_only_kamal_has_a_version(tmp_path: Path) -> None:
    environment = {"VERSION": "v7"}
    (tmp_path / "config").mkdir()
    (tmp_path / "config/deploy.yml").write_text("name: a\n")
    assert project.read(tmp_path, environment, None).version() is None
    (tmp_path / "config/deploy.yml").write_text("service: a\n")
    assert project.read(tmp_path, environment, None).version() == Setting("v7", "VERSION")


@pytest.mark.parametrize("required", [True, False])
def test_a_project_that_requires_a_destination_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, required: bool
) -> None:
    (tmp_path / "config").mkdir()
    text = f"service: a\nrequire_destination: {str(required).lower()}\n"
    (tmp_path / "config/deploy.yml").write_text(text)
    (tmp_path / "config/deploy.live.yml").write_text("image: b\n")
    monkeypatch.chdir(tmp_path)
    assert project.deployed_project({}, "live").deploy.image
    assert project.project_here({}, None).deploy.image is None  # for a login
    if required:
        with pytest.raises(UsageError, match=r"in config/deploy\.yml:2 is set"):
            project.deployed_project({}, None)
    else:
        assert project.deployed_project({}, None).deploy.image is None


def test_environment_is_not_shown(tmp_path: Path) -> None:
    found = project.read(tmp_path, {"DOCKLESS_PASSWORD": "hunter2"}, None)
    assert "hunter2" not in repr(found)


def test_room_is_entered_without_loading_yaml_or_tomllib() -> None:
    script = """if True:
        import sys
        from pathlib import Path
        from dockless.config import cascade, naming, project
        folder = Path("/nowhere-at-all")
        cascade.resolve(cascade.Flags(), {}, project.read(folder, {}, None)).compose_images()
        print(sorted({"yaml", "tomllib"} & set(sys.modules)))
    """
    done = subprocess.run((sys.executable, "-c", script), check=True, capture_output=True)
    assert done.stdout == b"[]\n"


def test_a_folder_that_is_gone_or_cannot_be_read_has_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/deploy.yml").write_text("name: shop\n")
    assert project.project_in(tmp_path, {}).name().value == "shop"
    assert project.project_in(None, {}).deploy.project is None
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert project.project_in(tmp_path, {}).deploy.project is None


@pytest.mark.parametrize(
    ("deploy", "session", "username", "told"),
    [
        ("name: shop\n", '{"username": "me"}', "me", ""),
        ("name: [shop\n", '{"username": "me"}', "me", "config/deploy.yml"),
        ("name: [shop\n", "{", "", "config/deploy.yml"),
        ("name: shop\n", "{", "", "docker-config.json"),
    ],
)
def test_a_project_is_usable_without_the_files_that_are_wrong(
    tmp_path: Path, deploy: str, session: str, username: str, told: str
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/deploy.yml").write_text(deploy)
    (tmp_path / "docker-config.json").write_text(session)
    errors: list[DocklessError] = []
    found, _ = usable_settings(Flags(), tmp_path, {}, errors.append)
    assert found.session.username == username
    assert [told in error.what for error in errors] == ([True] if told else [])


@pytest.mark.parametrize(
    ("deploy", "session", "told"),
    [
        ("name: [shop\n", "{}", "config/deploy.yml"),
        ("name: shop\n", "{", "docker-config.json"),
        ("registry: 5\n", "{}", "registry"),
    ],
)
def test_a_project_that_is_needed_has_to_be_right(
    tmp_path: Path, deploy: str, session: str, told: str
) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/deploy.yml").write_text(deploy)
    (tmp_path / "docker-config.json").write_text(session)
    errors: list[DocklessError] = []
    with pytest.raises(UsageError, match=told):
        usable_settings(Flags(), tmp_path, {}, errors.append, needed=True)
    assert errors == []


def test_a_folder_that_is_gone_is_a_project_without_files() -> None:
    errors: list[DocklessError] = []
    assert usable_settings(Flags(), None, {}, errors.append)[0].session.username == ""
    assert errors == []


@pytest.mark.parametrize(
    ("hosts", "numbers", "chosen"),
    [
        ((), None, ["one", "two", "three"]),
        ((), "3,1", ["three", "one"]),
        ((), "2-3", ["two", "three"]),
        (("me@build1", "build2:2222", "me@build1"), None, ["build1", "build2"]),
        (("build1",), "7", ["build1"]),
    ],
)
def test_servers_are_typed_or_chosen_from_the_list(
    tmp_path: Path, hosts: tuple[str, ...], numbers: str | None, chosen: list[str]
) -> None:
    (tmp_path / "deploy-servers.txt").write_text("one me\ntwo me\nthree me\n")
    found = project.read(tmp_path, {}, None).chosen_servers(hosts, numbers)
    assert [server.address for server in found] == chosen


def test_a_server_that_is_not_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--host 'a b' is not"):
        project.read(tmp_path, {}, None).chosen_servers(("a b",), None)
