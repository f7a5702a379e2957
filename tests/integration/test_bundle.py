"""Bundles: many images on a disk, from everywhere, and out again."""

import contextlib
import hashlib
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import urllib3

from bed import images
from bed.dockless import Dockless, Result
from bed.images import Layer
from bed.pushes import Pusher, archive_identity, layout_identity
from bed.registry import Registry, crane_registry


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, own_registry, tmp_path)


@pytest.fixture
def layouts(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    """Two layouts of images that share layers, and one index of two platforms."""
    folder = tmp_path / "layouts"
    for name, parts in (("web", layers[:2]), ("api", layers)):
        layout = images.Layout(folder / name)
        layout.top(layout.image(parts, "amd64", **images.named(f"ghcr.io/acme/{name}:v1")))
    both = images.Layout(folder / "both")
    parts_of = {"amd64": layers[:2], "arm64/v8": layers[::2]}
    both.top(both.platforms(parts_of, **images.named("ghcr.io/acme/both:v1")))
    return folder


def create(program: Dockless, out: Path, *arguments: str | Path) -> Result:
    done = program.run("bundle", "create", "-o", out, *arguments)
    assert done.code == 0, done.stderr
    return done


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_bundle_has_each_blob_once_and_goes_out_again(
    pusher: Pusher, layouts: Path, old_archive: Path, tmp_path: Path
) -> None:
    out = tmp_path / "disk"
    done = create(pusher.program, out, layouts, old_archive)
    assert done.stdout == f"{out}\n"
    lock = json.loads((out / "bundle.lock.json").read_text())
    assert [each["name"] for each in lock["images"]] == [
        "docker.io/library/sample:1",
        *(f"ghcr.io/acme/{name}:v1" for name in ("api", "both", "web")),
    ]
    blobs = {blob["digest"] for each in lock["images"] for blob in each["blobs"]}
    assert all((out / "blobs" / digest.replace(":", "/")).exists() for digest in blobs)
    listed = pusher.program.run("bundle", "list", out).stdout
    assert "linux/amd64, linux/arm64" in listed
    assert pusher.program.run("bundle", "verify", out).code == 0
    sent = pusher.program.run("mirror", out, "--to", pusher.registry.host)
    assert sent.code == 0, sent.stderr
    assert pusher.back("acme/web:v1") == layout_identity(layouts / "web")
    assert pusher.back("sample:1") == archive_identity(old_archive)
    for each in lock["images"]:
        name = each.get("shortName") or each["name"].partition("/")[2]
        assert pusher.digest(name) == each["digest"]


@pytest.mark.sampled(7)
@pytest.mark.parametrize("rule", [(), ("--strip-prefix", "docker.io/library"), ("--flatten",)])
@pytest.mark.parametrize("form", ["folder", "tar", "again"])
def test_an_image_has_the_same_name_at_the_target_with_a_bundle_and_without(
    pusher: Pusher,
    layers: tuple[Layer, ...],
    old_archive: Path,
    tmp_path: Path,
    form: str,
    rule: tuple[str, ...],
) -> None:
    folder = tmp_path / "sources"
    named: dict[str, dict[str, Any]] = {
        "tagged": images.named("v1"),
        "nameless": {},
        "hub": images.named("docker.io/library/nginx:1"),
        "short": images.named("docker.io/redis:7"),
        "acme": images.named("acme/app:v1"),
        "host": images.named("ghcr.io/shop:v1"),
    }
    for number, (name, annotations) in enumerate(named.items()):
        layout = images.Layout(folder / name)
        layout.top(layout.image(layers[: number % 3 + 1], "amd64", **annotations))
    argv = ("--to", f"{pusher.registry.host}/m", *rule, "--format", "json")

    def mirrored(*sources: Path) -> dict[str, list[str]]:
        done = pusher.program.run("mirror", *sources, *argv)
        assert done.code == 0, done.stderr
        found = json.loads(done.stdout)["images"]
        return {each["digest"] + str(each["references"]): each["references"] for each in found}

    direct = mirrored(folder, old_archive)
    assert len(direct) == len(named) + 1
    bundle = tmp_path / ("disk.tar" if form == "tar" else "disk")
    create(pusher.program, bundle, folder, old_archive)
    if form == "again":
        create(pusher.program, tmp_path / "again", bundle)
        bundle = tmp_path / "again"
    assert pusher.program.run("bundle", "verify", bundle).code == 0
    assert mirrored(bundle) == direct


def test_skopeo_finds_each_image_by_its_full_name(
    program: Dockless, layouts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "disk"
    create(program, out, layouts)
    images.skopeo_copy(f"oci:{out}:ghcr.io/acme/web:v1", f"dir:{tmp_path / 'web'}")
    assert (tmp_path / "web" / "manifest.json").exists()


def test_the_same_images_give_the_same_bytes(
    program: Dockless, layouts: Path, old_archive: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.tar", tmp_path / "two.tar"
    create(program, one, layouts, old_archive)
    create(program, two, old_archive, layouts)
    assert sha256(one) == sha256(two)
    names = subprocess.run(("tar", "-tf", one), capture_output=True, text=True, check=True).stdout
    assert names.split()[:3] == ["oci-layout", "index.json", "manifest.json"]
    assert not list(tmp_path.glob(".*"))


def test_parts_are_checked_and_go_out_as_one(pusher: Pusher, layouts: Path, tmp_path: Path) -> None:
    whole, out = tmp_path / "whole.tar", tmp_path / "disk.tar"
    create(pusher.program, whole, layouts)
    done = create(pusher.program, out, layouts, "--split", "1M")
    *parts, listing = map(Path, done.stdout.split())
    assert len(parts) > 2
    assert max(part.stat().st_size for part in parts) <= 1_000_000
    assert b"".join(part.read_bytes() for part in parts) == whole.read_bytes()
    assert pusher.program.run("bundle", "verify", listing).code == 0
    sent = pusher.program.run("mirror", listing, "--to", pusher.registry.host)
    assert sent.code == 0, sent.stderr
    assert pusher.back("acme/api:v1") == layout_identity(layouts / "api")


@pytest.mark.sampled(5)
@pytest.mark.parametrize("damage", ["flipped", "cut", "gone", "swapped"])
def test_a_damaged_part_is_named(
    program: Dockless, layouts: Path, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "disk.tar"
    *parts, listing = map(Path, create(program, out, layouts, "--split", "1M").stdout.split())
    data = parts[1].read_bytes()
    if damage == "flipped":
        parts[1].write_bytes(data[:500] + bytes([data[500] ^ 1]) + data[501:])
    elif damage == "cut":
        parts[1].write_bytes(data[:-1])
    elif damage == "gone":
        parts[1].unlink()
    else:
        parts[1].write_bytes(parts[0].read_bytes())
        parts[0].write_bytes(data)
    done = program.run("bundle", "verify", listing)
    assert done.code == 3
    wrong = {*parts[:2]} if damage == "swapped" else {parts[1]}
    assert {part for part in parts if f"part {part}" in done.stderr} == wrong


@pytest.mark.parametrize("damage", ["cut", "gone", "swapped"])
def test_parts_that_make_no_archive_push_nothing(
    pusher: Pusher, layouts: Path, tmp_path: Path, damage: str
) -> None:
    out = tmp_path / "disk.tar"
    *parts, listing = map(
        Path, create(pusher.program, out, layouts, "--split", "1M").stdout.split()
    )
    if damage == "cut":
        parts[1].write_bytes(parts[1].read_bytes()[:-1])
    elif damage == "gone":
        parts[1].unlink()
    else:
        first = parts[0].read_bytes()
        parts[0].write_bytes(parts[1].read_bytes())
        parts[1].write_bytes(first)
    done = pusher.program.run("mirror", listing, "--to", pusher.registry.host)
    assert done.code == 3, done.stderr
    assert f"part {parts[damage != 'swapped']}" in done.stderr
    assert not pusher.registry.requests()


@pytest.mark.parametrize("split", [(), ("--split", "1M")], ids=["whole", "parts"])
def test_a_flipped_bit_in_an_archive_keeps_only_the_images_that_have_it(
    pusher: Pusher, layouts: Path, tmp_path: Path, split: tuple[str, ...]
) -> None:
    done = create(pusher.program, tmp_path / "disk.tar", layouts, *split)
    *parts, source = map(Path, done.stdout.split())
    files = parts or [source]
    blobs = {name: set((layouts / name / "blobs/sha256").iterdir()) for name in ("api", "web")}
    elsewhere = {blob.name for blob in blobs["web"]}
    third = max(
        (blob for blob in blobs["api"] if blob.name not in elsewhere),
        key=lambda blob: blob.stat().st_size,
    )
    mark = third.read_bytes()[1000:1032]
    (file,) = (file for file in files if mark in file.read_bytes())
    data = bytearray(file.read_bytes())
    data[data.index(mark)] ^= 1
    file.write_bytes(data)
    done = pusher.program.run("mirror", source, "--to", pusher.registry.host)
    assert done.code == 8, done.stderr
    assert f"blobs/sha256/{third.name} is damaged" in done.stderr
    assert pusher.back("acme/web:v1") == layout_identity(layouts / "web")
    assert len(done.stdout.splitlines()) == 1
    assert not [
        each
        for each in pusher.registry.requests()
        if third.name in each.path and each.method == "PUT"
    ]


def test_a_bundle_of_one_platform_has_no_other(
    pusher: Pusher, layouts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "arm"
    create(pusher.program, out, layouts / "both", "--platform", "linux/arm64")
    lock = json.loads((out / "bundle.lock.json").read_text())
    assert [each["platforms"] for each in lock["images"]] == [["linux/arm64"]]
    listed = {blob["digest"] for each in lock["images"] for blob in each["blobs"]}
    there = {f"sha256:{each.name}" for each in (out / "blobs/sha256").iterdir()}
    assert there == listed | {lock["images"][0]["digest"]}
    several = ("--platform", "linux/arm64", "--platform", "linux/amd64")
    create(pusher.program, tmp_path / "two", layouts / "both", *several)
    (two,) = json.loads((tmp_path / "two/bundle.lock.json").read_text())["images"]
    assert sorted(two["platforms"]) == ["linux/amd64", "linux/arm64"]
    refused = pusher.program.run(
        "bundle", "create", "-o", tmp_path / "none", layouts, "--platform", "linux/arm64"
    )
    assert refused.code == 3
    assert "has no image for linux/arm64" in refused.stderr
    assert not (tmp_path / "none").exists()


def test_only_what_is_new_is_in_a_later_bundle(
    pusher: Pusher, layouts: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    create(pusher.program, first, layouts / "web")
    create(pusher.program, second, layouts, "--since", first / "bundle.lock.json")
    lock = json.loads((second / "bundle.lock.json").read_text())
    assert lock["elsewhere"]
    for digest in lock["elsewhere"]:
        assert (first / "blobs" / digest.replace(":", "/")).exists()
        assert not (second / "blobs" / digest.replace(":", "/")).exists()
    assert pusher.program.run("bundle", "verify", second).code == 0
    for part in (first, second):
        done = pusher.program.run("mirror", part, "--to", f"{pusher.registry.host}/m")
        assert done.code == 0, done.stderr
    assert pusher.back("m/acme/api:v1") == layout_identity(layouts / "api")


def test_a_flipped_bit_is_found_wherever_it_is(
    program: Dockless, layouts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "disk"
    create(program, out, layouts)
    blobs = sorted((out / "blobs/sha256").iterdir())
    for blob in blobs:
        data = blob.read_bytes()
        blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        done = program.run("bundle", "verify", out)
        assert done.code == 3, blob
        assert blob.name[:12] in done.stderr
        blob.write_bytes(data)
    assert program.run("bundle", "verify", out).code == 0
    (out / "manifest.json").write_bytes((out / "manifest.json").read_bytes() + b" ")
    done = program.run("bundle", "verify", out)
    assert (done.code, "manifest.json is damaged" in done.stderr) == (3, True)


def test_a_lock_that_does_not_match_is_said(
    program: Dockless, layouts: Path, tmp_path: Path
) -> None:
    out = tmp_path / "disk"
    create(program, out, layouts)
    lock = out / "bundle.lock.json"
    lock.write_text(lock.read_text().replace("acme/web", "acme/wab"))
    done = program.run("bundle", "verify", out)
    assert done.code == 3
    assert "does not list ghcr.io/acme/wab:v1" in done.stderr
    assert "lists ghcr.io/acme/web:v1" in done.stderr


def test_images_of_a_registry_come_with_their_signatures(
    pusher: Pusher, layouts: Path, tmp_path: Path
) -> None:
    host = pusher.registry.host
    sent = pusher.program.run("mirror", layouts, "--to", host)
    assert sent.code == 0, sent.stderr
    digest = pusher.digest("acme/web:v1")
    signature = digest.replace(":", "-") + ".sig"
    layout = images.Layout(tmp_path / "signature")
    layout.top(layout.image((), "amd64", **images.named("sig")))
    pusher.push(f"acme/web:{signature}", tmp_path / "signature")
    path = tmp_path / "list.yaml"
    path.write_text(f"{host}:\n  images:\n    acme/web: [v1]\n    acme/both:\n      - v1\n")
    out = tmp_path / "disk"
    create(pusher.program, out, "-f", path)
    names = [each["name"] for each in json.loads((out / "bundle.lock.json").read_text())["images"]]
    assert names == [f"{host}/acme/both:v1", f"{host}/acme/web:{signature}", f"{host}/acme/web:v1"]
    again = pusher.program.run("mirror", out, "--to", f"{host}/copy")
    assert again.code == 0, again.stderr
    for name in ("acme/both:v1", "acme/web:v1", f"acme/web:{signature}"):
        assert pusher.digest(f"copy/{name}") == pusher.digest(name)
    bare = tmp_path / "bare"
    create(pusher.program, bare, f"docker://{host}/acme/web:v1", "--no-referrers")
    assert "sig" not in (bare / "bundle.lock.json").read_text()


@pytest.mark.parametrize("kind", ["docker-registry", "crane"])
def test_what_refers_to_an_image_is_carried_along(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path, kind: str
) -> None:
    layout = images.Layout(tmp_path / "signed")
    image = layout.image(layers[:2], **images.named("ghcr.io/acme/web:v1"))
    about = [layout.referrer(image, data) for data in (b"an SBOM", b"a signature")]
    about.append(layout.referrer(about[0], b"a signature of the SBOM"))
    layout.top(image, *about)
    with contextlib.ExitStack() as stack:
        registry = pusher.registry
        if kind == "crane":  # which lists referrers
            (tmp_path / "crane").mkdir()
            registry = stack.enter_context(crane_registry(tmp_path / "crane"))
        host = registry.host
        sent = pusher.program.run("mirror", layout.folder, "--to", f"{host}/a")
        assert sent.code == 0, sent.stderr
        out = tmp_path / "disk"
        create(pusher.program, out, f"docker://{host}/a/acme/web:v1")
        receipt = tmp_path / "receipt.json"
        again = pusher.program.run("mirror", out, "--to", f"{host}/b", "--receipt", receipt)
        assert again.code == 0, again.stderr
        checked = pusher.program.run("verify", receipt)
        assert checked.stdout.startswith("4 of 4 references"), checked.stderr
        for path in ("a/acme/web", "b/a/acme/web"):
            assert _referrers(host, path, image) == {about[0]["digest"], about[1]["digest"]}
            assert _referrers(host, path, about[0]) == {about[2]["digest"]}
    bare = tmp_path / "bare.tar"
    create(pusher.program, bare, layout.folder, "--no-referrers")
    assert len(pusher.program.run("bundle", "list", bare).stdout.splitlines()) == 2


def _referrers(host: str, path: str, subject: dict[str, Any]) -> set[str]:
    """Ask the registry itself, and read the tag that stands in where it does not know."""
    answer = urllib3.request("GET", f"http://{host}/v2/{path}/referrers/{subject['digest']}")
    if answer.status != 200:
        tag = subject["digest"].replace(":", "-")
        answer = urllib3.request("GET", f"http://{host}/v2/{path}/manifests/{tag}",
            headers={"Accept": images.INDEX})  # fmt: skip
    return {each["digest"] for each in answer.json()["manifests"]}


def test_a_list_chooses_tags_and_knows_who_we_are(
    pusher: Pusher, layouts: Path, locked_registry: Registry, tmp_path: Path
) -> None:
    login = locked_registry.login
    assert login
    for tag in ("v1.0", "v1.2", "v2.0", "edge"):
        sent = pusher.program.run(
            "push", layouts / "web", "--image", f"{locked_registry.host}/acme/list:{tag}",
            "--username", login.username, "--password-stdin",
            "--ca-file", locked_registry.ca_file, stdin=login.password.encode(),
        )  # fmt: skip
        assert sent.code == 0, sent.stderr
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    (certificates / "ca.crt").write_bytes(locked_registry.ca_file.read_bytes())
    path = tmp_path / "list.yaml"
    path.write_text(
        f"{locked_registry.host}:\n"
        f"  credentials: {{username: {login.username}, password: {login.password}}}\n"
        f"  cert-dir: {certificates}\n"
        "  images-by-semver:\n    acme/list: '^1.1'\n"
        "  images-by-tag-regex:\n    acme/list: ^ed\n"
    )
    out = tmp_path / "disk"
    done = create(pusher.program, out, "-f", path)
    assert login.password not in done.stderr
    names = [each["name"] for each in json.loads((out / "bundle.lock.json").read_text())["images"]]
    assert names == [f"{locked_registry.host}/acme/list:{tag}" for tag in ("edge", "v1.2")]


def test_a_registry_is_mirrored_to_another(
    pusher: Pusher, layouts: Path, locked_registry: Registry
) -> None:
    host = pusher.registry.host
    assert pusher.program.run("mirror", layouts, "--to", host).code == 0
    login = locked_registry.login
    assert login
    done = pusher.program.run(
        "mirror", f"docker://{host}/acme/both:v1", "--to", f"{locked_registry.host}/from",
        "--username", login.username, "--password-stdin", "--ca-file", locked_registry.ca_file,
        stdin=login.password.encode(),
    )  # fmt: skip
    assert done.code == 0, done.stderr
    other = Pusher(pusher.program, locked_registry, pusher.folder)
    assert other.digest("from/acme/both:v1") == pusher.digest("acme/both:v1")


@pytest.mark.sampled(7)
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("create", "-o", "out"), 2, "There is nothing to put in"),
        (("create", "-o", "out", "x", "--split", "1G"), 2, "--split is for an archive"),
        (("create", "-o", "no/out", "x"), 2, "There is no folder no"),
        (("create", "-o", "out", "/nowhere.tar"), 3, "There is no file /nowhere.tar"),
        (("create", "-o", "out", "x", "--since", "none.json"), 2, "none.json cannot be used"),
        (("create", "-o", "o.tar", "x", "--split", "big"), 2, "not a size such as"),
        (("create", "-o", "out", "-f", "list.yml"), 2, "list.yml:3:"),
        (("verify", "/nowhere"), 3, "There is no file /nowhere"),
        (("list", "/nowhere"), 3, "There is no file /nowhere"),
    ],
)
def test_bad_input_gets_one_clear_error(
    program: Dockless, arguments: tuple[str, ...], code: int, said: str
) -> None:
    (program.project / "list.yml").write_text("ghcr.io:\n  images:\n    acme/Web: [v1]\n")
    done = program.run("bundle", *arguments)
    assert done.code == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in program.project.iterdir()] == ["list.yml"]


@pytest.mark.parametrize("kind", ["cacheconfig", "layer"])
def test_an_index_of_blobs_is_carried_whole(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path, kind: str
) -> None:
    """BuildKit's `--cache-to type=registry` makes an index of layers and a config."""
    folder = tmp_path / "in"
    image = images.Layout(folder / "web")
    image.top(image.image(layers[:1], **images.named(f"caches/web-{kind}:v1")))
    layout = images.Layout(folder / "cache")
    config = layout.blob(kind.encode(), "application/vnd.buildkit.cacheconfig.v0")
    others = [layout.blob(b"a layer", images.GZIP_LAYER)] if kind == "layer" else []
    index = layout.index(*others, config, **images.named(f"caches/cache-{kind}:v1"))
    layout.top(index)
    out = tmp_path / "out"
    assert create(pusher.program, out, folder).code == 0
    assert (out / "blobs" / config["digest"].replace(":", "/")).read_bytes() == kind.encode()
    assert pusher.program.run("bundle", "verify", out).code == 0
    path = tmp_path / "receipt.json"
    done = pusher.program.run("mirror", out, "--to", pusher.registry.host, "--receipt", path)
    found = json.loads(path.read_text())["images"]
    assert done.code == 0, done.stderr
    assert len(found) == 2
    assert {each["checked"] for each in found} == {True}
    (out / "blobs" / config["digest"].replace(":", "/")).unlink()
    assert pusher.program.run("bundle", "verify", out).code == 3


_NO_OVERRIDE = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)
"""Makes root subject to permissions, as every other user is."""


@pytest.mark.parametrize(
    ("out", "more"),
    [
        ("drop/disk.tar", ()),
        ("drop/disk.tar", ("--split", "1M")),
        ("drop/disk", ()),
        ("drop", ()),
    ],
)
def test_a_folder_that_can_be_written_and_not_read_takes_a_bundle(
    program: Dockless, layouts: Path, tmp_path: Path, out: str, more: tuple[str, ...]
) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    drop.chmod(0o300)
    limited = replace(program, before=_NO_OVERRIDE)
    assert limited.run("bundle", "list", drop).code == 3, "it cannot be read"
    for force in ((), ("--force",)):
        argv = ("bundle", "create", "-o", tmp_path / out, *more, layouts, *force)
        done = limited.run(*argv)
        if force and out == "drop":
            assert done.code == 2, "nobody knows what is in it"
            continue
        assert done.code == 0, done.stderr
        assert limited.run(*argv).code == (0 if force else 2), "only by force"
        made = Path(done.stdout.splitlines()[-1])
        assert program.run("bundle", "verify", made).code == 0


@pytest.mark.sampled(3)
@pytest.mark.parametrize("text", ["{", "[]", '{"schemaVersion": 99}'])
@pytest.mark.parametrize("missing", [0, 2])
def test_a_damaged_lock_file_is_no_image_that_is_lacking(
    program: Dockless, layouts: Path, tmp_path: Path, text: str, missing: int
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    create(program, first, layouts)
    (first / "bundle.lock.json").write_text(text)
    gone = [tmp_path / f"gone{number}.tar" for number in range(missing)]
    done = program.run("bundle", "create", "-o", second, first, *gone, "--keep-going")
    assert (done.code, done.stderr.count("Missing in")) == (8, missing), done.stderr
    assert done.stderr.count("Damaged in the sources: ") == 1
    said = f"lacks {missing} images" if missing else "but the sources have 1 fault."
    assert said in done.stderr
    assert ("second lacks" in done.stderr) == bool(missing)
    names = [
        each["name"] for each in json.loads((second / "bundle.lock.json").read_text())["images"]
    ]
    assert names == [f"ghcr.io/acme/{name}:v1" for name in ("api", "both", "web")]


def streamed(program: Dockless, *arguments: str | Path) -> tuple[int, bytes, str]:
    """Return the exit code, the archive and stderr of a bundle on standard output."""
    with program.start("bundle", "create", "-o", "-", *arguments) as child:
        out, error = child.communicate(timeout=120)
    return child.returncode, out, error.decode()


def test_a_bundle_on_standard_output_is_the_archive_and_nothing_else(
    program: Dockless, layouts: Path, old_archive: Path, tmp_path: Path
) -> None:
    sources = (layouts / "web", layouts / "both", old_archive)
    create(program, tmp_path / "disk.tar", *sources)
    code, data, said = streamed(program, *sources)
    assert code == 0, said
    assert data == (tmp_path / "disk.tar").read_bytes()
    (tmp_path / "again.tar").write_bytes(data)
    assert program.run("bundle", "verify", tmp_path / "again.tar").code == 0
    missing = (*sources, tmp_path / "missing.tar")
    assert streamed(program, *missing)[:2] == (3, b"")
    code, data, said = streamed(program, *missing, "--keep-going")
    assert code == 8
    assert data == (tmp_path / "disk.tar").read_bytes()
    assert "Missing in standard output" in said
    assert list(program.project.iterdir()) == []
    assert not list((program.folder / "tmp").iterdir())


@pytest.mark.parametrize("more", [(), ("--split", "1M")])
def test_an_archive_does_not_go_to_a_terminal(
    program: Dockless, layouts: Path, more: tuple[str, ...]
) -> None:
    with program.terminal("bundle", "create", "-o", "-", layouts / "web", *more) as terminal:
        code, shown = terminal.finish()
    assert code == 2
    assert "standard output" in shown.lower()
