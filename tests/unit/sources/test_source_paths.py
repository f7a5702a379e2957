from pathlib import Path

import pytest

from dockless.sources.source_paths import (
    existing,
    has_image,
    is_archive,
    is_layout,
    looks_like_path,
)


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        (".", True),
        ("./shop", True),
        ("~/shop", True),
        ("shop/", True),
        ("shop/..", True),
        ("shop.tar.zst", True),
        ("shop.tbz2", True),
        ("shop", False),
        ("team/shop:v1", False),
        ("tar", False),
    ],
)
def test_what_can_be_a_path_only(text: str, *, is_path: bool) -> None:
    assert looks_like_path(text) is is_path


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("shop", ("shop", "")),
        ("shop:v1", ("shop", "v1")),
        ("shop:team/shop:v1", ("shop", "team/shop:v1")),
        ("odd:name", ("odd:name", "")),
        ("odd:name:v1", ("odd:name", "v1")),
        ("absent:v1", None),
        (":v1", None),
        ("", None),
    ],
)
def test_a_path_is_cut_where_something_exists(
    tmp_path: Path, text: str, found: tuple[str, str] | None
) -> None:
    for name in ("shop", "odd:name"):
        (tmp_path / name).touch()
    assert existing(text, tmp_path) == (found and (tmp_path / found[0], found[1]))


@pytest.mark.parametrize(
    ("files", "layout", "image"),
    [
        (("oci-layout",), True, True),
        (("index.json", "blobs/x"), True, True),
        (("index.json",), False, False),
        (("manifest.json",), False, True),
        (("readme.md",), False, False),
        ((), False, False),
    ],
)
def test_a_folder_with_an_image(
    tmp_path: Path, files: tuple[str, ...], *, layout: bool, image: bool
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(" [{}]")
    assert (is_layout(tmp_path), has_image(tmp_path)) == (layout, image)


def test_a_web_apps_manifest_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "app"}')
    assert not has_image(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [("v1.parts.json", b"", True), ("notes", b"services:\n", False), ("Large", b"\x7fELF", False)],
)
def test_a_file_that_is_an_archive(
    tmp_path: Path, name: str, content: bytes, *, expected: bool
) -> None:
    (tmp_path / name).write_bytes(content)
    assert is_archive(tmp_path / name) is expected
