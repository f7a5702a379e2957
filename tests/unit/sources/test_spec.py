from pathlib import Path

import pytest

from dockless.model.errors import SourceError, UsageError
from dockless.sources.spec import SourceSpec, parse_source


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "image.tar").touch()
    (tmp_path / "odd:name.tar").touch()
    (tmp_path / "no-ending").touch()
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout/index.json").touch()
    (tmp_path / "shop").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("text", "kind", "path", "selector"),
    [
        ("image.tar", "archive", "image.tar", ""),
        ("./image.tar", "archive", "image.tar", ""),
        ("image.tar:shop:v2", "archive", "image.tar", "shop:v2"),
        ("image.tar:@1", "archive", "image.tar", "@1"),
        ("odd:name.tar", "archive", "odd:name.tar", ""),
        ("odd:name.tar:v1", "archive", "odd:name.tar", "v1"),
        ("no-ending", "archive", "no-ending", ""),
        ("layout", "layout", "layout", ""),
        ("layout/", "layout", "layout", ""),
        ("layout:v2", "layout", "layout", "v2"),
        ("docker-archive:image.tar", "archive", "image.tar", ""),
        ("docker-archive:image.tar:shop:v2", "archive", "image.tar", "shop:v2"),
        ("oci-archive:image.tar:v2", "archive", "image.tar", "v2"),
        ("oci:layout:v2", "layout", "layout", "v2"),
    ],
)
def test_a_path_with_or_without_a_transport_and_a_selector(
    folder: Path, text: str, kind: str, path: str, selector: str
) -> None:
    spec = parse_source(text, folder)
    assert (spec.kind, spec.path, spec.selector) == (kind, folder / path, selector)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-", SourceSpec("stdin")),
        ("shop:v2", SourceSpec("local", name="shop:v2", bare=True)),
        ("shop", SourceSpec("local", name="shop", bare=True)),
        ("ghcr.io/acme/shop", SourceSpec("local", name="ghcr.io/acme/shop", bare=True)),
        ("docker-daemon:shop:v2", SourceSpec("local", name="shop:v2", tool="docker")),
        ("containers-storage:shop", SourceSpec("local", name="shop", tool="podman")),
    ],
)
def test_what_is_no_file_is_standard_input_or_a_local_image(
    folder: Path, text: str, expected: SourceSpec
) -> None:
    assert parse_source(text, folder) == expected


@pytest.mark.parametrize(
    "text",
    [
        "absent.tar",
        "./absent",
        "/absent/image",
        "../absent",
        "absent.tar.zst",
        "absent.tar:v2",
        "docker-archive:absent.tar",
        "oci:absent",
    ],
)
def test_what_looks_like_a_path_must_be_there(folder: Path, text: str) -> None:
    with pytest.raises(SourceError, match="There is no file"):
        parse_source(text, folder)


@pytest.mark.parametrize("text", ["Shop", "shop:", "", "a b"])
def test_what_is_neither_file_nor_name_is_a_usage_error(folder: Path, text: str) -> None:
    with pytest.raises(UsageError, match="neither a file nor an image name"):
        parse_source(text, folder)


@pytest.mark.parametrize(
    ("text", "label"), [("-", "standard input"), ("shop:v2", "shop:v2"), ("image.tar", "image.tar")]
)
def test_the_label_is_what_people_call_it(folder: Path, text: str, label: str) -> None:
    assert parse_source(text, folder).label.endswith(label)
