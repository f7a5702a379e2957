import time
from pathlib import Path

import pytest

from bed.certificates import make
from dockless.diagnosis.certificates import check_environment, check_folders, judge_file
from dockless.model.endpoint import Trust

DAY = 86_400


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_a_variable_that_names_nothing_is_a_problem(tmp_path: Path, name: str) -> None:
    [found] = check_environment({name: str(tmp_path / "gone")})
    assert (found.subject, found.state) == (name, "problem")
    assert str(tmp_path / "gone") in found.what
    assert name in found.remedy


def test_an_authority_is_told_with_its_last_day(tmp_path: Path) -> None:
    authority = make(tmp_path / "made").ca
    [found] = judge_file(authority, time.time())
    assert found.state == "ok"
    assert time.strftime("%Y-%m-%d", time.gmtime(time.time() + DAY)) in found.what


def test_an_authority_that_has_expired_is_a_problem(tmp_path: Path) -> None:
    [found] = judge_file(make(tmp_path / "made").ca, time.time() + 3 * DAY)
    assert (found.state, "has expired" in found.what, bool(found.remedy)) == ("problem", True, True)


@pytest.mark.parametrize("text", ["", "no certificate"])
def test_a_file_that_is_none_is_a_problem(tmp_path: Path, text: str) -> None:
    (tmp_path / "ca.crt").write_text(text)
    [found] = judge_file(tmp_path / "ca.crt", time.time())
    assert (found.state, bool(found.remedy)) == ("problem", True)


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    [found] = judge_file(tmp_path / "gone.crt", time.time())
    assert "no such file" in found.what


def test_a_client_certificate_with_the_key_of_another_is_a_problem(tmp_path: Path) -> None:
    one, other = make(tmp_path / "one"), make(tmp_path / "other")
    [found] = check_folders("r.example", Trust((), one.client, other.client_key), tmp_path, None)
    assert found.state == "problem"
    [found] = check_folders("r.example", Trust((), one.client, one.client_key), tmp_path, None)
    assert found.state == "ok"


def test_a_folder_that_does_not_count_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setattr(
        "dockless.diagnosis.certificates.usual_folders", lambda _host, _home: folders
    )
    for folder in folders:
        folder.mkdir()
    found = list(check_folders("r.example", Trust(), tmp_path, None))
    assert [(one.subject, one.state) for one in found] == [
        (str(folders[1]), "note"),
        ("r.example", "ok"),
    ]
    assert [one.subject for one in check_folders("r.example", Trust(), tmp_path, tmp_path)] == [
        "r.example"
    ]
