import pytest

from dockless.errors import SourceError, UsageError
from dockless.sources.spec_there import SourceThere, is_bare, parse_there


def there(text: str, **paths: str) -> SourceThere:
    """Read a source on a host that has these paths, each a `file` or a `folder`."""
    return parse_there(text, lambda path: paths.get(path.replace("/", "_").replace(".", "_"), ""))


@pytest.mark.parametrize(
    ("text", "paths", "expected"),
    [
        ("shop:v2", {}, SourceThere(kind="local", name="shop:v2")),
        ("docker-daemon:shop:v2", {}, SourceThere(kind="local", name="shop:v2", tool="docker")),
        ("containers-storage:shop", {}, SourceThere(kind="local", name="shop", tool="podman")),
        ("/a.tar", {"_a_tar": "file"}, SourceThere(kind="archive", path="/a.tar")),
        (
            "/a.tar:shop:v2",
            {"_a_tar": "file"},
            SourceThere(kind="archive", path="/a.tar", selector="shop:v2"),
        ),
        (
            "/a.tar:@1",
            {"_a_tar": "file"},
            SourceThere(kind="archive", path="/a.tar", selector="@1"),
        ),
        ("oci:/lay:v2", {"_lay": "folder"}, SourceThere(kind="layout", path="/lay", selector="v2")),
        ("~/lay", {"~_lay": "folder"}, SourceThere(kind="layout", path="~/lay")),
    ],
)
def test_a_source_on_a_host(text: str, paths: dict[str, str], expected: SourceThere) -> None:
    assert there(text, **paths) == expected


def test_a_path_that_is_not_on_the_host() -> None:
    with pytest.raises(SourceError, match=r"There is no file /a\.tar on the host"):
        there("/a.tar")


def test_what_is_no_name_and_no_path_on_a_host() -> None:
    with pytest.raises(UsageError, match="is neither a file nor an image name"):
        there("Shop; id")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("shop:v2", True), ("docker-daemon:shop", False), ("/a.tar", False), ("oci:lay", False)],
)
def test_a_bare_name_names_the_target_too(text: str, expected: bool) -> None:  # noqa: FBT001 - a case
    assert is_bare(text) == expected
