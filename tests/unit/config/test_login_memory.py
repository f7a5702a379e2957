import errno
import json
import os
from pathlib import Path

import pytest

from dockless.config import docker_config, project
from dockless.config.cascade import Flags, resolve
from dockless.config.login_memory import Memory, forget
from dockless.config.registries import login_target
from dockless.errors import UsageError
from dockless.model import kinds
from dockless.model.login import LoginTarget

HERE = LoginTarget(kinds.PRIVATE, "localhost:5000", "localhost:5000")


def remember(folder: Path, flags: Flags | None = None, *, asked: bool = False) -> str:
    files = project.read(folder, {}, None)
    settings = resolve(flags or Flags(), {}, files)
    memory = Memory(folder, files, asked)
    memory.check(settings, HERE)
    return memory.remember(settings, HERE, "me")


def written(folder: Path) -> dict[str, str] | None:
    path = folder / docker_config.FILE
    return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    return tmp_path / "shop"


@pytest.mark.parametrize(
    "mark",
    ["Dockerfile", "package.json", ".git", "config/deploy.yml", "compose.yaml", "Containerfile"],
)
def test_a_project_remembers_a_login(folder: Path, mark: str) -> None:
    (folder / mark).parent.mkdir(exist_ok=True)
    (folder / mark).write_text("{}")
    said = remember(folder)
    assert str(folder / docker_config.FILE) in said
    assert written(folder) == {
        "registry": "private",
        "username": "me",
        "image": "localhost:5000/shop",
        "namespace": "",
    }


@pytest.mark.parametrize(
    "image", ["other.example/a", "localhost:5001/shop", "ghcr.io/a/b:1", "127.0.0.1:5000/x"]
)
def test_an_image_at_another_registry_than_the_login_is_refused(folder: Path, image: str) -> None:
    with pytest.raises(UsageError, match="and this login is for localhost:5000"):
        remember(folder, Flags(image=image), asked=True)
    assert written(folder) is None


@pytest.mark.parametrize("image", ["localhost:5000/a/b", "LOCALHOST:5000/a", "team/a"])
def test_an_image_at_the_registry_of_the_login_is_remembered(folder: Path, image: str) -> None:
    remember(folder, Flags(image=image), asked=True)
    assert written(folder)


@pytest.mark.parametrize("name", ["shop", "日本", "-"])
def test_a_folder_that_is_no_project_stays_as_it_is(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "notes.txt").touch()
    assert remember(folder) == ""
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_what_is_asked_for_is_written_anywhere(folder: Path) -> None:
    remember(folder, asked=True)
    assert written(folder)


def test_a_project_without_a_usable_name_stops_no_login(tmp_path: Path) -> None:
    folder = tmp_path / "日本"
    folder.mkdir()
    (folder / "Dockerfile").touch()
    said = remember(folder)
    assert said.startswith("Warning: docker-config.json was not written.")
    assert written(folder) is None
    with pytest.raises(UsageError, match="not valid for an image"):  # before anything is kept
        remember(folder, asked=True)
    remember(folder, Flags(image="localhost:5000/web"), asked=True)
    assert written(folder) == {
        "registry": "private",
        "username": "me",
        "image": "localhost:5000/web",
        "namespace": "",
    }


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES])
def test_a_file_that_cannot_be_written_stops_no_login(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    (folder / "Dockerfile").touch()
    (folder / docker_config.FILE).write_text('{"registry":"private"}')

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", fail)
    said = remember(folder)
    monkeypatch.undo()
    assert said == f"Warning: docker-config.json was not written: {os.strerror(code)}."
    assert written(folder) == {"registry": "private"}
    assert sorted(path.name for path in folder.iterdir()) == ["Dockerfile", docker_config.FILE]


def test_what_is_asked_for_and_cannot_be_is_said_before_anything_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(UsageError, match="no write permission there"):
        remember(folder, asked=True)
    files = project.nowhere(folder, {})
    with pytest.raises(UsageError, match="no longer exists"):
        Memory(None, files, asked=True).check(resolve(Flags(), {}, files), HERE)


def test_a_login_without_a_folder_is_none_of_a_project(folder: Path) -> None:
    files = project.nowhere(folder, {})
    settings = resolve(Flags(), {}, files)
    assert Memory(None, files, asked=False).remember(settings, HERE, "me") == ""


@pytest.mark.parametrize(
    ("session_text", "flags", "scope"),
    [
        ('{"registry":"ghcr"}', Flags(image="localhost:5000/x"), "localhost:5000"),
        ('{"registry":"private","image":"a.example/x"}', Flags(registry="ghcr"), "ghcr.io"),
        ('{"registry":"private","image":"a.example/x"}', Flags(image="b.example/y"), "b.example"),
        ('{"registry":"private","image":"a.example/x"}', Flags(), "a.example"),
    ],
)
def test_a_login_goes_where_it_was_told_and_not_where_a_file_says(
    folder: Path, session_text: str, flags: Flags, scope: str
) -> None:
    (folder / docker_config.FILE).write_text(session_text)
    settings = resolve(flags, {}, project.read(folder, {}, None))
    assert login_target(None, settings).scope == scope


@pytest.mark.parametrize(
    "text",
    [
        '{"auths":{"ghcr.io":{"auth":"abc"}},"credHelpers":{"x":"y"}}',
        '{"registry":"private","image":"localhost:5000/shop","credsStore":"pass"}',
        '{"username":"them","targets":[]}',
    ],
)
def test_a_file_of_another_program_stops_no_login_and_stays(folder: Path, text: str) -> None:
    path = folder / docker_config.FILE
    path.write_text(text)
    said = remember(folder)
    assert said.startswith(
        f"Warning: {docker_config.FILE} was not written. {path} is left as it is: "
    )
    assert said.endswith("give --image and --username to pushes from this folder.")
    with pytest.raises(UsageError, match="is left as it is") as caught:  # before anything is kept
        remember(folder, asked=True)
    assert "without --remember, --image and --namespace" in caught.value.remedy
    files = project.read(folder, {}, None)
    warning = forget(folder, files, "localhost:5000")
    assert ("left as it is" in warning) == ('"registry":"private"' in text)
    assert path.read_text() == text


@pytest.mark.parametrize("more", ['"a":1', '"note":"x"', '"targets":[]'])
def test_a_logout_keeps_what_else_a_file_of_ours_has(folder: Path, more: str) -> None:
    path = folder / docker_config.FILE
    path.write_text(f'{{{more},"registry":"private","image":"localhost:5000/shop"}}')
    assert forget(folder, project.read(folder, {}, None), "localhost:5000") == ""
    empty = dict.fromkeys(("registry", "username", "image", "namespace"), "")
    assert json.loads(path.read_text()) == empty | json.loads(f"{{{more}}}")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EIO, errno.ESTALE])
def test_a_folder_that_may_not_be_looked_into_stops_no_login(
    folder: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    files = project.nowhere(folder, {})  # as for config/deploy.yml in a folder of another user

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "stat", fail)
    memory = Memory(folder, files, asked=False)
    said = memory.remember(resolve(Flags(), {}, files), HERE, "me")
    assert said == ""


@pytest.mark.parametrize("namespace", ["A B", "acme//team", "/acme", "acme/", "a$b", "Acme", "ü"])
def test_a_namespace_that_no_push_could_use_is_refused(folder: Path, namespace: str) -> None:
    with pytest.raises(UsageError, match=r"--namespace .* cannot be the beginning"):
        remember(folder, Flags(namespace=namespace), asked=True)
    assert written(folder) is None


@pytest.mark.parametrize("namespace", ["acme", "acme/team", "a-b.c_d"])
def test_a_namespace_is_remembered(folder: Path, namespace: str) -> None:
    remember(folder, Flags(namespace=namespace), asked=True)
    assert (written(folder) or {})["namespace"] == namespace


@pytest.mark.parametrize(
    ("scope", "flags"),
    [
        ("team", Flags(namespace="other")),
        ("team", Flags(namespace="teams")),
        ("acme/a", Flags(namespace="acme")),
        ("acme/a", Flags(namespace="acme/b")),
        ("team", Flags(image="localhost:5000/other/web")),
        ("acme/a", Flags(image="localhost:5000/acme/web")),
    ],
)
def test_a_login_for_a_namespace_is_not_remembered_for_another(
    folder: Path, scope: str, flags: Flags
) -> None:
    files = project.read(folder, {}, None)
    settings = resolve(flags, {}, files)
    target = LoginTarget(kinds.PRIVATE, "localhost:5000", f"localhost:5000/{scope}")
    with pytest.raises(UsageError, match=f"This login is for localhost:5000/{scope} alone"):
        Memory(folder, files, asked=True).check(settings, target)


@pytest.mark.parametrize(
    ("scope", "flags"),
    [
        ("team", Flags(namespace="team")),
        ("team", Flags(namespace="team/sub")),
        ("acme/a", Flags(image="localhost:5000/acme/a/web")),
        ("team", Flags(image="web")),
    ],
)
def test_a_login_for_a_namespace_serves_what_is_below_it(
    folder: Path, scope: str, flags: Flags
) -> None:
    files = project.read(folder, {}, None)
    settings = resolve(flags, {}, files)
    target = LoginTarget(kinds.PRIVATE, "localhost:5000", f"localhost:5000/{scope}")
    Memory(folder, files, asked=True).check(settings, target)


@pytest.mark.parametrize("image", ["localhost:5000/team/web", "localhost:5000/a"])
def test_what_is_recorded_is_said_with_the_name_of_the_image(folder: Path, image: str) -> None:
    said = remember(folder, Flags(image=image), asked=True)
    assert f"the image name {image}," in said
