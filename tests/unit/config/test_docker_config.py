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
