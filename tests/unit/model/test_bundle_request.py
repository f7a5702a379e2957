"""What is asked of a bundle."""

from contextlib import nullcontext
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.model.bundle_request import BundleRequest


@pytest.mark.parametrize(("name", "archive"), [("disk.tar", True), ("disk", False), (".tar", True)])
def test_an_archive_is_known_by_its_ending(tmp_path: Path, name: str, *, archive: bool) -> None:
    request = BundleRequest(sources=("a.tar",), out=tmp_path / name)
    assert request.is_archive == archive
    request.check()


def test_a_list_alone_is_enough(tmp_path: Path) -> None:
    BundleRequest(sources=(), files=(Path("list.txt"),), out=tmp_path / "disk").check()


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
    request = BundleRequest(sources=sources, out=tmp_path / out, split=split)
    with pytest.raises(UsageError, match=fact):
        request.check()


@pytest.mark.parametrize(
    "name", ["x.tar.gz", "x.tgz", "x.ZIP", "disk.tar.zst", "a.b.7z", "x.txz", "x.iso", "x.tar.GZ"]
)
def test_a_name_of_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    request = BundleRequest(sources=("a.tar",), out=tmp_path / name)
    with pytest.raises(UsageError, match="would be neither"):
        request.check()


@pytest.mark.parametrize("out", ["-", "./-"])
def test_standard_output_takes_one_archive(out: str) -> None:
    request = BundleRequest(sources=("a.tar",), out=Path(out))
    request.check()
    assert request.is_archive
    assert request.to_stdout
    with pytest.raises(UsageError, match="takes one"):
        BundleRequest(sources=("a.tar",), out=Path(out), split=1000).check()


@pytest.mark.parametrize(
    ("out", "shown", "refused"),
    [("-", True, True), ("-", False, False), ("disk.tar", True, False), ("disk", True, False)],
)
def test_no_archive_goes_to_a_terminal(
    tmp_path: Path, out: str, *, shown: bool, refused: bool
) -> None:
    request = BundleRequest(sources=("a.tar",), out=Path(out) if out == "-" else tmp_path / out)
    with pytest.raises(UsageError, match="terminal") if refused else nullcontext():
        request.check(shown=shown)
