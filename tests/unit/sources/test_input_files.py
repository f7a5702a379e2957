import json
from pathlib import Path

import pytest

from dockless.sources.input_files import files_of


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "index.json").write_text("{}")
    (tmp_path / "a.tar").write_bytes(b"")
    parts = [{"file": f"disk.tar.00{n}", "size": 1, "sha256": "0" * 64} for n in (0, 1)]
    (tmp_path / "disk.tar.parts.json").write_text(json.dumps({"partsVersion": 1, "parts": parts}))
    (tmp_path / "bad.tar.parts.json").write_text("{}")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("images", ["images"]),
        ("a.tar", ["a.tar"]),
        ("./a.tar:shop:1", ["a.tar"]),
        ("oci:layout:v1", ["layout"]),
        ("layout", ["layout"]),
        ("disk.tar.parts.json", ["disk.tar.parts.json", "disk.tar.000", "disk.tar.001"]),
        ("bad.tar.parts.json", ["bad.tar.parts.json"]),
        ("", []),
        ("-", []),
        ("gone.tar", []),
        ("shop:v1", []),
        ("docker://ghcr.io/acme/shop:v1", []),
        ("docker-daemon:shop:v1", []),
        ("No Name", []),
        ("x" * 5000, []),
    ],
)
def test_what_a_source_names(folder: Path, text: str, expected: list[str]) -> None:
    assert list(files_of((text,), folder)) == [folder / name for name in expected]


def test_sources_are_taken_in_order(folder: Path) -> None:
    found = files_of(("layout", "gone", "a.tar"), folder)
    assert [path.name for path in found] == ["layout", "a.tar"]
