import errno
import json
import tarfile
from contextlib import nullcontext
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.model.bundle_request import BundleRequest
from dockless.model.listed import Listed
from dockless.model.lock import FILE as LOCK
from dockless.sources.bundle_output import check_output, check_request, replaced_parts
from dockless.storage.bundle_archive import parts_text


def tar(path: Path, name: str) -> Path:
    inside = path.with_name("member")
    inside.write_text("{}")
    with tarfile.open(path, "w") as archive:
        archive.add(inside, name)
    inside.unlink()
    return path


def allowed(out: Path, *inputs: Path, archive: bool = True, split: bool = False) -> bool:
    try:
        check_output(out, inputs, archive=archive, split=split)
    except UsageError:
        return False
    return True


def test_an_older_bundle_and_an_empty_file_are_replaced(tmp_path: Path) -> None:
    (tmp_path / "empty.tar").write_bytes(b"")
    assert allowed(tmp_path / "new.tar")
    assert allowed(tmp_path / "empty.tar")
    assert allowed(tar(tmp_path / "old.tar", LOCK))


@pytest.mark.parametrize("data", [b"text", b"\x1f\x8b\0", b"\0" * 512, b"{}"])
def test_another_file_is_not_replaced(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(data)
    assert not allowed(tmp_path / "a.tar")
    assert not allowed(tar(tmp_path / "image.tar", "manifest.json"))
    assert (tmp_path / "a.tar").read_bytes() == data


def test_a_folder_is_to_be_new_or_empty(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("x")
    (tmp_path / "file").write_text("x")
    for name, fine in (("new", True), ("empty", True), ("full", False), ("file", False)):
        assert allowed(tmp_path / name, archive=False) == fine, name
    assert (tmp_path / "full" / "mine").read_text() == "x"


@pytest.mark.parametrize("known", [0, 1, 2])
def test_parts_are_replaced_where_an_older_list_has_them(tmp_path: Path, known: int) -> None:
    out = tmp_path / "disk.tar"
    parts = []
    for number in range(2):
        (tmp_path / f"disk.tar.00{number}").write_bytes(b"part")
        parts.append({"file": f"disk.tar.00{number}", "size": 4, "sha256": "0" * 64})
    (tmp_path / "disk.tar.parts.json").write_text(
        json.dumps({"partsVersion": 1, "parts": parts[:known]})
    )
    assert allowed(out, split=True) == (known == 2)


def test_an_input_is_never_replaced_nor_written_into(tmp_path: Path) -> None:
    old = tar(tmp_path / "old.tar", LOCK)
    part = tmp_path / "disk.tar.000"
    part.write_bytes(b"")
    assert not allowed(old, old)
    assert not allowed(tmp_path / "disk.tar", part, split=True)
    (tmp_path / "images").mkdir()
    assert not allowed(tmp_path / "images" / "new.tar", tmp_path / "images")


@pytest.fixture
def unlisted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders that may be written, and not listed."""

    def refuse(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)


@pytest.mark.usefixtures("unlisted")
@pytest.mark.parametrize("number", [None, 0, 7, 999])
def test_parts_are_found_in_a_folder_that_cannot_be_listed(
    tmp_path: Path, number: int | None
) -> None:
    if number is not None:
        (tmp_path / f"disk.tar.{number:03}").write_bytes(b"mine")
    assert allowed(tmp_path / "disk.tar", split=True) == (number is None)


@pytest.mark.usefixtures("unlisted")
@pytest.mark.parametrize("name", ["", "blobs", "index.json", "oci-layout", LOCK, "manifest.json"])
def test_a_folder_that_cannot_be_listed_must_have_nothing_that_would_be_replaced(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "out").mkdir()
    if name:
        (tmp_path / "out" / name).write_text("mine")
    assert allowed(tmp_path / "out", archive=False) == (not name)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({}, "is a bundle already"),
        ({"force": True}, ""),
        ({"out": "new.tar"}, ""),
        ({"out": "input.tar", "force": True}, "input"),
        ({"out": "list.txt", "force": True}, "input"),
        ({"out": "since.tar", "force": True, "since": "since.tar"}, "input"),
        ({"out": "since.tar", "force": True}, ""),
        ({"out": "-"}, ""),
    ],
)
def test_a_request_replaces_only_what_it_may(
    tmp_path: Path, changes: dict[str, str | bool], what: str
) -> None:
    for name in ("old.tar", "input.tar", "since.tar"):
        tar(tmp_path / name, LOCK)
    (tmp_path / "list.txt").write_text("input.tar\n")
    out = str(changes.get("out", "old.tar"))
    request = BundleRequest(
        sources=("input.tar",),
        output=out if out == "-" else str(tmp_path / out),
        files=(tmp_path / "list.txt",),
        since=tmp_path / "since.tar" if "since" in changes else None,
        force=bool(changes.get("force")),
    )
    with pytest.raises(UsageError, match=what) if what else nullcontext():
        check_request(request, [Listed(text="input.tar")], tmp_path)


def in_parts(out: Path, count: int) -> list[Path]:
    """Write what looks like a bundle in parts; return its files, the list last."""
    parts = [Path(f"{out}.{number:03}") for number in range(count)]
    for part in parts:
        part.write_bytes(b"12345")
    listing = Path(f"{out}.parts.json")
    listing.write_text(parts_text((part.name, 5, "0" * 64) for part in parts))
    return [*parts, listing]


def replaced(out: Path, **others: object) -> list[Path]:
    request = BundleRequest(sources=("a",), output=str(out), **{"force": True, **others})  # type: ignore[arg-type]  # parameters of the test
    return list(replaced_parts(request, (), out.parent))


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("split", [None, 10])
def test_the_parts_of_the_older_bundle_are_replaced(
    tmp_path: Path, count: int, split: int | None
) -> None:
    files = in_parts(tmp_path / "s.tar", count)
    assert replaced(tmp_path / "s.tar", split=split) == files
    assert replaced(tmp_path / "s.tar", split=split, force=False) == []
    assert replaced(tmp_path / "other.tar", split=split) == []


@pytest.mark.parametrize("data", [b"", b"1234", b"another file"])
def test_a_file_of_another_length_is_no_part_of_it(tmp_path: Path, data: bytes) -> None:
    first, second, listing = in_parts(tmp_path / "s.tar", 2)
    second.write_bytes(data)
    (tmp_path / "s.tar.007").write_bytes(b"12345")
    assert replaced(tmp_path / "s.tar") == [first, listing]


@pytest.mark.parametrize("name", ["notes", "s.tar.01", "t.tar.000", "s.tar.000.bak"])
def test_a_list_of_other_files_is_left_alone(tmp_path: Path, name: str) -> None:
    *_, listing = in_parts(tmp_path / "s.tar", 2)
    (tmp_path / name).write_bytes(b"12345")
    listing.write_text(parts_text([("s.tar.000", 5, "0" * 64), (name, 5, "0" * 64)]))
    assert replaced(tmp_path / "s.tar") == []


@pytest.mark.parametrize("text", ["", "[]", "my notes", '{"partsVersion": 2, "parts": []}'])
def test_another_file_of_the_name_of_the_list_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "s.tar.parts.json").write_text(text)
    assert replaced(tmp_path / "s.tar") == []


def test_an_older_bundle_that_is_read_stays(tmp_path: Path) -> None:
    *_, listing = in_parts(tmp_path / "s.tar", 2)
    assert replaced(tmp_path / "s.tar", since=listing) == []
