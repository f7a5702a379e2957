import json
import os
import stat
from pathlib import Path

import pytest

from dockless.credentials.configure import HelperFile, helper_files, unseen_by_containers
from dockless.errors import UsageError
from dockless.oci.reference import docker_key


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.json"


@pytest.fixture
def file(path: Path) -> HelperFile:
    return HelperFile(path, docker_key)


def test_a_file_that_is_not_there_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "config.json"
    HelperFile(path, docker_key).add("docker.io")
    assert json.loads(path.read_text()) == {
        "credHelpers": {"https://index.docker.io/v1/": "dockless"}
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_everything_else_stays_as_it_was(path: Path, file: HelperFile) -> None:
    text = (
        '{\n\t"zebra": [\n\t\t1\n\t],\n\t"auths": {\n\t\t"a.example": {}\n\t},\n'
        '\t"credHelpers": {\n\t\t"b.example": "vault"\n\t},\n\t"name": "ü"\n}'
    )
    path.write_text(text)
    path.chmod(0o640)
    file.add("c.example")
    assert json.loads(path.read_text())["credHelpers"] == {
        "b.example": "vault",
        "c.example": "dockless",
    }
    assert file.remove("c.example")
    assert path.read_text() == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("indent", ["\t", "  ", "    "])
def test_the_indentation_is_kept(path: Path, file: HelperFile, indent: str) -> None:
    path.write_text(json.dumps({"a": {"b": 1}}, indent=indent))
    file.add("c.example")
    expected = {"a": {"b": 1}, "credHelpers": {"c.example": "dockless"}}
    assert path.read_text() == json.dumps(expected, indent=indent)


def test_a_link_stays_a_link(tmp_path: Path, path: Path, file: HelperFile) -> None:
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    path.symlink_to(real)
    file.add("c.example")
    assert path.is_symlink()
    assert json.loads(real.read_text())["credHelpers"] == {"c.example": "dockless"}


def test_no_empty_member_is_left(path: Path, file: HelperFile) -> None:
    path.write_text("{}")
    file.add("c.example")
    assert file.remove("c.example")
    assert json.loads(path.read_text()) == {}
    assert not file.remove("c.example")


def test_another_helper_is_not_replaced_and_not_removed(path: Path, file: HelperFile) -> None:
    text = json.dumps({"credHelpers": {"c.example": "vault"}})
    path.write_text(text)
    with pytest.raises(
        UsageError, match=r"already names the credential helper 'vault' for c\.example"
    ):
        file.add("c.example")
    assert not file.remove("c.example")
    assert path.read_text() == text


def test_a_password_that_is_there_already_is_told_of(path: Path, file: HelperFile) -> None:
    path.write_text(json.dumps({"auths": {"c.example": {"auth": "c2VjcmV0"}, "d.example": {}}}))
    warning = file.add("c.example")
    assert "older password for c.example" in warning
    assert "c2VjcmV0" not in warning
    assert file.add("d.example") == ""


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"credHelpers": []}', "[" * 100000])
def test_a_file_that_does_not_parse_is_left_alone(path: Path, file: HelperFile, text: str) -> None:
    path.write_text(text)
    with pytest.raises(UsageError, match="is not a file of registry logins"):
        file.add("c.example")
    assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_in_the_way_is_an_error(path: Path, file: HelperFile) -> None:
    path.mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        file.add("c.example")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"credHelpers":5}', "is not a file of registry logins"),
        ('{"credHelpers":["x"]}', "is not a file of registry logins"),
        ("no JSON", "is not a file of registry logins"),
        ('{"credHelpers":{"c.example":"vault"}}', "already names the credential helper 'vault'"),
    ],
)
def test_a_file_is_checked_before_it_is_written(
    path: Path, file: HelperFile, text: str, said: str
) -> None:
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        file.check("c.example")
    assert path.read_text() == text


@pytest.mark.parametrize("text", [None, "", "{}", '{"credHelpers":{"c.example":"dockless"}}'])
def test_a_check_writes_nothing(path: Path, file: HelperFile, text: str | None) -> None:
    if text is not None:
        path.write_text(text)
    file.check("c.example")
    assert (path.read_text() if path.exists() else None) == text
    HelperFile(path.parent / "new" / "folder" / "config.json", docker_key).check("c.example")
    assert not (path.parent / "new").exists()


@pytest.mark.parametrize("name", ["config.json", "new/config.json", "new/folder/config.json"])
def test_a_folder_that_is_read_only_is_found_out_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked: list[Path] = []

    def refuse(path: Path, _: int) -> bool:
        asked.append(path)
        return False

    monkeypatch.setattr(os, "access", refuse)  # root may write anywhere
    with pytest.raises(UsageError, match="no write permission in") as caught:
        HelperFile(tmp_path / name, docker_key).check("c.example")
    assert "--configure-docker" in caught.value.remedy
    assert asked == [tmp_path]


@pytest.mark.parametrize("value", ["\\ud800", "ü", "日本"])
def test_a_file_is_utf_8_whatever_is_in_it(path: Path, file: HelperFile, value: str) -> None:
    path.write_bytes(f'{{"HttpHeaders":{{"X":"{value}"}}}}'.encode())
    file.add("c.example")
    assert json.loads(path.read_bytes())["HttpHeaders"] == {"X": json.loads(f'"{value}"')}


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["config.json", "auth.json"]),
        ({"docker": False}, ["auth.json"]),
        ({"containers": False}, ["config.json"]),
    ],
)
def test_the_files_of_the_tools_that_are_wanted(
    tmp_path: Path, wanted: dict[str, bool], names: list[str]
) -> None:
    environment = {"HOME": str(tmp_path)}
    found = helper_files(environment, tmp_path, **wanted)
    assert [each.path.name for each in found] == names


@pytest.mark.parametrize(
    ("choice", "root", "words"),
    [
        ("secret-service", False, "cannot use a login in the Secret Service"),
        ("file", False, "only where DOCKLESS_KEYRING and DOCKLESS_KEYRING_PASSWORD are set"),
        ("kernel", False, ""),
        ("kernel-user", False, ""),
        ("macos", False, ""),
        ("secret-service", True, ""),
        ("file", True, ""),
    ],
)
def test_a_keyring_that_rootless_tools_do_not_see_is_warned_of(
    choice: str, words: str, *, root: bool
) -> None:
    said = unseen_by_containers(choice, root=root)
    assert (words in said) if words else not said
    assert ("--keyring kernel" in said) == bool(words)
