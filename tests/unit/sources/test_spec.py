from pathlib import Path

import pytest

from bed.hostile import LAYER, file, image, tar
from dockless.errors import SourceError, UsageError
from dockless.sources.spec import SourceSpec, parse_source, source_text


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "image.tar").touch()
    (tmp_path / "odd:name.tar").touch()
    (tmp_path / "no-ending").write_bytes(tar(*image(file("1/layer.tar", LAYER))))
    (tmp_path / "v1.parts.json").touch()
    (tmp_path / "layout/blobs").mkdir(parents=True)
    (tmp_path / "layout/index.json").touch()
    (tmp_path / "marked").mkdir()
    (tmp_path / "marked/oci-layout").touch()
    (tmp_path / "Large").touch()
    (tmp_path / "program").write_bytes(b"\x7fELF\2\1\1")
    (tmp_path / "empty").touch()
    (tmp_path / "notes").write_text("services:\n")
    (tmp_path / "backup").write_bytes(tar(file("etc/passwd", b"")))
    (tmp_path / "web").mkdir()
    (tmp_path / "web/index.json").write_text("{}")
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
        ("no-ending:shop:v2", "archive", "no-ending", "shop:v2"),
        ("v1.parts.json", "archive", "v1.parts.json", ""),
        ("marked:v1", "layout", "marked", "v1"),
        ("Large", "archive", "Large", ""),
        ("./program", "archive", "program", ""),
        ("./web", "layout", "web", ""),
        ("docker-archive:program", "archive", "program", ""),
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
        ("-", SourceSpec(kind="stdin")),
        ("absent:v2", SourceSpec(kind="local", name="absent:v2", bare=True)),
        ("absent", SourceSpec(kind="local", name="absent", bare=True)),
        ("ghcr.io/acme/shop", SourceSpec(kind="local", name="ghcr.io/acme/shop", bare=True)),
        ("docker-daemon:shop:v2", SourceSpec(kind="local", name="shop:v2", tool="docker")),
        ("containers-storage:shop", SourceSpec(kind="local", name="shop", tool="podman")),
    ],
)
def test_what_is_no_file_is_standard_input_or_a_local_image(
    folder: Path, text: str, expected: SourceSpec
) -> None:
    assert parse_source(text, folder) == expected


@pytest.mark.parametrize("name", ["program", "empty", "notes", "backup", "web", "shop"])
@pytest.mark.parametrize("tag", ["", ":v3"])
def test_what_is_no_image_stands_in_the_way_of_no_name(folder: Path, name: str, tag: str) -> None:
    expected = SourceSpec(
        kind="local", path=folder / name, name=f"{name}{tag}", bare=True, here=f"./{name}"
    )
    assert parse_source(f"{name}{tag}", folder) == expected


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("no-ending", "./no-ending"),
        ("no-ending:v2", "./no-ending"),
        ("layout:v2", "./layout"),
        ("marked", "./marked"),
        ("./no-ending", ""),
        ("image.tar", ""),
        ("Large", ""),
        ("oci:layout", ""),
    ],
)
def test_a_path_that_could_be_a_name_is_known(folder: Path, text: str, here: str) -> None:
    assert parse_source(text, folder).here == here


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
        "./" + "x" * 5000,
        "oci:" + "x/" * 3000,
        "no\0name.tar",
    ],
)
def test_what_looks_like_a_path_must_be_there(folder: Path, text: str) -> None:
    with pytest.raises(SourceError, match=r"There is no (file|folder)"):
        parse_source(text, folder)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("layouts/", "folder"),
        ("./layouts/.", "folder"),
        ("/no/such/", "folder"),
        ("oci:layouts", "folder"),
        ("oci:layouts:v1", "folder"),
        ("dir:unpacked", "folder"),
        ("./layouts", "file"),
        ("oci-archive:layouts", "file"),
        ("docker-archive:x.tar", "file"),
        ("../x.tar", "file"),
    ],
)
def test_what_is_not_there_is_called_what_it_would_be(folder: Path, text: str, kind: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(text, folder)
    named = text.partition(":")[2] if text[0].isalpha() and ":" in text else text
    assert caught.value.what == f"There is no {kind} {named}."


@pytest.mark.parametrize("text", ["Shop", "shop:", "", "a b", "x" * 5000])
def test_what_is_neither_file_nor_name_is_a_usage_error(folder: Path, text: str) -> None:
    with pytest.raises(UsageError, match="neither a file nor an image name"):
        parse_source(text, folder)


@pytest.mark.parametrize(
    ("text", "label"), [("-", "standard input"), ("shop:v2", "shop:v2"), ("image.tar", "image.tar")]
)
def test_the_label_is_what_people_call_it(folder: Path, text: str, label: str) -> None:
    assert parse_source(text, folder).label.endswith(label)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("docker://ghcr.io/acme/shop:v2", "ghcr.io"),
        ("docker://index.docker.io/shop", "docker.io"),
        ("docker://Not/A/Name", ""),
        ("ghcr.io/acme/shop:v2", ""),
        ("docker-daemon:shop:v2", ""),
        ("image.tar", ""),
        ("-", ""),
    ],
)
def test_the_registry_that_a_source_names(folder: Path, text: str, host: str) -> None:
    assert parse_source(text, folder).registry == host


def test_a_path_object_is_a_file_whatever_its_name(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert source_text("shop:v2") == "shop:v2"
    assert source_text(Path("shop")) == str(folder / "shop")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("docker://HTTPS://localhost:5000/a/b", "localhost:5000/a/b"),
        ("docker://https://quay.io/a/b:1", "quay.io/a/b:1"),
    ],
)
def test_https_after_docker_is_dropped(folder: Path, text: str, name: str) -> None:
    assert parse_source(text, folder).name == name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("docker://http://localhost:5000/a", "asks for plain HTTP"),
        ("https://example.com/image.tar", "is not downloaded"),
        ("https://example.com/a.tar.gz", "is not downloaded"),
        ("https://ghcr.io/Acme/shop", "neither a file nor an image name"),
    ],
)
def test_another_address_is_explained(folder: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_source(text, folder)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("https://ghcr.io/acme/shop:v2", "docker://ghcr.io/acme/shop:v2"),
        ("HTTPS://localhost:5000/a/b", "docker://localhost:5000/a/b"),
        ("http://registry.example.com/shop", "docker://registry.example.com/shop"),
        ("https://quay.io/a/b@sha256:" + "0" * 64, "docker://quay.io/a/b@sha256:" + "0" * 64),
    ],
)
def test_the_address_of_an_image_is_never_one_of_this_machine(
    folder: Path, text: str, meant: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_source(text, folder)
    assert f"as {meant}." in caught.value.remedy


@pytest.mark.parametrize(
    ("files", "source", "remedy"),
    [
        (("Dockerfile",), ".", "SOURCE: dockless push --build"),
        (("d/Dockerfile", "d/main.go"), "./d", "cd ./d && dockless push --build"),
        (("d/Containerfile",), "d/", "cd d/ && dockless push --build"),
        (("d/compose.yaml",), "./d/", "cd ./d/ && dockless push --build"),
        (("d/docker-compose.yml",), "./d", "cd ./d && dockless push --build"),
        (("Dockerfile",), "Dockerfile", "SOURCE: dockless push --build"),
        (("d/Dockerfile.prod",), "d/Dockerfile.prod", "cd d && dockless push --build"),
        (("web.Dockerfile",), "./web.Dockerfile", "SOURCE: dockless push --build"),
        (("d/sub/x",), "d/..", ""),
        (("d/readme.md",), "./d", ""),
        (("d/Dockerfile", "d/index.json", "d/oci-layout"), "./d", ""),
    ],
)
def test_what_an_image_is_built_from_is_no_image(
    tmp_path: Path, files: tuple[str, ...], source: str, remedy: str
) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    if not remedy:
        assert parse_source(source, tmp_path).kind == "layout"
        return
    with pytest.raises(SourceError, match="is not an image: it ") as caught:
        parse_source(source, tmp_path)
    assert caught.value.remedy.endswith(remedy)


def test_an_image_may_be_called_like_a_folder_with_a_recipe(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop/Dockerfile").touch()
    assert parse_source("shop", tmp_path).kind == "local"


@pytest.mark.parametrize("transport", ["oci:", "docker-archive:", "oci-archive:", "dir:"])
def test_a_transport_without_a_path_is_said(tmp_path: Path, transport: str) -> None:
    with pytest.raises(UsageError, match="has no path after the colon"):
        parse_source(transport, tmp_path)


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("~/x.tar", "dockless does not: write the whole path"),
        ("~me/d/x.tgz", "dockless does not: write the whole path"),
        ("oci:~/x", "dockless does not: write the whole path"),
        ("/no/such.tar", "Check the path."),
        ("./no/such.tar", "it is relative to this folder."),
    ],
)
def test_a_file_that_is_not_there_gets_the_remedy_for_its_path(
    tmp_path: Path, text: str, remedy: str
) -> None:
    with pytest.raises(SourceError, match=r"There is no (file|folder)") as caught:
        parse_source(text, tmp_path)
    assert caught.value.remedy.endswith((remedy, f"{remedy}."))
