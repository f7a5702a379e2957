"""One bad entry of a folder or list stops only itself; what has no name arrives all the same."""

import gzip
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless, Result, dockless
from bed.faults import Fault, FaultyRegistry, status
from bed.hostile import file, tar
from bed.images import Layer
from bed.process import output
from bed.pushes import Json, Pusher, archive_identity
from bed.registry import Registry

pytestmark = pytest.mark.sampled(7)

_ALWAYS = 1_000


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, own_registry, tmp_path)


@pytest.fixture
def folder(tmp_path: Path, old_archive: Path) -> Path:
    (tmp_path / "images").mkdir()
    shutil.copy(old_archive, tmp_path / "images" / "good.tar")
    return tmp_path / "images"


def mirrored(pusher: Pusher, *arguments: str | Path) -> Result:
    return pusher.program.run("mirror", *arguments, "--to", f"{pusher.registry.host}/m")


def receipt(path: Path) -> Json:
    return dict(json.loads(path.read_text()))


def sidecar(folder: Path) -> None:
    (folder / "good.tar.sha256").write_text("00  good.tar\n")


def signature(folder: Path) -> None:
    (folder / "good.tar.asc").write_text("-----BEGIN PGP SIGNATURE-----\n")


def chart(folder: Path) -> None:
    (folder / "c-0.1.0.tgz").write_bytes(gzip.compress(tar(file("c/Chart.yaml", b"name: c\n"))))


def apple_double(folder: Path) -> None:
    (folder / "._good.tar").write_bytes(b"\0\5\x16\7Mac OS X" + bytes(2000))


def root_file_system(folder: Path) -> None:
    tree = folder.with_name("tree")
    (tree / "etc").mkdir(parents=True)
    (tree / "etc" / "mtab").symlink_to("/proc/mounts")
    output(("tar", "-C", str(tree), "-czf", str(folder / "export.tar.gz"), "."))


def web_site(folder: Path) -> None:
    members = (file("index.html", b"<html>"), file("manifest.json", b'{"icons": []}'))
    (folder / "site.tar").write_bytes(tar(*members))


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.tar")


@pytest.mark.parametrize(
    "add", [sidecar, signature, chart, apple_double, root_file_system, web_site, pipe]
)
def test_what_is_no_image_is_left_out_with_a_note(
    pusher: Pusher, folder: Path, old_archive: Path, add: Callable[[Path], None]
) -> None:
    add(folder)
    (other,) = (path for path in folder.iterdir() if path.name != "good.tar")
    done = mirrored(pusher, folder)
    assert done.code == 0, done.stderr
    assert f"Skipped, not an image: {other}: " in done.stderr
    assert pusher.back("m/sample:1") == archive_identity(old_archive)


def cut(data: bytes, length: int) -> bytes:
    return data[: length if length >= 0 else len(data) // -length]


@pytest.mark.parametrize(
    ("name", "length"),
    [
        ("empty.tar", 0),
        ("cut.tar", 100),
        ("cut.tar", 3072),
        ("cut.TAR", -2),
        ("cut.tar.gz", -2),
        ("cut.tzst", 3000),
    ],
)
def test_a_cut_archive_is_a_failure_and_the_others_arrive(
    pusher: Pusher, folder: Path, old_archive: Path, name: str, length: int
) -> None:
    data = old_archive.read_bytes()
    if name.endswith("gz"):
        data = gzip.compress(data, 1)
    elif name.endswith("zst"):
        data = images.compressed(folder / "good.tar", "zstd").read_bytes()
        (folder / "good.tar.zstd").unlink()
    (folder / name).write_bytes(cut(data, length))
    path = folder.with_name("receipt.json")
    done = mirrored(pusher, folder, "--receipt", path)
    assert done.code == 8, done.stderr
    found = receipt(path)
    assert [each["source"] for each in found["failures"]] == [str(folder / name)]
    assert found["finished"]
    assert len(found["images"]) == 1
    assert pusher.back("m/sample:1") == archive_identity(old_archive)


def test_images_are_found_whatever_their_files_are_called(
    pusher: Pusher, folder: Path, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    names = ("d.txz", "e.img", "F.TAR", "without-ending")
    for name in names:
        layout = images.Layout(tmp_path / name)
        repository = f"ghcr.io/acme/{name[0].lower()}:v1"
        layout.top(layout.image(layers[1:2], name, **images.named(repository)))
        packed = images.archive(layout.folder, tmp_path / f"{name}.tar")
        if name == "d.txz":
            packed = images.compressed(packed, "xz")
        shutil.move(packed, folder / name)
    done = mirrored(pusher, folder)
    assert done.code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1 + len(names)
    for name in names:
        assert (
            pusher.digest(f"m/acme/{name[0].lower()}:v1")
            in (tmp_path / name / "index.json").read_text()
        )


@pytest.fixture
def unprivileged() -> Iterator[Dockless]:
    """Return dockless as a user who may not read everything, as root may."""
    # not below pytest's folder, which every session that begins closes to others again
    with tempfile.TemporaryDirectory(prefix="unprivileged-") as folder:
        Path(folder).chmod(0o755)
        program = dockless(Path(folder, "dockless"))
        if os.geteuid() == 0:
            for path in (program.folder, *program.folder.rglob("*")):
                os.chown(path, 65534, 65534, follow_symlinks=False)
            user = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
            program = replace(program, before=user)
        yield program


def test_what_may_not_be_read_is_a_failure_and_the_others_arrive(
    unprivileged: Dockless, own_registry: Registry, old_archive: Path
) -> None:
    folder = unprivileged.folder.with_name("images")
    folder.mkdir()
    shutil.copy(old_archive, folder / "good.tar")
    (folder / "good.tar").chmod(0o644)
    (folder / "closed").mkdir()
    shutil.copy(folder / "good.tar", folder / "closed" / "more.tar")
    (folder / "closed").chmod(0)
    shutil.copy(folder / "good.tar", folder / "secret.tar")
    (folder / "secret.tar").chmod(0)
    path = unprivileged.folder / "project" / "receipt.json"
    argv = ("mirror", folder, folder / "closed" / "more.tar", "--to", own_registry.host)
    done = unprivileged.run(*argv, "--receipt", path)
    (folder / "closed").chmod(0o700)
    assert done.code == 8, done.stderr
    assert sorted(each["source"] for each in receipt(path)["failures"]) == [
        str(folder / "closed"),
        str(folder / "closed" / "more.tar"),
        str(folder / "secret.tar"),
    ]
    assert len(receipt(path)["images"]) == 1


def test_a_list_says_where_each_failure_stands(
    pusher: Pusher, folder: Path, old_archive: Path, tmp_path: Path
) -> None:
    host = pusher.registry.host
    wrong = {
        3: "missing.tar",
        4: f"docker://{host}/no/such:v1",
        5: "docker://127.0.0.1:1/down/one:v1",
        6: "docker://127.0.0.1:1/down/two:v1",
        7: f"{folder}/*.oci",
        8: f"{folder}/good.tar:no-such-image",
        9: "docker://Not/A/Name",
        10: "no-such-folder/",
        11: str(tmp_path / "empty"),
        12: "x" * 5000,
        13: f"docker://{host}/no/such@sha256:{'0' * 64}",
        14: f"docker://ann:S3cret-31@{host}/no/such:v1",
    }
    (tmp_path / "empty").mkdir()
    path = tmp_path / "list.txt"
    lines = ["# all", f"  {folder}/good.tar", *wrong.values()]
    path.write_text("\n".join(lines))
    found = tmp_path / "receipt.json"
    done = mirrored(pusher, "-f", path, "--receipt", found, "--retries", "1")
    assert done.code == 8, done.stderr
    failures = receipt(found)["failures"]
    assert [each["origin"] for each in failures] == [f"{path}:{line}:1" for line in wrong]
    for failure in failures:
        assert failure["error"]["message"].startswith(failure["origin"])
        assert failure["origin"] in done.stderr
    kinds = {line: each["error"]["kind"] for line, each in zip(wrong, failures, strict=True)}
    assert (kinds[4], kinds[5], kinds[6], kinds[13]) == ("source", "network", "network", "source")
    assert done.stderr.count("Retrying in") == 1, "a registry that is down is asked once"
    assert "S3cret-31" not in found.read_text() + done.stderr + done.stdout
    assert pusher.back("m/sample:1") == archive_identity(old_archive)


def test_a_list_in_yaml_says_where_each_failure_stands(pusher: Pusher, folder: Path) -> None:
    host = pusher.registry.host
    assert mirrored(pusher, folder).code == 0
    path = folder.with_name("list.yml")
    path.write_text(
        f"{host}:\n  images:\n    m/sample:\n      - '1'\n      - nosuch\n    no/such: []\n"
        "  images-by-tag-regex:\n    m/sample: ^none$\n"
        "127.0.0.1:1:\n  images:\n    a/b: []\n"
    )
    found = folder.with_name("receipt.json")
    done = pusher.program.run(
        "mirror", "-f", path, "--to", f"{host}/n", "--receipt", found, "--retries", "0"
    )
    assert done.code == 8, done.stderr
    places = [each["origin"].removeprefix(f"{path}:") for each in receipt(found)["failures"]]
    assert places == ["5:9", "6:14", "8:15", "11:10"]
    assert pusher.digest("n/m/sample:1") == pusher.digest("m/sample:1")


def test_a_wrong_entry_of_a_list_in_yaml_stops_only_itself(pusher: Pusher, folder: Path) -> None:
    host = pusher.registry.host
    assert mirrored(pusher, folder).code == 0
    path = folder.with_name("list.yml")
    path.write_text(
        f"{host}:\n  images:\n    m/sample: ['a b', '1', 'sha256:7']\n    M/Sample: ['1']\n"
        "  images-by-tag-regex:\n    m/sample: '['\n"
        "  images-by-semver:\n    m/sample: newest\n"
        "not a host:\n  images:\n    a: [v1]\n"
    )
    found = folder.with_name("receipt.json")
    done = pusher.program.run("mirror", "-f", path, "--to", f"{host}/n", "--receipt", found)
    assert done.code == 8, done.stderr
    failures = receipt(found)["failures"]
    places = [each["origin"].removeprefix(f"{path}:") for each in failures]
    assert places == ["3:16", "3:28", "4:15", "6:15", "8:15", "10:3"]
    assert all(each["origin"] in done.stderr for each in failures)
    assert pusher.digest("n/m/sample:1") == pusher.digest("m/sample:1")


@pytest.mark.parametrize(
    "line", [b"f\xfcr.tar", b"docker://HOST/caf\xe9:1", b"b.tar # \xff", b"\xe9"]
)
def test_a_line_that_is_no_utf_8_stops_only_itself(
    pusher: Pusher, folder: Path, old_archive: Path, line: bytes
) -> None:
    path, found = folder.with_name("list.txt"), folder.with_name("receipt.json")
    line = line.replace(b"HOST", pusher.registry.host.encode())
    path.write_bytes(line + b"\n" + os.fsencode(folder / "good.tar"))
    done = mirrored(pusher, "-f", path, "--receipt", found)
    assert done.code == 8, done.stderr
    assert [each["origin"] for each in receipt(found)["failures"]] == [f"{path}:1:1"]
    assert pusher.back("m/sample:1") == archive_identity(old_archive)


def test_a_layer_that_may_be_damaged_is_found_when_it_is_pushed_with_its_place(
    pusher: Pusher, folder: Path, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    layout = images.Layout(tmp_path / "layout")
    layout.top(layout.image(layers[:1], **images.named("acme/web:v1")))
    blob = max(layout.folder.glob("blobs/*/*"), key=lambda path: path.stat().st_size)
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    path = tmp_path / "list.txt"
    path.write_text(f"{folder}/good.tar\n{layout.folder}\n")
    found = tmp_path / "receipt.json"
    done = mirrored(pusher, "-f", path, "--receipt", found)
    assert done.code == 8, done.stderr
    (failure,) = receipt(found)["failures"]
    assert failure["origin"] == f"{path}:2:1"
    assert failure["references"]


def test_a_target_that_refuses_the_first_image_gets_the_others(
    program: Dockless, faulty_registry: FaultyRegistry, folder: Path, layers: tuple[Layer, ...]
) -> None:
    layout = images.Layout(folder / "a")
    layout.top(layout.image(layers[:1], **images.named("acme/web:v1")))
    faulty_registry.faults.append(Fault("HEAD", "/m/acme/web/manifests/", status(403), _ALWAYS))
    done = program.run("mirror", folder, "--to", f"{faulty_registry.host}/m")
    assert done.code == 8, done.stderr
    assert "/m/sample@sha256:" in done.stdout


@pytest.mark.parametrize("sources", [("",), (" ",), ("good.tar", "")])
def test_an_empty_source_is_no_folder(pusher: Pusher, sources: tuple[str, ...]) -> None:
    done = mirrored(pusher, *sources)
    assert (done.code, "SOURCE is empty" in done.stderr) == (2, True)
    assert not pusher.registry.requests()


def test_a_bundle_is_all_that_was_asked_for_or_says_what_it_lacks(
    pusher: Pusher, folder: Path, old_archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "disk.tar"
    path = tmp_path / "list.txt"
    missing = f"docker://{pusher.registry.host}/no/such:v1"
    path.write_text(f"missing.tar\n{folder}/good.tar\n{missing}\n")
    done = pusher.program.run("bundle", "create", "-o", out, "-f", path)
    assert (done.code, done.stdout) == (3, "")
    assert f"{path}:1:1: There is no file missing.tar" in done.stderr
    assert "--keep-going" in done.stderr
    assert not list(tmp_path.glob("*disk*"))
    done = pusher.program.run("bundle", "create", "-o", out, "-f", path, "--keep-going", "-q")
    assert (done.code, done.stdout) == (8, f"{out}\n"), done.stderr
    assert f"{out} lacks 2 images" in done.stderr
    missing_lines = [line for line in done.stderr.splitlines() if line.startswith("Missing")]
    assert [
        f"{path}:{number}:1" in line for number, line in zip((1, 3), missing_lines, strict=True)
    ]
    assert pusher.program.run("bundle", "verify", out).code == 0
    assert mirrored(pusher, out).code == 0
    assert pusher.back("m/sample:1") == archive_identity(old_archive)


@pytest.mark.parametrize("source", ["{}:@0", "docker-archive:{}:@0"])
def test_an_image_is_chosen_by_its_number(
    pusher: Pusher, old_archive: Path, tmp_path: Path, source: str
) -> None:
    text = source.format(old_archive)
    done = mirrored(pusher, text)
    assert done.code == 0, done.stderr
    assert pusher.back("m/sample:1") == archive_identity(old_archive)
    done = pusher.program.run("bundle", "create", "-o", tmp_path / "one.tar", text)
    assert done.code == 0, done.stderr


@pytest.mark.parametrize("name", ["ghcr.io/Acme/Odd:v1", "1.0+meta", "a b"])
def test_a_name_that_is_none_does_not_keep_a_bundle(
    program: Dockless, folder: Path, tmp_path: Path, name: str
) -> None:
    layout = images.Layout(folder / "odd")
    layout.top(layout.image((), **images.named(name)))
    out = tmp_path / "disk"
    done = program.run("bundle", "create", "-o", out, folder, "--keep-going")
    assert done.code == 8, done.stderr
    assert "cannot be named" in done.stderr
    assert len(json.loads((out / "index.json").read_text())["manifests"]) == 1


@pytest.mark.parametrize("bundled", ["folder", "archive", "of version 0.1"])
def test_what_is_pinned_by_digest_comes_out_of_a_bundle(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path, bundled: str
) -> None:
    layout = images.Layout(tmp_path / "layout")
    layout.top(layout.image(layers[:2], **images.named("acme/web:v1")))
    sent = pusher.program.run("mirror", layout.folder, "--to", pusher.registry.host)
    assert sent.code == 0, sent.stderr
    digest = pusher.digest("acme/web:v1")
    pinned = f"{pusher.registry.host}/acme/web@{digest}"
    out = tmp_path / ("disk.tar" if bundled == "archive" else "disk")
    done = pusher.program.run("bundle", "create", "-o", out, f"docker://{pinned}")
    assert done.code == 0, done.stderr
    if bundled == "of version 0.1":
        index = json.loads((out / "index.json").read_text())
        for each in index["manifests"]:
            each.pop("annotations")
        (out / "index.json").write_text(json.dumps(index, separators=(",", ":")))
    checked = pusher.program.run("bundle", "verify", out)
    assert checked.code == 0, checked.stderr
    found = tmp_path / "receipt.json"
    done = mirrored(pusher, out, "--receipt", found)
    assert done.code == 0, done.stderr
    (image,) = receipt(found)["images"]
    assert image["references"] == [f"{pusher.registry.host}/m/acme/web@{digest}"]
    assert pusher.digest(f"m/acme/web@{digest}") == digest
    assert pusher.program.run("verify", found).code == 0


def test_a_signature_that_is_pinned_comes_out_of_a_bundle_without_its_image(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    layout = images.Layout(tmp_path / "layout")
    image = layout.image(layers[:1], **images.named("acme/web:v1"))
    about = layout.referrer(image, b"a signature")
    layout.top(image, about)
    sent = pusher.program.run("mirror", layout.folder, "--to", pusher.registry.host)
    assert sent.code == 0, sent.stderr
    out = tmp_path / "disk"
    pinned = f"docker://{pusher.registry.host}/acme/web@{about['digest']}"
    assert pusher.program.run("bundle", "create", "-o", out, pinned).code == 0
    done = mirrored(pusher, out, "--no-referrers")
    assert done.code == 0, done.stderr
    assert pusher.digest(f"m/acme/web@{about['digest']}") == about["digest"]


@pytest.fixture
def nameless(pusher: Pusher, old_archive: Path, tmp_path: Path) -> dict[str, Path]:
    """Layouts as crane and skopeo write them where no name is given, and `docker save ID`."""
    pushed = pusher.program.run("push", old_archive, "--image", pusher.reference("src/nm:v1"))
    assert pushed.code == 0, pushed.stderr
    reference = pusher.reference("src/nm:v1")
    made = {name: tmp_path / "made" / name for name in ("crane", "skopeo", "saved.tar")}
    (tmp_path / "made").mkdir()
    argv = ("crane", "pull", "--format=oci", reference, str(made["crane"]))
    tools = pusher.program.environment()["DOCKLESS_TOOLS_DIR"]
    path = f"{tools}:{os.environ['PATH']}"
    subprocess.run(argv, env={**os.environ, "PATH": path}, check=True)
    images.skopeo_copy(f"docker://{reference}", f"oci:{made['skopeo']}", "--src-tls-verify=false")
    unpacked = tmp_path / "unpacked"
    shutil.unpack_archive(old_archive, unpacked)
    listing = json.loads((unpacked / "manifest.json").read_text())
    listing[0]["RepoTags"] = None
    (unpacked / "manifest.json").write_text(json.dumps(listing))
    images.archive(unpacked, made["saved.tar"])
    return made


@pytest.mark.parametrize("kind", ["crane", "skopeo", "saved.tar"])
def test_an_image_without_a_name_goes_by_digest_or_with_the_tag_that_is_given(
    pusher: Pusher, nameless: dict[str, Path], old_archive: Path, tmp_path: Path, kind: str
) -> None:
    found = tmp_path / "receipt.json"
    done = mirrored(pusher, nameless[kind], "--receipt", found)
    assert done.code == 0, done.stderr
    (image,) = receipt(found)["images"]
    repository = kind.partition(".")[0]
    assert image["references"] == [f"{pusher.registry.host}/m/{repository}@{image['digest']}"]
    assert pusher.digest(f"m/{repository}@{image['digest']}") == image["digest"]
    done = mirrored(pusher, nameless[kind], "--as", "nm:v1")
    assert done.code == 0, done.stderr
    assert pusher.back("m/nm:v1") == archive_identity(old_archive)
    out = tmp_path / "disk.tar"
    done = pusher.program.run("bundle", "create", "-o", out, nameless[kind], "--as", "acme/b:v2")
    assert done.code == 0, done.stderr
    assert mirrored(pusher, out).code == 0
    assert pusher.back("m/acme/b:v2") == archive_identity(old_archive)
    out = tmp_path / "by-digest"
    done = pusher.program.run("bundle", "create", "-o", out, nameless[kind], "--as", "acme/b")
    assert done.code == 0, done.stderr
    done = mirrored(pusher, out)
    assert done.code == 0, done.stderr
    assert f"/m/acme/b@{image['digest']}" in done.stdout


def test_several_without_a_name_fail_each_for_itself(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    layout = images.Layout(tmp_path / "several")
    made = [layout.image(layers[:count], "amd64") for count in (1, 2, 3)]
    layout.top(*made)
    found = tmp_path / "receipt.json"
    done = mirrored(pusher, layout.folder, "--as", "nm:v1", "--receipt", found)
    assert done.code == 5, done.stderr
    assert len(receipt(found)["failures"]) == 3
    done = mirrored(pusher, layout.folder, "--as", "nm", "--receipt", found)
    assert done.code == 0, done.stderr
    for image in made:
        assert pusher.digest(f"m/nm@{image['digest']}") == image["digest"]


def test_a_file_whose_name_is_no_text_is_pushed_or_said(
    pusher: Pusher, folder: Path, old_archive: Path
) -> None:
    (folder / "good.tar").rename(folder / os.fsdecode(b"f\xfcr.tar"))
    (folder / os.fsdecode(b"cut\xff.tar")).write_bytes(b"")
    (folder / os.fsdecode(b"\xff.sha256")).write_text("00  a\n")
    path = folder.with_name("receipt.json")
    done = mirrored(pusher, folder, "--receipt", path, "--format", "json")
    assert done.code == 8, done.stderr
    assert len(receipt(path)["images"]) == len(receipt(path)["failures"]) == 1
    assert pusher.back("m/sample:1") == archive_identity(old_archive)


def test_parts_of_a_mirror_say_once_what_none_of_them_finds(
    pusher: Pusher, folder: Path, tmp_path: Path
) -> None:
    argv = (folder, tmp_path / "missing.tar")
    parts = [tmp_path / "0.json", tmp_path / "1.json"]
    for number, part in enumerate(parts):
        done = mirrored(pusher, *argv, "--shard", f"{number}/2", "--receipt", part)
        assert done.code in (3, 8), done.stderr
    whole = tmp_path / "whole.json"
    pusher.program.run("verify", *parts, "--merge", whole)
    assert [each["source"] for each in receipt(whole)["failures"]] == [
        str(tmp_path / "missing.tar")
    ]
    assert len(receipt(whole)["images"]) == 1


def test_a_part_of_a_mirror_stops_where_others_may_find_more(pusher: Pusher, folder: Path) -> None:
    down = "docker://127.0.0.1:1/down/one:v1"
    done = mirrored(pusher, folder, down, "--shard", "0/2", "--retries", "0")
    assert done.code == 6, done.stderr
    assert "All parts must see the same sources" in done.stderr
    assert not pusher.registry.requests()


FAULTY_DESCRIPTORS = (
    "null",
    '{"digest": "sha256:xyz"}',
    '{"size": "12"}',
    '{"annotations": {"org.opencontainers.image.ref.name": ["b"]}}',
)
FAULTY_ENTRIES = (
    "null",
    '{"Config": "c.json", "RepoTags": 5}',
    '{"Config": "c.json", "Layers": ["../../etc/passwd"]}',
)


def half_good(kind: str, faulty: str, name: str, folder: Path, layer: Layer, archive: Path) -> Path:
    """Write a layout or archive of a good image and an entry that is faulty."""
    (folder / "half").mkdir(parents=True)
    if kind == "layout":
        layout = images.Layout(folder / "half" / "layout")
        image = layout.image([layer], **images.named(name))
        good = json.dumps(image)
        if faulty.startswith("{"):
            faulty = f"{good[:-1]}, {faulty[1:]}"
        index = f'{{"schemaVersion": 2, "manifests": [{good}, {faulty}]}}'
        (layout.folder / "index.json").write_text(index)
        return layout.folder
    members = folder / "members"
    members.mkdir()
    output(("tar", "-C", str(members), "-xf", str(archive)))
    (good,) = json.loads((members / "manifest.json").read_text())
    for other in ("index.json", "oci-layout", "repositories"):
        (members / other).unlink(missing_ok=True)
    text = f"[{json.dumps(good | {'RepoTags': [name]})}, {faulty}]"
    (members / "manifest.json").write_text(text)
    path = folder / "half" / "half.tar"
    output(("tar", "-C", str(members), "-cf", str(path), "."))
    return path


@pytest.mark.parametrize(
    ("kind", "faulty"),
    [
        *(("layout", faulty) for faulty in FAULTY_DESCRIPTORS),
        *(("archive", faulty) for faulty in FAULTY_ENTRIES),
    ],
)
def test_a_faulty_entry_of_a_layout_or_archive_stops_only_itself(
    pusher: Pusher,
    tmp_path: Path,
    old_archive: Path,
    layers: tuple[Layer, ...],
    kind: str,
    faulty: str,
) -> None:
    name = f"{pusher.registry.host}/every/shop:1"
    path = half_good(kind, faulty, name, tmp_path / "given", layers[0], old_archive)
    place = "index.json: manifests[1]" if kind == "layout" else "manifest.json: [1]"
    result = mirrored(pusher, path.parent, "--receipt", tmp_path / "r.json")
    assert result.code == 8, result.stderr
    written = receipt(tmp_path / "r.json")
    assert [each["name"] for each in written["images"]] == [name]
    (failed,) = written["failures"]
    assert failed["name"] == "@1"
    assert place in failed["error"]["message"]
    assert pusher.manifest("m/every/shop:1")
    bundle = ("bundle", "create", "--output", tmp_path / "b.tar", "--keep-going", path)
    result = pusher.program.run(*bundle)
    assert result.code == 8, result.stderr
    assert place in result.stderr
    assert name in pusher.program.run("bundle", "list", tmp_path / "b.tar").stdout
    for choice in (name, "@0"):
        pusher.push("one/shop:2", f"{path}:{choice}")
    without = pusher.run("one/shop:3", path)
    assert without.code == 3, without.stderr
    assert place in without.stderr
    every = pusher.program.run("push", path, "--all")
    assert every.code == 8, every.stderr
    assert place in every.stderr
    assert pusher.manifest("every/shop:1")
    assert "Error(" not in result.stderr + without.stderr + every.stderr
