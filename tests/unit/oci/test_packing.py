import pytest

from dockless.oci.packing import Packing, asked, chosen

MB = 1_000_000


@pytest.mark.parametrize(
    ("link", "cores", "level"),
    [(None, 2, 3), (1000 * MB, 2, 1), (12.5 * MB, 2, 9), (60 * MB, 2, 3), (60 * MB, 16, 9)],
)
def test_the_slower_the_way_and_the_more_cores_the_higher_the_level(
    link: float | None, cores: int, level: int
) -> None:
    packing = chosen(link, cores, zstd=True, where="r")
    assert (packing.compression, packing.level) == ("zstd", level)
    assert packing.kept == ("gzip", "zstd")


@pytest.mark.parametrize(("link", "level"), [(None, 1), (1000 * MB, 1), (125 * MB, 2), (1 * MB, 3)])
def test_a_registry_without_zstd_gets_gzip(link: float | None, level: int) -> None:
    packing = chosen(link, 2, zstd=False, where="r")
    assert (packing.compression, packing.level, packing.kept) == ("gzip", level, ("gzip",))


@pytest.mark.parametrize(
    ("packing", "text"),
    [
        (asked("none"), "none"),
        (asked("zstd"), "zstd, level 3"),
        (chosen(12_500_000, 2, zstd=True, where="r"), "zstd, level 9 (12.5 MB/s to r)"),
        (
            chosen(None, 2, zstd=False, where="r"),
            "gzip, level 1 (the upload speed to r is not known yet)",
        ),
    ],
)
def test_it_says_what_it_is_and_what_it_was_chosen_by(packing: Packing, text: str) -> None:
    assert str(packing) == text
