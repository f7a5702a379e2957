import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from dockless.config.source_lists import listed
from dockless.errors import UsageError
from dockless.model.listed import Listed


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.txt"


def read(path: Path) -> list[tuple[str, str]]:
    """Return each source with its line and column."""
    return [(each.text, each.origin.removeprefix(f"{path}:")) for each in listed((), (path,))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"a.tar\nb.tar\n", [("a.tar", "1:1"), ("b.tar", "2:1")]),
        (b"# all\n\n  a.tar  # the first\r\nb.tar\r\n", [("a.tar", "3:3"), ("b.tar", "4:1")]),
        (b"c#.tar\nimages/#1/a.tar # one\n", [("c#.tar", "1:1"), ("images/#1/a.tar", "2:1")]),
        (b"\xef\xbb\xbfdocker://x.io/a:1\n", [("docker://x.io/a:1", "1:1")]),
        ("\ufeffa.tar # ä\r\nü.tar\r\n".encode("utf-16-le"), [("a.tar", "1:1"), ("ü.tar", "2:1")]),
        ("\ufeffa.tar\n".encode("utf-16-be"), [("a.tar", "1:1")]),
        (b"\xef\xbb\xbfa.tar\r\n\r\n b.tar\r\n", [("a.tar", "1:1"), ("b.tar", "3:2")]),
        (b"f\xfcr.tar\n", [(os.fsdecode(b"f\xfcr.tar"), "1:1")]),
        ("a\u2028b.tar".encode(), [("a\u2028b.tar", "1:1")]),
        (b"\tlast.tar", [("last.tar", "1:2")]),
        (b"#\n#\na", [("a", "3:1")]),
    ],
)
def test_each_line_is_a_source_with_its_place(
    path: Path, text: bytes, expected: list[tuple[str, str]]
) -> None:
    path.write_bytes(text)
    assert read(path) == expected


@pytest.mark.parametrize("sources", [("",), ("a.tar", ""), ("  ",)])
def test_an_empty_source_is_no_folder(sources: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="SOURCE is empty"):
        listed(sources, ())


@pytest.mark.parametrize("text", ["", "\n", "#\n#\n", "  # nothing yet\r\n\t\n", "\ufeff"])
@pytest.mark.parametrize("count", [1, 2])
def test_lists_that_name_nothing_are_said(tmp_path: Path, text: str, count: int) -> None:
    paths = tuple(tmp_path / f"{number}.txt" for number in range(count))
    for each in paths:
        each.write_text(text)
    with pytest.raises(UsageError, match="no source") as caught:
        listed((), paths)
    assert all(str(each) in caught.value.what for each in paths)
    assert listed(("a.tar",), paths) == (Listed(text="a.tar"),)


def test_sources_of_the_command_line_come_first(path: Path) -> None:
    path.write_text("b.tar\n")
    assert listed(("a.tar",), (path,)) == (
        Listed(text="a.tar"),
        Listed(text="b.tar", origin=f"{path}:1:1"),
    )


def test_what_is_no_list_is_said(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"\x1f\x8c\0\0\0")
    for wrong, why in ((path, "it is not text"), (tmp_path, "Is a directory")):
        with pytest.raises(UsageError, match=why):
            listed((), (wrong,))


def test_each_tag_of_a_list_in_yaml_has_its_own_place(tmp_path: Path) -> None:
    path = tmp_path / "list.yml"
    path.write_text("x.io:\n  images:\n    a/b:\n      - v1\n      - v2\n    c: [v3, v4]\n")
    places = [each.wanted.places for each in listed((), (path,)) if each.wanted]
    assert places == [(f"{path}:4:9", f"{path}:5:9"), (f"{path}:6:9", f"{path}:6:13")]


@pytest.mark.parametrize(
    "text", ["image.tar:@0", "docker-archive:a.tar:@12", "oci:/disk:@1", "@.tar"]
)
def test_the_number_of_an_image_is_no_login(text: str) -> None:
    assert listed((text,), ()) == (Listed(text=text),)


@pytest.mark.parametrize("name", ["a:b@c.tar", "node:18@2.tar"])
def test_a_file_may_be_named_like_a_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="contains a login"):
        listed((name,), ())
    Path(name).touch()
    assert listed((name,), ()) == (Listed(text=name),)


@pytest.mark.parametrize(
    "line",
    ["docker://ann:S3cret-1@x.io/a:1", "  https://bo:S3cret-1@y.io/b", "c:S3cret-1@z.io/c:2"],
)
def test_a_line_with_a_login_fails_alone(path: Path, line: str) -> None:
    path.write_text(f"a.tar\n{line}\nb.tar\n")
    first, wrong, last = listed((), (path,))
    assert (first.text, last.text) == ("a.tar", "b.tar")
    assert isinstance(wrong.error, UsageError)
    assert "contains a login" in wrong.error.what
    assert "S3cret-1" not in repr(wrong)


def test_a_login_on_the_command_line_stops_all(path: Path) -> None:
    path.write_text("a.tar\n")
    with pytest.raises(UsageError, match=r"^A SOURCE contains a login"):
        listed(("docker://ann:S3cret-1@x.io/a:1",), (path,))


@pytest.mark.parametrize("line", ["x\0y", "\0", "c:S3cret\0-1@z.io/c:2"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_with_a_nul_fails_alone(path: Path, line: str, encoding: str) -> None:
    path.write_bytes(f"a.tar\n{line}\nb.tar\n".encode(encoding))
    first, wrong, last = listed((), (path,))
    assert (first.text, last.text) == ("a.tar", "b.tar")
    assert isinstance(wrong.error, UsageError)
    assert wrong.origin == f"{path}:2:1"
    assert "NUL" in wrong.error.what
    assert "S3cret" not in repr(wrong)


def _tar(kind: int) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=kind) as archive:
        for number in range(9):
            member = tarfile.TarInfo(f"layer-{number}/text")
            body = b"a line of text\n" * 900  # most lines have no NUL character
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return data.getvalue()


def _zip() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("text", "a line of text\n" * 900)
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        _tar(tarfile.USTAR_FORMAT),
        _tar(tarfile.GNU_FORMAT),
        _tar(tarfile.PAX_FORMAT),
        gzip.compress(_tar(tarfile.PAX_FORMAT)),
        lzma.compress(_tar(tarfile.GNU_FORMAT)),
        bz2.compress(_tar(tarfile.GNU_FORMAT)),
        b"\x28\xb5\x2f\xfd" + b"a line of text\n" * 900,
        _zip(),
    ],
)
def test_an_archive_is_no_list(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    with pytest.raises(UsageError, match="is an archive") as caught:
        listed((), (path,))
    assert "without -f" in caught.value.remedy


@pytest.mark.parametrize("text", ["a.tar\n", "# all\ndocker://r.io/a:1\n", "\n\nb.tar\n"])
def test_a_list_may_come_from_standard_input(path: Path, text: str) -> None:
    path.write_text(text)
    expected = read(path)
    before = os.dup(0)
    with path.open("rb") as given:
        os.dup2(given.fileno(), 0)
    try:
        found = listed((), (Path("-"),))
    finally:
        os.dup2(before, 0)
        os.close(before)
    assert [(each.text, each.origin.removeprefix("/dev/stdin:")) for each in found] == expected
