"""What is asked of a bundle."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import UsageError
from dockless.model.bundle_request import BundleRequest


@pytest.mark.parametrize(("name", "archive"), [("disk.tar", True), ("disk", False), (".tar", True)])
def test_an_archive_is_known_by_its_ending(tmp_path: Path, name: str, *, archive: bool) -> None:
    request = BundleRequest(sources=("a.tar",), output=str(tmp_path / name))
    assert request.is_archive == archive
    request.check()


@pytest.mark.parametrize("name", ["x.TAR", "disk.Tar", "a.b.tAR"])
def test_an_ending_may_have_capital_letters(tmp_path: Path, name: str) -> None:
    request = BundleRequest(sources=("a.tar",), output=str(tmp_path / name), split=1000)
    assert request.is_archive
    request.check()


@pytest.mark.parametrize("name", ["x.oci", "y.json", "disk.JSON", "a.b.layout", "registry.txt"])
def test_an_ending_of_no_bundle_is_refused_unless_a_slash_says_that_it_is_a_folder(
    tmp_path: Path, name: str
) -> None:
    request = BundleRequest(sources=("a.tar",), output=str(tmp_path / name))
    with pytest.raises(UsageError, match="would be neither") as caught:
        request.check()
    assert f"-o {tmp_path / name}/ for a folder" in caught.value.remedy
    for slash in ("/", "//", "/."):
        folder = BundleRequest(sources=("a.tar",), output=f"{tmp_path / name}{slash}")
        folder.check()
        assert not folder.is_archive
    (tmp_path / name).mkdir()
    request.check()


@pytest.mark.parametrize("name", ["disk-1.2", "v1.2.3", "2026-11-30", ".disk", "disk", "a.1b", "."])
def test_a_version_or_a_leading_dot_is_no_ending(tmp_path: Path, name: str) -> None:
    request = BundleRequest(sources=("a.tar",), output=f"{tmp_path}/{name}")
    request.check()
    assert not request.is_archive


@pytest.mark.parametrize("name", ["x.tar/", "x.tar//", "x.TAR/", "x.tar/."])
def test_a_slash_at_the_end_means_a_folder(tmp_path: Path, name: str) -> None:
    request = BundleRequest(sources=("a.tar",), output=f"{tmp_path}/{name}")
    request.check()
    assert not request.is_archive
    with pytest.raises(UsageError, match="--split is for an archive"):
        replace(request, split=1000).check()


@pytest.mark.parametrize("out", ["./-", "x/../-", "-/", ".//-"])
def test_only_a_dash_alone_is_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    request = BundleRequest(sources=("a.tar",), output=out)
    request.check(shown=True)
    assert not request.to_stdout
    assert not request.is_archive


@pytest.mark.parametrize("out", ["", " ", "\t"])
def test_an_empty_output_is_refused(out: str) -> None:
    with pytest.raises(UsageError, match="-o is empty"):
        BundleRequest(sources=("a.tar",), output=out).check()


@pytest.mark.parametrize("name", ["file/disk", "file/disk.tar", "disk.tar/x", "file/x/"])
def test_a_path_through_a_file_is_refused(tmp_path: Path, name: str) -> None:
    for each in ("file", "disk.tar"):
        (tmp_path / each).touch()
    request = BundleRequest(sources=("a.tar",), output=f"{tmp_path}/{name}")
    with pytest.raises(UsageError, match="is not a folder, so -o cannot write"):
        request.check()


def test_a_list_alone_is_enough(tmp_path: Path) -> None:
    BundleRequest(sources=(), files=(Path("list.txt"),), output=str(tmp_path / "disk")).check()


@pytest.mark.parametrize(
    ("sources", "out", "split", "fact"),
    [
        (("a.tar",), "disk", 1000, "--split is for an archive"),
        ((), "disk.tar", None, "nothing to put into"),
        (("a.tar",), "none/disk.tar", None, "There is no folder"),
    ],
)
def test_a_request_of_which_nothing_can_come_is_refused(
    tmp_path: Path, sources: tuple[str, ...], out: str, split: int | None, fact: str
) -> None:
    request = BundleRequest(sources=sources, output=str(tmp_path / out), split=split)
    with pytest.raises(UsageError, match=fact):
        request.check()


@pytest.mark.parametrize(
    "name", ["x.tar.gz", "x.tgz", "x.ZIP", "disk.tar.zst", "a.b.7z", "x.txz", "x.iso", "x.tar.GZ"]
)
def test_a_name_of_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    request = BundleRequest(sources=("a.tar",), output=str(tmp_path / name))
    with pytest.raises(UsageError, match="would be neither"):
        request.check()


def test_standard_output_takes_one_archive() -> None:
    out = "-"
    request = BundleRequest(sources=("a.tar",), output=out)
    request.check()
    assert request.is_archive
    assert request.to_stdout
    with pytest.raises(UsageError, match="takes one"):
        BundleRequest(sources=("a.tar",), output=out, split=1000).check()


@pytest.mark.parametrize(
    ("out", "shown", "refused"),
    [("-", True, True), ("-", False, False), ("disk.tar", True, False), ("disk", True, False)],
)
def test_no_archive_goes_to_a_terminal(
    tmp_path: Path, out: str, *, shown: bool, refused: bool
) -> None:
    request = BundleRequest(sources=("a.tar",), output=out if out == "-" else str(tmp_path / out))
    with pytest.raises(UsageError, match="terminal") if refused else nullcontext():
        request.check(shown=shown)
