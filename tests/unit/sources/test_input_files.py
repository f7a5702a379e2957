import json
from pathlib import Path

import pytest

from dockless.model.listed import Listed, SyncItem, SyncRegistry
from dockless.model.secret import Credential, Secret
from dockless.sources.input_files import inputs_of, registries_of


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
    expected_paths = tuple(folder / name for name in expected)
    assert inputs_of((Listed(text=text),), (), folder) == expected_paths
    assert inputs_of((), (), folder, text) == expected_paths


def test_sources_are_taken_in_order_and_their_lists_last(folder: Path) -> None:
    sources = [Listed(text=text) for text in ("layout", "gone", "a.tar")]
    found = inputs_of(sources, (Path("list.txt"),), folder, "images")
    assert [path.name for path in found] == ["layout", "a.tar", "images", "list.txt"]


def test_the_registries_of_sources_are_those_without_a_login_of_their_own(tmp_path: Path) -> None:
    login = Credential(username="me", password=Secret("x"))
    own = SyncItem(
        registry=SyncRegistry(host="own.example", credential=login),
        repository="own.example/a",
        origin="",
        named=("1",),
    )
    none = SyncItem(
        registry=SyncRegistry(host="none.example"),
        repository="none.example/a",
        origin="",
        named=("1",),
    )
    texts = ("docker://one.example:5000/a:1", "docker://a:1", "docker://", "shop.tar", "a/b:1")
    listed = (
        *(Listed(text=text) for text in texts),
        Listed(text="", origin="", wanted=own),
        Listed(text="", origin="", wanted=none),
    )
    found = set(registries_of(listed, tmp_path))
    assert found == {"one.example:5000", "docker.io", "none.example"}
