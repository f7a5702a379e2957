"""Many images to one registry, and the receipt that proves it."""

import contextlib
import itertools
import json
import random
import re
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bed import hostile, images
from bed.dockless import Dockless, Result
from bed.failures import until
from bed.faults import Fault, FaultyRegistry, status
from bed.images import Layer
from bed.process import output
from bed.pushes import Json, Pusher, archive_identity
from bed.registry import Registry, docker_registry

_CREATED = 201
_ALWAYS = 1_000
_SCHEMA = Path(__file__).parents[2] / "docs" / "receipt.schema.json"


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, own_registry, tmp_path)


@pytest.fixture(scope="module")
def zipped(old_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`old_archive`, compressed as a whole."""
    copy = tmp_path_factory.mktemp("zipped") / "old.tar"
    copy.symlink_to(old_archive)
    return images.compressed(copy, "gzip")


@pytest.fixture
def folder(
    tmp_path: Path,
    layers: tuple[Layer, ...],
    old_archive: Path,
    zipped: Path,
    hybrid_archive: Path,
) -> Path:
    """Archives and layouts of several images, some of which share layers."""
    folder = tmp_path / "images"
    folder.mkdir()
    shutil.copy(old_archive, folder / "old.tar")
    shutil.copy(zipped, folder / "packed.tar.gz")
    for name, parts in (("web", layers[:2]), ("api", layers), ("job", layers[1:])):
        layout = images.Layout(folder / "deep" / name)
        layout.top(layout.image(parts, "amd64", **images.named(f"ghcr.io/acme/{name}:v1")))
    assert hybrid_archive.exists()
    return folder


def mirrored(pusher: Pusher, *arguments: str | Path) -> Result:
    return pusher.program.run("mirror", *arguments, "--to", f"{pusher.registry.host}/m")


def receipt(path: Path) -> Json:
    """Return a receipt, which must follow the published schema."""
    found = dict(json.loads(path.read_text()))
    Draft202012Validator(json.loads(_SCHEMA.read_text())).validate(found)
    return found


def blob_uploads(registry: Registry) -> list[str]:
    return [
        each.path.partition("digest=")[2]
        for each in registry.requests()
        if each.method == "PUT" and "/blobs/uploads/" in each.path and each.status == _CREATED
    ]


def test_a_folder_of_images_arrives_with_a_receipt_that_holds(
    pusher: Pusher, folder: Path, old_archive: Path, tmp_path: Path
) -> None:
    (folder / "packed.tar.gz").unlink()
    path = tmp_path / "receipt.json"
    done = mirrored(pusher, folder, "--receipt", path)
    assert done.code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 4
    found = {ref: image for image in receipt(path)["images"] for ref in image["references"]}
    host = pusher.registry.host
    assert set(found) == {
        f"{host}/m/sample:1", *(f"{host}/m/acme/{name}:v1" for name in ("web", "api", "job"))
    }  # fmt: skip
    for reference, image in found.items():
        name = reference.removeprefix(f"{host}/")
        assert pusher.digest(name) == image["digest"]
    for name in ("web", "api", "job"):
        index = (folder / "deep" / name / "index.json").read_text()
        assert pusher.digest(f"m/acme/{name}:v1") in index, "digests stay"
    assert pusher.back("m/sample:1") == archive_identity(old_archive)
    verified = pusher.program.run("verify", path)
    assert (verified.code, verified.stdout) == (
        0,
        "4 of 4 references are as the receipt says.\n",
    )


def test_blobs_that_images_share_are_sent_once_and_mounted(pusher: Pusher, folder: Path) -> None:
    done = mirrored(pusher, folder / "deep", "--parallel", "3")
    assert done.code == 0, done.stderr
    sent = blob_uploads(pusher.registry)
    assert len(sent) == len(set(sent))
    mounts = [
        each
        for each in pusher.registry.requests()
        if "mount=" in each.path and each.status == _CREATED
    ]
    assert mounts


def test_a_second_run_does_nothing(pusher: Pusher, folder: Path, tmp_path: Path) -> None:
    (folder / "packed.tar.gz").unlink()
    assert mirrored(pusher, folder).code == 0
    before = len(pusher.registry.requests())
    path = tmp_path / "receipt.json"
    done = mirrored(pusher, folder, "--receipt", path)
    assert done.code == 0, done.stderr
    assert {each.method for each in pusher.registry.requests()[before:]} <= {"GET", "HEAD"}
    assert {image["unchanged"] for image in receipt(path)["images"]} == {True}


def test_a_damaged_image_does_not_keep_the_others(pusher: Pusher, folder: Path) -> None:
    (folder / "packed.tar.gz").unlink()
    blob = max((folder / "deep/api/blobs/sha256").iterdir(), key=lambda path: path.stat().st_size)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    # one at a time, the damaged one first: later, another image's good copy would be mounted for it
    argv = (folder / "deep", folder / "old.tar", "--parallel", "1", "--format", "json")
    done = mirrored(pusher, *argv)
    assert done.code == 8, done.stderr
    document = json.loads(done.stdout)
    (failure,) = document["failures"]
    assert failure["error"]["kind"] == "source"
    assert "api" in failure["references"][0]
    assert len(document["images"]) == 3
    flipped = images.digest(bytes(data))
    assert not any(flipped in each for each in blob_uploads(pusher.registry))
    with pytest.raises(Exception, match="exit status"):
        pusher.digest("m/acme/api:v1")


def test_two_images_that_would_be_one_are_refused(pusher: Pusher, folder: Path) -> None:
    done = mirrored(pusher, folder / "deep", "--map", "ghcr.io/acme/*=*", "--map", "x=y")
    assert done.code == 0, done.stderr
    done = pusher.program.run(
        "mirror", folder / "deep", "--to", pusher.registry.host, "--map", "ghcr.io/acme/web=one",
        "--map", "ghcr.io/acme/api=one",
    )  # fmt: skip
    assert done.code == 8
    assert f"{pusher.registry.host}/one" in done.stderr
    assert pusher.digest("acme/job:v1")


def test_four_parts_in_four_processes_share_nothing_and_make_the_whole(
    pusher: Pusher, tmp_path: Path
) -> None:
    sizes = _images_of_sizes(tmp_path / "many", range(20_000, 500_000, 20_000))
    argv = ("mirror", tmp_path / "many", "--to", f"{pusher.registry.host}/m")
    parts = [tmp_path / f"part-{number}.json" for number in range(4)]
    with contextlib.ExitStack() as stack:
        children = [
            stack.enter_context(
                pusher.program.start(*argv, "--shard", f"{number}/4", "--receipt", part)
            )
            for number, part in enumerate(parts)
        ]
        until(parts[2].exists)
        children[2].kill()
        for child in children:
            child.communicate(timeout=120)
    assert [child.returncode for child in children if child is not children[2]] == [0, 0, 0]
    again = pusher.program.run(*argv, "--shard", "2/4", "--receipt", parts[2])
    assert again.code == 0, again.stderr
    found = [receipt(part)["images"] for part in parts]
    names = [[image["references"][0] for image in each] for each in found]
    everything = sorted(f"{pusher.registry.host}/m/{name}" for name in sizes)
    assert sorted(itertools.chain.from_iterable(names)) == everything
    loads = [sum(sizes[name.partition("/m/")[2]] for name in each) for each in names]
    assert max(loads) <= 1.5 * min(loads)
    whole = tmp_path / "whole.json"
    some = pusher.program.run("verify", *parts[:3], "--merge", whole)
    assert some.code == 8, some.stderr
    assert "3/4" in some.stderr
    assert pusher.program.run("verify", whole).code == 8
    done = pusher.program.run("verify", *parts, "--merge", whole)
    assert done.code == 0, done.stderr
    assert receipt(whole)["shards"] == [f"{number}/4" for number in range(4)]
    assert len(receipt(whole)["images"]) == len(sizes)


def _images_of_sizes(folder: Path, bytes_: Sequence[int]) -> dict[str, int]:
    """Make an image of about so many bytes each; return the bytes of each by its name."""
    sizes = {}
    for number, count in enumerate(bytes_):
        data = random.Random(number).randbytes(count)  # noqa: S311 - the same each time
        folder.mkdir(exist_ok=True)
        tree = folder.with_name(f"tree-{number}")
        tree.mkdir()
        (tree / "data").write_bytes(data)
        layer = images.layer(folder.with_name(f"own-{number}.tar"), ["data"], tree)
        name = f"acme/of{number}:v1"
        layout = images.Layout(folder / f"of{number}")
        layout.top(layout.image((layer,), "amd64", **images.named(f"ghcr.io/{name}")))
        sizes[name] = sum(blob.stat().st_size for blob in layout.folder.glob("blobs/*/*"))
    return sizes


def test_what_changed_since_is_found(pusher: Pusher, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    assert mirrored(pusher, folder / "deep", "--receipt", path).code == 0
    images.skopeo_copy(
        f"docker://{pusher.reference('m/acme/web:v1')}",
        f"docker://{pusher.reference('m/acme/api:v1')}",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
    )
    done = pusher.program.run("verify", path)
    assert done.code == 8
    assert done.stdout == "2 of 3 references are as the receipt says.\n"
    assert "m/acme/api:v1 refers to sha256:" in done.stderr


def test_a_dry_run_tells_what_it_would_do_and_sends_nothing(pusher: Pusher, folder: Path) -> None:
    assert mirrored(pusher, folder / "deep" / "web").code == 0
    other = images.Layout(folder / "other")
    web = other.image((), "amd64", **images.named("ghcr.io/acme/web:v1"))
    other.top(web)
    before = set(pusher.registry.requests())
    done = mirrored(pusher, folder / "other", folder / "deep" / "job", "--dry-run")
    assert done.code == 0, done.stderr
    assert {each.method for each in set(pusher.registry.requests()) - before} <= {"GET", "HEAD"}
    moved, absent, last = done.stdout.splitlines()
    host = pusher.registry.host
    assert moved.startswith(f"{host}/m/acme/web:v1 would be updated from sha256:")
    assert moved.endswith(f" to {web['digest']}")
    assert absent == f"{host}/m/acme/job does not exist yet"
    assert re.fullmatch(r"2 images of 2 would be pushed: \d blobs, [\d.]+ [kM]?B\.", last)
    as_json = mirrored(
        pusher, folder / "other", folder / "deep" / "job", "--dry-run", "--format", "json"
    )
    document = json.loads(as_json.stdout)
    assert document["unknownRepositories"] == [f"{host}/m/acme/job"]
    assert document["moves"][0]["after"] == web["digest"]


def test_a_tag_that_must_not_move_does_not_keep_the_others(pusher: Pusher, folder: Path) -> None:
    web = pusher.program.run("push", folder / "old.tar", "--image", _at(pusher, "acme/web:v1"))
    assert web.code == 0, web.stderr
    before = pusher.digest("m/acme/web:v1")
    done = mirrored(pusher, folder / "deep", "--immutable")
    assert done.code == 8, done.stderr
    assert f"{_at(pusher, 'acme/web:v1')} exists and refers to {before}" in done.stderr
    assert len(done.stdout.splitlines()) == 2
    assert pusher.digest("m/acme/web:v1") == before
    assert pusher.digest("m/acme/api:v1")


def _at(pusher: Pusher, name: str) -> str:
    return f"{pusher.registry.host}/m/{name}"


def test_a_registry_that_asks_for_patience_slows_every_worker(
    program: Dockless, faulty_registry: FaultyRegistry, tmp_path: Path
) -> None:
    workers, count = 2, 12
    for number in range(count):
        # one that shares a layer would wait for who sends that
        data = hostile.tar(hostile.file("number", b"%d" % number))
        path = tmp_path / f"{number}.tar"
        path.write_bytes(data)
        layer = Layer(path, images.digest(data))
        layout = images.Layout(tmp_path / "many" / str(number))
        layout.top(layout.image([layer], str(number), **images.named(f"x.io/a/{number}:v1")))
    faulty_registry.faults.append(Fault("PUT", "/manifests/sha256:", status(429, retry_after=3), 1))
    arguments = ("--to", faulty_registry.host, "--parallel", str(workers))
    with program.start("mirror", tmp_path / "many", *arguments) as child:
        until(lambda: any(each.status == 429 for each in faulty_registry.requests))
        time.sleep(2)
        early = _tags(faulty_registry)
        _, stderr = child.communicate(timeout=120)
    assert child.returncode == 0, stderr.decode()
    assert early <= 2 * workers, "what was on its way may end"
    assert _tags(faulty_registry) == count


def _tags(registry: FaultyRegistry) -> int:
    """Return how many tags were made."""
    return sum(
        each.method == "PUT" and each.path.endswith("/manifests/v1") and each.status == _CREATED
        for each in registry.requests
    )


def test_connections_are_no_more_than_allowed(pusher: Pusher, folder: Path) -> None:
    port = int(pusher.registry.host.partition(":")[2])
    most, over = 0, threading.Event()

    def count() -> None:
        nonlocal most
        while not over.wait(0.001):
            most = max(most, _established(port))

    counting = threading.Thread(target=count)
    counting.start()
    done = mirrored(pusher, folder, "--max-connections", "4", "--parallel", "8")
    over.set()
    counting.join()
    assert done.code == 0, done.stderr
    assert 1 <= most <= 4


def _established(port: int) -> int:
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = (line.split() for line in lines)
    return sum(each[3] == "01" and int(each[2].partition(":")[2], 16) == port for each in fields)


def test_a_list_names_sources(pusher: Pusher, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"# what we need\n{folder}/deep/web  # the site\n\n{folder}/deep/job\n")
    done = mirrored(pusher, "-f", path)
    assert done.code == 0, done.stderr
    assert len(done.stdout.splitlines()) == 2


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "There is nothing to mirror"),
        (("/nowhere.tar",), 3, "There is no file /nowhere.tar"),
        (("x", "--shard", "2/2"), 2, "--shard 2/2"),
        (("x", "--map", "a"), 2, "--map a is not PATTERN"),
        (("-f", "/nowhere.txt"), 2, "There is no list /nowhere.txt"),
    ],
)
def test_bad_input_gets_one_clear_error(
    pusher: Pusher, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = mirrored(pusher, *arguments)
    assert done.code == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_receipt_that_is_none(program: Dockless, tmp_path: Path) -> None:
    path = tmp_path / "receipt.json"
    path.write_text("{}")
    done = program.run("verify", path)
    assert done.code == 2
    assert "is not a receipt of dockless" in done.stderr


def test_a_registry_that_is_read_only_says_so_once_an_image(
    program: Dockless, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "frozen").mkdir()
    with docker_registry(tmp_path / "frozen", readonly=True) as registry:
        done = mirrored(Pusher(program, registry, tmp_path), folder / "deep")
    assert done.code == 1
    assert "accepts no pushes at the moment" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_registry_that_is_full_fails_the_images_it_has_no_room_for(
    program: Dockless, tmp_path: Path
) -> None:
    sizes = _images_of_sizes(tmp_path / "many", (700_000,) * 6)
    small = tmp_path / "small"
    small.mkdir()
    output(("mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small))
    try:
        with docker_registry(small) as registry:
            pusher = Pusher(program, registry, tmp_path)
            done = mirrored(
                pusher, tmp_path / "many", "--retries", "0", "--receipt", tmp_path / "r"
            )
            found = receipt(tmp_path / "r")
            arrived = {image["references"][0].partition("/m/")[2] for image in found["images"]}
            for name in arrived:
                assert pusher.digest(f"m/{name}")
    finally:
        output(("umount", small))
    assert done.code == 8
    assert 0 < len(arrived) < len(sizes)
    assert len(arrived) + len(found["failures"]) == len(sizes)


def test_a_repository_that_is_refused_does_not_keep_the_others(
    program: Dockless, faulty_registry: FaultyRegistry, folder: Path, tmp_path: Path
) -> None:
    faulty_registry.faults.append(Fault("POST", "/m/acme/web/", status(403), _ALWAYS))
    path = tmp_path / "receipt.json"
    done = program.run(
        "mirror", folder / "deep", "--to", f"{faulty_registry.host}/m", "--receipt", path
    )
    assert done.code == 8
    assert f"{faulty_registry.host} does not allow" in done.stderr
    assert done.stderr.rstrip().splitlines()[-2].startswith("Error: 1 of 3 images did not arrive")
    (failure,) = receipt(path)["failures"]
    assert (failure["name"], failure["error"]["exitCode"]) == ("ghcr.io/acme/web:v1", 4)


@pytest.mark.parametrize("how", ["--resume", "--no-resume"])
def test_a_mirror_goes_on_with_its_journal_and_believes_the_registry(
    program: Dockless, faulty_registry: FaultyRegistry, pusher: Pusher, folder: Path, how: str
) -> None:
    faulty_registry.faults.append(Fault("POST", "/m/acme/web/", status(403), _ALWAYS))
    first, second = folder.parent / "first.json", folder.parent / "second.json"
    argv = ("mirror", folder / "deep", "--to", f"{faulty_registry.host}/m", "--receipt")
    assert program.run(*argv, first).code == 8
    faulty_registry.faults.clear()
    shutil.rmtree(pusher.registry.storage / "docker/registry/v2/repositories/m/acme/api")
    done = program.run(*argv, second, how)
    assert done.code == 0, done.stderr
    before = {image["name"]: image["arrived"] for image in receipt(first)["images"]}
    after = {image["name"]: image["arrived"] for image in receipt(second)["images"]}
    assert all(before.values())
    if how == "--resume":
        assert "started 20" in done.stderr
        assert ": 2 of 3 images had arrived." in done.stderr
        assert all(after.values())
        assert after["ghcr.io/acme/job:v1"] == before["ghcr.io/acme/job:v1"]
    else:
        assert "Continuing the mirror" not in done.stderr
        assert [name for name, moment in after.items() if not moment] == ["ghcr.io/acme/job:v1"]
    assert pusher.digest("m/acme/api:v1") in (folder / "deep/api/index.json").read_text()
    assert "Continuing the mirror" not in program.run(*argv, second, how).stderr, (
        "it had come to its end"
    )


def test_a_mirror_keeps_to_its_rate(pusher: Pusher, tmp_path: Path) -> None:
    sizes = _images_of_sizes(tmp_path / "many", (300_000,) * 4)
    rate = 400_000
    began = time.monotonic()
    done = mirrored(pusher, tmp_path / "many", "--rate", "400k")
    seconds = time.monotonic() - began
    assert done.code == 0, done.stderr
    assert len(blob_uploads(pusher.registry)) == 2 * len(sizes)
    # a moment of it may go at once, before anything is held back
    assert seconds >= 4 * 300_000 / rate - 0.75


def test_an_index_that_leads_outside_its_layout_is_refused(
    pusher: Pusher, folder: Path, tmp_path: Path
) -> None:
    layout = folder / "deep" / "web"
    index = json.loads((layout / "index.json").read_text())
    name = index["manifests"][0]["digest"].replace(":", "/")
    secret = tmp_path / "secret"
    shutil.move(layout / "blobs" / name, secret)
    (layout / "blobs" / name).symlink_to(secret)
    done = mirrored(pusher, folder / "deep")
    assert done.code == 8, done.stderr
    assert "outside" in done.stderr
    assert not [
        each
        for each in pusher.registry.requests()
        if "/acme/web/" in each.path and each.method == "PUT"
    ]


def test_a_name_that_is_none_does_not_keep_the_others(pusher: Pusher, folder: Path) -> None:
    layout = images.Layout(folder / "deep" / "odd")
    layout.top(layout.image((), "amd64", **images.named("ghcr.io/Acme/Odd:v1")))
    done = mirrored(pusher, folder / "deep")
    assert done.code == 8, done.stderr
    assert "has no valid name at" in done.stderr
    assert pusher.digest("m/acme/web:v1")


def test_several_platforms_are_an_index_of_their_own(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path
) -> None:
    layout = images.Layout(tmp_path / "many")
    arches = ("amd64", "arm64/v8", "s390x")
    layout.top(layout.platforms(dict.fromkeys(arches, layers[:1]), **images.named("app:v1")))
    whole = pusher.push("app:v1", layout.folder)
    listed = json.loads(pusher.manifest("app:v1"))["manifests"]
    path, argv = tmp_path / "receipt.json", ["--retries", "0"]
    for arch in ("linux/s390x", "linux/amd64"):
        argv += ["--platform", arch]
    source = f"docker://{pusher.registry.host}/app:v1"
    done = mirrored(pusher, source, *argv, "--receipt", path)
    assert done.code == 0, done.stderr
    assert json.loads(pusher.manifest("m/app:v1"))["manifests"] == [listed[0], listed[2]]
    (image,) = receipt(path)["images"]
    assert image["digest"] == pusher.digest("m/app:v1") != whole
    assert pusher.program.run("verify", path).code == 0
    again = mirrored(pusher, source, *argv)
    assert again.stdout == done.stdout
    assert "already there" in again.stderr or "unchanged" in again.stderr
    lacking = mirrored(pusher, source, *argv, "--platform", "linux/riscv64")
    assert lacking.code == 3
    assert "has no image for linux/riscv64" in lacking.stderr
    assert pusher.digest("m/app:v1") == image["digest"]
