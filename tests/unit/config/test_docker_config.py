import json
import os
from pathlib import Path

import pytest

from dockless.config import docker_config
from dockless.config.docker_config import ProjectSession
from dockless.errors import UsageError

TEXT = '{"registry":"private","username":"zoë","image":"10.0.0.5:5000/shop","namespace":""}'
SESSION = ProjectSession(registry="private", username="zoë", image="10.0.0.5:5000/shop")


def test_session_is_written_byte_for_byte_as_wheels_does(tmp_path: Path) -> None:
    assert docker_config.write(tmp_path, SESSION).read_bytes() == TEXT.encode()


def test_session_reads_back(tmp_path: Path) -> None:
    docker_config.write(tmp_path, SESSION)
    assert docker_config.read(tmp_path) == SESSION


def test_unknown_and_missing_members_are_fine(tmp_path: Path) -> None:
    (tmp_path / "docker-config.json").write_text('{"registry": "ghcr", "more": [1], "image": null}')
    assert docker_config.read(tmp_path) == ProjectSession(registry="ghcr")


def test_no_file_is_an_empty_session(tmp_path: Path) -> None:
    assert docker_config.read(tmp_path) == ProjectSession()


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"image": 5}', b'{"username": []}', b"\xff{}", b"[" * 100_000]
)
def test_file_that_does_not_parse_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "docker-config.json").write_bytes(data)
    with pytest.raises(UsageError, match=r"docker-config\.json"):
        docker_config.read(tmp_path)


def test_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docker-config.json").mkdir()
    with pytest.raises(UsageError, match="cannot be read: Is a directory"):
        docker_config.read(tmp_path)


def test_file_beyond_measure_is_refused(tmp_path: Path) -> None:
    (tmp_path / "docker-config.json").write_bytes(b" " * (1 << 20) + b"{}")
    with pytest.raises(UsageError, match="larger than 1 MiB"):
        docker_config.read(tmp_path)


@pytest.mark.parametrize("longer", [-1, 0, 1])
def test_whoever_reads_while_it_is_written_reads_all_of_one_or_the_other(
    tmp_path: Path, longer: int
) -> None:
    path = docker_config.write(tmp_path, ProjectSession(registry="ghcr", namespace="a" * 5000))
    before = path.read_text()
    with path.open() as reader:
        docker_config.write(
            tmp_path, ProjectSession(registry="private", namespace="b" * (5000 + 1000 * longer))
        )
        assert reader.read() == before
    assert path.read_text() != before


FOREIGN = [
    '{"auths":{"ghcr.io":{"auth":"abc"}},"credHelpers":{"x":"y"}}',
    '{"registry":"ghcr","username":"me","auths":{}}',
    '{"registry":"ghcr","credsStore":"desktop"}',
    '{"registry":"","HttpHeaders":{"X":"1"}}',
    '{"registry":"ghcr","proxies":null}',
    '{"currentContext":"east","registry":"private"}',
    '{"image":"node:20","command":["npm","test"]}',
    '{"registry":"registry.example.com","push":true}',
    '{"registry":{"server":"ghcr.io"}}',
    '{"image":["a","b"]}',
    '["registry"]',
    '"private"',
    "registry: ghcr\n",
    "",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_file_of_another_program_is_neither_written_nor_removed(tmp_path: Path, text: str) -> None:
    path = tmp_path / "docker-config.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"docker-config\.json is left as it is: "):
        docker_config.write(tmp_path, SESSION)
    with pytest.raises(UsageError, match=r"docker-config\.json is left as it is: "):
        docker_config.clear(tmp_path)
    assert path.read_text() == text
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to itself"])
def test_what_is_not_a_regular_file_stays(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "docker-config.json"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(path.name)
    before = path.lstat()
    with pytest.raises(UsageError, match="is left as it is"):
        docker_config.write(tmp_path, SESSION)
    with pytest.raises(UsageError, match="is left as it is"):
        docker_config.clear(tmp_path)
    assert path.lstat() == before


@pytest.mark.parametrize("aim", ["{}", '{"registry":"ghcr"}', '{"auths":{}}', None])
@pytest.mark.parametrize("chained", [False, True])
def test_link_out_of_the_folder_is_not_followed(
    tmp_path: Path,
    aim: str | None,
    chained: bool,  # noqa: FBT001 - a case
) -> None:
    folder, target = tmp_path / "shop", tmp_path / "shop-2" / "config.json"
    for each in (folder, target.parent):
        each.mkdir()
    if aim is not None:
        target.write_text(aim)
    (folder / "next.json").symlink_to("../shop-2/config.json")
    path = folder / "docker-config.json"
    path.symlink_to("next.json" if chained else target)
    with pytest.raises(UsageError, match=r"it is a link out of this folder, to .*shop-2"):
        docker_config.write(folder, SESSION)
    with pytest.raises(UsageError, match="it is a link out of this folder"):
        docker_config.clear(folder)
    assert (target.read_text() if target.exists() else None) == aim
    assert path.is_symlink()


@pytest.mark.parametrize("before", [None, "{}", '{"registry":"ghcr","image":"ghcr.io/a/b"}'])
def test_link_inside_the_folder_is_followed(tmp_path: Path, before: str | None) -> None:
    folder = tmp_path / "shop"
    (folder / "config").mkdir(parents=True)
    (tmp_path / "way").symlink_to(folder)
    target, path = folder / "config" / "login.json", folder / "docker-config.json"
    if before is not None:
        target.write_text(before)
    path.symlink_to("config/login.json")
    docker_config.write(tmp_path / "way", SESSION)
    assert path.is_symlink()
    assert target.read_text() == TEXT
    docker_config.clear(folder)
    assert path.is_symlink()
    assert not target.exists()
    assert docker_config.read(folder) == ProjectSession()


@pytest.mark.parametrize(
    "others", [{"more": [1, {"a": None}]}, {"$schema": "x"}, {"ü": "\ud800", "n": -0.5}]
)
def test_unknown_members_of_a_file_of_ours_are_kept(
    tmp_path: Path, others: dict[str, object]
) -> None:
    path = tmp_path / "docker-config.json"
    path.write_text(json.dumps({"comment": "by hand", "registry": "ghcr", **others}, indent=2))
    docker_config.write(tmp_path, SESSION)
    assert docker_config.read(tmp_path) == SESSION
    assert json.loads(path.read_text()) == {
        **json.loads(TEXT),
        "comment": "by hand",
        **others,
    }
    docker_config.clear(tmp_path)
    assert json.loads(path.read_text()) == {
        **dict.fromkeys(("registry", "username", "image", "namespace"), ""),
        "comment": "by hand",
        **others,
    }
    docker_config.write(tmp_path, SESSION)
    assert docker_config.read(tmp_path) == SESSION


def test_what_is_not_unicode_is_escaped(tmp_path: Path) -> None:
    session = ProjectSession(registry="private", namespace="\udcff")
    docker_config.write(tmp_path, session)
    assert docker_config.read(tmp_path) == session
