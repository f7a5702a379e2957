import pytest

from dockless.oci.platform import Platform


@pytest.mark.parametrize("text", ["linux/amd64", "linux/arm/v7", "windows/amd64"])
def test_a_platform_reads_as_it_is_written(text: str) -> None:
    assert str(Platform.parse(text)) == text


@pytest.mark.parametrize("text", ["", "linux", "linux/", "/amd64", "linux//v7", "a/b/c/d"])
def test_anything_else_is_no_platform(text: str) -> None:
    with pytest.raises(ValueError, match="is not a platform"):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("arm64", "linux/arm64"),
        ("amd64", "linux/amd64"),
        ("x86_64", "linux/amd64"),
        ("aarch64", "linux/arm64"),
        ("S390X", "linux/s390x"),
        ("armv7", "linux/arm/v7"),
    ],
)
def test_a_processor_alone_is_meant_with_linux(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"is not a platform: write {meant}"):
        Platform.parse(text)
    assert str(Platform.parse(meant)) == meant


@pytest.mark.parametrize("text", ["linux", "windows", "arm64,amd64", "all", "power"])
def test_another_word_is_not_guessed_at(text: str) -> None:
    with pytest.raises(ValueError, match="is not a platform such as linux/amd64"):
        Platform.parse(text)


@pytest.mark.parametrize(
    ("has", "wanted", "serves"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/amd64", "linux/arm64", False),
        ("windows/amd64", "linux/amd64", False),
        ("linux/arm/v7", "linux/arm", True),
        ("linux/arm/v7", "linux/arm/v6", False),
        ("linux/arm", "linux/arm/v7", False),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64/v8", "linux/arm64", True),
        ("linux/arm64/v9", "linux/arm64/v8", False),
    ],
)
def test_an_image_serves_its_own_platform_and_one_without_a_variant(
    has: str, wanted: str, *, serves: bool
) -> None:
    assert Platform.parse(has).serves(Platform.parse(wanted)) == serves
