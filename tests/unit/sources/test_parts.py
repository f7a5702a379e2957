import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockless.errors import SourceError
from dockless.sources.parts import joined, problems, read_parts
from dockless.sources.source_paths import whole_archive


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    parts = []
    for number, data in enumerate((b"first part", b"second", b"third and last")):
        path = tmp_path / f"disk.tar.{number:03}"
        path.write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        parts.append({"file": path.name, "size": len(data), "sha256": digest})
    made = tmp_path / "disk.tar.parts.json"
    made.write_text(json.dumps({"partsVersion": 1, "parts": parts}))
    return made


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_parts_are_read_as_one(listing: Path, size: int) -> None:
    data = b""
    with joined(read_parts(listing)) as stream:
        while block := stream.read(size):
            data += block
    assert data == b"first partsecondthird and last"


@pytest.mark.parametrize("damage", [b"secand", b"secon", b"seconds", None])
def test_a_part_that_is_not_as_it_was_written_is_named(listing: Path, damage: bytes | None) -> None:
    part = listing.parent / "disk.tar.001"
    if damage is None:
        part.unlink()
    else:
        part.write_bytes(damage)
    parts = read_parts(listing)
    assert [f"part {part}" in problem.what for problem in problems(parts)] == [True]
    if damage != b"secand":
        with pytest.raises(SourceError, match=f"part {part}"):
            joined(parts)


def test_every_part_that_is_wrong_is_told(listing: Path) -> None:
    for number in (0, 2):
        (listing.parent / f"disk.tar.00{number}").write_bytes(b"x")
    assert len(list(problems(read_parts(listing)))) == 2


def test_a_part_that_is_no_file_is_told(listing: Path) -> None:
    document = json.loads(listing.read_text())
    part = listing.parent / "disk.tar.001"
    part.unlink()
    part.mkdir()
    document["parts"][1]["size"] = part.stat().st_size
    listing.write_text(json.dumps(document))
    (problem,) = problems(read_parts(listing))
    assert f"part {part} cannot be read: Is a directory" in problem.what


@pytest.mark.parametrize("number", range(3))
def test_a_part_is_not_taken_for_the_archive(listing: Path, number: int) -> None:
    part = listing.parent / f"disk.tar.00{number}"
    told = re.escape(f"{part} is only part {number + 1} of 3 of a bundle")
    with pytest.raises(SourceError, match=told) as caught, whole_archive(part):
        raise AssertionError
    assert str(listing) in caught.value.remedy


@pytest.mark.parametrize("text", [None, "{", "[]", '{"partsVersion": 1, "parts": []}'])
def test_what_may_be_a_part_is_advised_the_list(listing: Path, text: str | None) -> None:
    listing.unlink() if text is None else listing.write_text(text)
    with (
        pytest.raises(SourceError, match="cut off") as caught,
        whole_archive(listing.parent / "disk.tar.001"),
    ):
        raise SourceError("It is cut off.", "Copy it.")
    assert caught.value.remedy.startswith("Copy it. Or, if it is a part of a bundle, give ")
    assert str(listing) in caught.value.remedy


@pytest.mark.parametrize("name", ["disk.tar", "disk.tar.00", "disk.tar.1a1", "disk.tar.parts.json"])
def test_another_name_is_not_that_of_a_part(listing: Path, name: str) -> None:
    with pytest.raises(SourceError) as caught, whole_archive(listing.parent / name):
        raise SourceError("It is cut off.", "Copy it.")
    assert caught.value.remedy == "Copy it."


def test_the_only_part_is_the_archive(listing: Path) -> None:
    document = json.loads(listing.read_text())
    listing.write_text(json.dumps({**document, "parts": document["parts"][:1]}))
    with whole_archive(listing.parent / "disk.tar.000"):
        pass


@pytest.mark.parametrize("start", range(31))
def test_parts_are_read_at_random(listing: Path, start: int) -> None:
    whole = b"first partsecondthird and last"
    with joined(read_parts(listing)) as stream:
        assert stream.seek(0, os.SEEK_END) == len(whole)
        stream.seek(start)
        assert stream.read(8) == whole[start : start + 8]
        assert stream.tell() == min(start + 8, len(whole))


def test_a_part_is_looked_for_beside_its_list_only(listing: Path) -> None:
    document = json.loads(listing.read_text())
    document["parts"][0]["file"] = "../../etc/passwd"
    listing.write_text(json.dumps(document))
    assert read_parts(listing)[0].path == listing.parent / "passwd"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"parts": []}', '{"parts": [{"file": "x"}]}'])
def test_what_is_no_list_is_refused(listing: Path, text: str) -> None:
    listing.write_text(text)
    with pytest.raises(SourceError, match=r"not the list of a bundle's parts|lists no part"):
        read_parts(listing)


Change = Callable[[dict[str, Any]], object]
_WRONG: dict[str, tuple[object, ...]] = {
    "partsVersion": (True, 1.0, "1", None, 2, 0),
    "parts": ({}, "x", None, [1], [None], [[]]),
    "size": (True, 10.0, "10", None, -1, 10**30),
    "sha256": (True, "", "x", None, "A" * 64, 7),
    "file": (True, "", None, "/", "\ud800"),
}


def _set(member: str, to: object) -> Change:
    """Return what sets a member of the whole, or of the first part."""

    def change(document: dict[str, Any]) -> None:
        (document if member.startswith("parts") else document["parts"][0])[member] = to

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(_set(member, to) for member, values in _WRONG.items() for to in values),
        lambda it: it.pop("partsVersion"),
        lambda it: it["parts"][1].pop("sha256"),
    ],
)
def test_a_list_with_a_wrong_member_is_refused(listing: Path, change: Change) -> None:
    document = json.loads(listing.read_text())
    change(document)
    listing.write_text(json.dumps(document))
    with pytest.raises(SourceError, match="is not the list of a bundle's parts: ") as caught:
        read_parts(listing)
    assert caught.value.remedy


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_a_list_in_another_encoding_is_refused(listing: Path, encoding: str) -> None:
    listing.write_bytes(listing.read_text().encode(encoding))
    with pytest.raises(SourceError, match="is not the list of a bundle's parts: "):
        read_parts(listing)


@pytest.mark.parametrize("name", ["disk.tar.001", "./disk.tar.001", "folder/disk.tar.001"])
@pytest.mark.parametrize("position", [0, 2, 3])
def test_a_part_that_is_named_twice_is_named(listing: Path, position: int, name: str) -> None:
    document = json.loads(listing.read_text())
    document["parts"].insert(position, document["parts"][1] | {"file": name})
    listing.write_text(json.dumps(document))
    with pytest.raises(SourceError, match=r"lists the part disk\.tar\.001 2 times"):
        read_parts(listing)
