import pytest

from dockless.errors import SourceError
from dockless.sources.safe_names import link_target, safe_name


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("manifest.json", "manifest.json"),
        ("./blobs/sha256/1", "blobs/sha256/1"),
        ("1/./layer.tar", "1/layer.tar"),
        ("a/../b", "b"),
        ("..data", "..data"),
    ],
)
def test_a_name_inside_is_made_plain(name: str, clean: str) -> None:
    assert safe_name(name, "image.tar") == clean


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "..", "../x", "a/../../x", "./../x", "a\0b", "caf\udce9"]
)
def test_a_name_that_climbs_out_or_is_no_text_is_refused(name: str) -> None:
    with pytest.raises(SourceError, match=r"image\.tar has a"):
        safe_name(name, "image.tar")


@pytest.mark.parametrize(
    ("target", "hard", "found"),
    [
        ("../1/layer.tar", False, "1/layer.tar"),
        ("layer", False, "2/layer"),
        ("1/layer.tar", True, "1/layer.tar"),
    ],
)
def test_a_symbolic_link_starts_at_its_folder_and_a_hard_one_at_the_top(
    target: str, found: str, *, hard: bool
) -> None:
    assert link_target("2/layer.tar", target, "image.tar", hard=hard) == found


@pytest.mark.parametrize(
    ("target", "hard"), [("/etc/passwd", False), ("../../x", False), ("../x", True), ("/x", True)]
)
def test_a_link_that_leads_out_is_refused(target: str, *, hard: bool) -> None:
    with pytest.raises(SourceError):
        link_target("2/layer.tar", target, "image.tar", hard=hard)
