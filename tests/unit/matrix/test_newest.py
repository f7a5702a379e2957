"""What `make newest` runs."""

from dataclasses import replace
from pathlib import Path

import pytest

from matrix.newest import chosen, is_latest, written
from matrix.versions import ELSEWHERE, listed


def test_a_written_file_reads_as_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = listed()
    (tmp_path / "versions.toml").write_text(written(before))
    monkeypatch.setenv(ELSEWHERE, str(tmp_path / "versions.toml"))
    assert listed() == before


def test_only_the_latest_of_each_program_is_compared() -> None:
    asked = [each.label for each in listed() if is_latest(each, listed())]
    assert "crane 0.22.1" in asked
    assert not {"crane 0.20.7", "crane 0.21.9", "podman 4.3.1", "docker 20.10.24"} & set(asked)


def test_a_new_engine_runs_with_every_registry_and_no_older_engine() -> None:
    now = listed()
    newer = tuple(
        replace(each, version="99.0.0", label="skopeo 99.0.0")
        if each.label == "skopeo 1.22.0"
        else each
        for each in now
    )
    ran = chosen(now, newer)
    assert [each.label for each in ran if each.kind == "engine"] == ["skopeo 99.0.0"]
    registries = [each for each in now if each.kind == "registry"]
    assert [each for each in ran if each.kind == "registry"] == registries


def test_a_new_registry_runs_with_the_engines_of_the_tests() -> None:
    now = listed()
    newer = tuple(
        replace(each, version="99.0.0", label="distribution 99.0.0")
        if each.name == "registry"
        else each
        for each in now
    )
    engines = [each for each in chosen(now, newer) if each.kind == "engine"]
    assert engines == [each for each in now if each.kind == "engine" and each.quick]
