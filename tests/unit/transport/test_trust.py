import os
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.model.endpoint import Trust
from dockless.transport.trust import find_trust

HOST = "registry.example.com:5000"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "certs"
    folder.mkdir()
    return folder


def found(home: Path, ca_file: Path | None = None, cert_dir: Path | None = None) -> Trust:
    return find_trust(HOST, ca_file, cert_dir, home)


def test_without_certificates_the_systems_own_are_trusted(tmp_path: Path) -> None:
    assert found(tmp_path) == Trust()


def test_a_named_authority_comes_first(tmp_path: Path, folder: Path) -> None:
    own = tmp_path / "own.pem"
    for path in (own, folder / "b.crt", folder / "a.crt", folder / "readme"):
        path.touch()
    assert found(tmp_path, own, folder) == Trust((own, folder / "a.crt", folder / "b.crt"))


def test_a_client_certificate_comes_with_the_key_beside_it(tmp_path: Path, folder: Path) -> None:
    for name in ("ca.crt", "client.cert", "client.key"):
        (folder / name).touch()
    assert found(tmp_path, None, folder) == Trust(
        (folder / "ca.crt",), folder / "client.cert", folder / "client.key"
    )


def test_the_users_folder_for_the_host_is_found(tmp_path: Path) -> None:
    usual = tmp_path / ".config/containers/certs.d" / HOST
    usual.mkdir(parents=True)
    (usual / "ca.crt").touch()
    assert found(tmp_path) == Trust((usual / "ca.crt",))


def test_a_folder_that_is_found_may_be_empty(tmp_path: Path) -> None:
    (tmp_path / ".config/containers/certs.d" / HOST).mkdir(parents=True)
    assert found(tmp_path) == Trust()


def test_a_named_file_that_is_missing_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--ca-file"):
        found(tmp_path, tmp_path / "absent.pem")


@pytest.mark.parametrize("name", ["ca.pem", "r.io", "registry.crt"])
def test_a_file_and_a_folder_in_place_of_one_another_are_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    with pytest.raises(UsageError, match="is a file, and --cert-dir takes a folder") as caught:
        found(tmp_path, cert_dir=path)
    assert f"--ca-file {path}" in caught.value.remedy
    path.unlink()
    path.mkdir()
    with pytest.raises(UsageError, match="is a folder, and --ca-file takes a file") as caught:
        found(tmp_path, ca_file=path)
    assert f"--cert-dir {path}" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/dev/null", "/dev/null is not a regular file"),
        ("/dev/zero", "/dev/zero is not a regular file"),
        ("pipe", "pipe is not a regular file"),
        ("absent.pem", "absent.pem does not exist"),
        ("dangling", "dangling does not exist"),
    ],
)
def test_what_is_not_a_file_of_authorities_is_called_what_it_is(
    tmp_path: Path, name: str, said: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("nowhere")
    with pytest.raises(UsageError, match="--ca-file") as caught:
        found(tmp_path, tmp_path / name)
    assert said in caught.value.what


def test_a_named_folder_without_certificates_is_a_usage_error(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match="contains no certificate"):
        found(tmp_path, None, folder)


def test_a_client_certificate_without_a_key_is_a_usage_error(tmp_path: Path, folder: Path) -> None:
    (folder / "client.cert").touch()
    with pytest.raises(UsageError, match=r"no matching \.key file"):
        found(tmp_path, None, folder)


def test_a_folder_that_may_not_be_looked_at_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    assert find_trust("registry.example.com", None, None, tmp_path) == Trust()
