"""Every image of an archive or layout goes to the registry, or it is said why one does not."""

import io
import json
import re
import socket
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless, Result
from bed.images import Layer
from bed.pushes import Json, Pusher, document
from bed.registry import Registry

Entry = tuple[Sequence[str] | None, str]
"""The names of an image, None for an entry without the member, and what it consists of."""


@pytest.fixture
def pusher(program: Dockless, own_registry: Registry, tmp_path: Path) -> Pusher:
    return Pusher(program, own_registry, tmp_path)


def archive(path: Path, *entries: Entry) -> Path:
    """Write an archive as `docker save` does; images of the same words are the same image."""
    listed: list[Json] = []
    with tarfile.open(path, "w") as tar:
        for names, words in entries:
            if f"{words}.json" in tar.getnames():
                listed.append({**listed[-1], "RepoTags": names})
                continue
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode="w") as layer:
                add(layer, "words.txt", words.encode())
            config = {
                "os": "linux",
                "architecture": "amd64",
                "rootfs": {"type": "layers", "diff_ids": [images.digest(data.getvalue())]},
            }
            add(tar, f"{words}.json", json.dumps(config).encode())
            add(tar, f"{words}.tar", data.getvalue())
            listed.append(
                {"Config": f"{words}.json", "RepoTags": names, "Layers": [f"{words}.tar"]}
            )
        add(tar, "manifest.json", json.dumps(listed).encode())
    return path


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def push_all(pusher: Pusher, source: Path, *options: str | Path) -> Result:
    return pusher.program.run("push", source, "--all", *options)


def tags(pusher: Pusher) -> set[str]:
    """Return every tag of the registry, with its repository."""
    top = pusher.registry.storage / "docker/registry/v2/repositories"
    return {
        f"{each.parents[2].relative_to(top)}:{each.name}"
        for each in top.glob("**/_manifests/tags/*")
    }


def writes(pusher: Pusher) -> list[str]:
    """Return the methods of all requests that wrote anything."""
    return [
        each.method for each in pusher.registry.requests() if each.method not in {"GET", "HEAD"}
    ]


@pytest.mark.parametrize(
    ("names", "target"),
    [
        (("ghcr.io/acme/shop:v1", "quay.io/acme/shop:v1"), "acme/shop:v1"),
        (("docker.io/library/nginx:1", "library/nginx:1"), "library/nginx:1"),
        (("web:1", "web:1"), "web:1"),
    ],
)
def test_different_images_for_one_reference_are_a_conflict_as_in_a_mirror(
    pusher: Pusher, tmp_path: Path, names: tuple[str, str], target: str
) -> None:
    source = archive(tmp_path / "set.tar", ([names[0]], "one"), ([names[1]], "two"))
    to, receipt = pusher.registry.host, tmp_path / "r.json"
    done = push_all(pusher, source, "--to", to, "--receipt", receipt, "--format", "json")
    mirrored = pusher.program.run("mirror", source, "--to", to)
    assert (done.code, mirrored.code) == (5, 5), done.stderr
    said = document(done.stdout)["images"]
    assert [each["image"] for each in said] == list(names)
    for each in said:
        assert f"would both be {to}/{target}." in each["error"]["message"]
        assert each["error"]["message"] in mirrored.stderr
    assert not tags(pusher)
    assert not writes(pusher)
    failures = json.loads(receipt.read_text())["failures"]
    assert [each["name"] for each in failures] == list(names)
    # the others arrive
    source = archive(
        tmp_path / "set.tar", ([names[0]], "one"), (["good:1"], "three"), ([names[1]], "two")
    )
    assert push_all(pusher, source, "--to", to).code == 8
    assert tags(pusher) == {"good:1"}


@pytest.mark.parametrize("name", ["one:1", "team/two:2", "a/b/c:latest"])
def test_one_name_of_different_images_is_a_conflict_without_a_destination(
    pusher: Pusher, tmp_path: Path, name: str
) -> None:
    whole = pusher.reference(name)
    source = archive(tmp_path / "set.tar", ([whole], "one"), ([whole], "two"))
    done = push_all(pusher, source, "--format", "json")
    assert done.code == 5, done.stderr
    said = document(done.stdout)["images"]
    assert [each["image"] for each in said] == [whole, whole]
    assert not tags(pusher)
    equal = archive(tmp_path / "set.tar", ([whole], "same"), ([whole], "same"))
    done = push_all(pusher, equal)
    assert (done.code, len(done.stdout.splitlines())) == (0, 1), done.stderr
    assert tags(pusher) == {name}


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("nameless", [None, []])
def test_an_image_without_a_name_goes_by_digest_as_in_a_mirror(
    pusher: Pusher, tmp_path: Path, position: int, nameless: list[str] | None
) -> None:
    entries: list[Entry] = [(["x:1"], "one"), (["y:1"], "two")]
    entries.insert(position, (nameless, "three"))
    source, receipt = archive(tmp_path / "set.tar", *entries), tmp_path / "r.json"
    to = pusher.registry.host
    done = push_all(pusher, source, "--to", f"{to}/p", "--receipt", receipt)
    assert done.code == 0, done.stderr
    assert "3 images: 3 arrived" in done.stderr
    written = json.loads(receipt.read_text())["images"]
    (by_digest,) = (each for each in written if "@" in each["name"])
    assert by_digest["references"] == [f"{to}/p/set@{by_digest['digest']}"]
    assert f"is named set@{by_digest['digest']}" in done.stderr
    assert pusher.program.run("verify", receipt).code == 0
    mirrored = pusher.program.run("mirror", source, "--to", f"{to}/m")
    assert f"/m/set@{by_digest['digest']}" in mirrored.stdout + mirrored.stderr


@pytest.mark.parametrize("position", [0, 1, 2])
def test_an_image_that_goes_nowhere_is_a_failure(
    pusher: Pusher, tmp_path: Path, position: int
) -> None:
    names = [pusher.reference("x:1"), pusher.reference("y:1")]
    entries: list[Entry] = [([names[0]], "one"), ([names[1]], "two")]
    entries.insert(position, (None, "three"))
    source, receipt = archive(tmp_path / "set.tar", *entries), tmp_path / "r.json"
    done = push_all(pusher, source, "--receipt", receipt)
    assert done.code == 8, done.stderr
    assert tags(pusher) == {"x:1", "y:1"}
    assert f"An image of {source} has no name." in done.stderr
    (failure,) = json.loads(receipt.read_text())["failures"]
    assert failure["name"] == f"@{position}"


@pytest.mark.parametrize("below", [True, False])
def test_a_referrer_without_a_name_goes_where_its_subject_goes(
    pusher: Pusher, layers: tuple[Layer, ...], tmp_path: Path, *, below: bool
) -> None:
    layout = images.Layout(tmp_path / "disk")
    subject = layout.image(layers[:1], **images.named(pusher.reference("team/shop:1")))
    referrer = layout.referrer(subject, b"an SBOM")
    layout.top(referrer, subject)
    done = push_all(
        pusher, layout.folder, *(("--to", f"{pusher.registry.host}/p") if below else ())
    )
    assert done.code == 0, done.stderr
    assert tags(pusher) >= {f"{'p/' if below else ''}team/shop:1"}
    manifest = pusher.manifest(f"{'p/' if below else ''}team/shop@{referrer['digest']}")
    assert json.loads(manifest)["subject"]["digest"] == subject["digest"]


@pytest.mark.parametrize("count", [2, 3, 4])
@pytest.mark.parametrize("below", [True, False])
def test_what_tags_of_one_image_share_is_counted_once(
    pusher: Pusher, tmp_path: Path, count: int, *, below: bool
) -> None:
    names = [pusher.reference(f"shop:v{number}") for number in range(count)]
    source = archive(tmp_path / "set.tar", (names, "one"))
    to = ("--to", f"{pusher.registry.host}/p") if below else ()
    done = push_all(pusher, source, *to, "--format", "json")
    assert done.code == 0, done.stderr
    results: list[Json] = [each["result"] for each in document(done.stdout)["images"]]
    first, *others = results
    assert first["sentBytes"] == sum(blob["size"] for blob in first["plan"]["blobs"])
    for each in others:
        assert each["sentBytes"] == 0
        assert all(blob["present"] for blob in each["plan"]["blobs"])
    assert len(tags(pusher)) == count


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_the_retries_of_the_first_image_stand_for_all(
    pusher: Pusher, tmp_path: Path, retries: int
) -> None:
    source = archive(tmp_path / "set.tar", *(([f"shop:v{n}"], f"words{n}") for n in range(4)))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # it does not listen
        host = f"127.0.0.1:{unused.getsockname()[1]}"
        done = push_all(pusher, source, "--to", host, "--retries", str(retries))
    assert done.code == 6, done.stderr
    assert len(re.findall("Retrying in", done.stderr)) == retries
    assert done.stderr.count("Error: 127.0.0.1") == 1
    assert "4 images: 4 failed" in done.stderr
