"""`bundle verify`: whatever dockless did not write is found, however the bundle is given."""

import io
import json
import os
import shutil
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dockless.errors import SourceError
from dockless.oci.reference import Name, Reference
from dockless.sources.bundle_checks import Findings, bundle_spec, examined
from dockless.sources.opener import Opener
from dockless.sources.spec import SourceSpec
from dockless.storage.bundle import Bundle
from dockless.storage.bundle_archive import pack
from dockless.storage.staging import Staging
from fakes.image import FakeImage
from fakes.progress import FakeProgress

NAMES = ("shop:v1", "ghcr.io/acme/web:v2", "ghcr.io/acme/job:v3")
CHANGED = "is not as a bundle's is"
LOCK = "bundle.lock.json"

Change = Callable[[Path], None]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A folder with a bundle of three images."""
    made = Bundle(tmp_path / "disk")
    for name in NAMES:
        image = FakeImage(tmp_path / "blobs", (b"base", name.encode()))
        content = image.content()
        made.hold(content, image.paths(made.needs(content)))
        made.add([Name.parse(name)], f"{name}.tar", content)
    made.finish()
    return tmp_path / "disk"


def no_pull(reference: Reference) -> Path:
    raise AssertionError(reference)


@pytest.fixture
def check(staging: Staging, progress: FakeProgress) -> Callable[..., Findings]:
    def checked(path: Path, data: bytes | None = None) -> Findings:
        opener = Opener(staging, progress, lambda: io.BytesIO(data or b""), tuple, no_pull)
        if data is not None:
            return examined(opener, SourceSpec(kind="stdin"))
        return examined(
            opener, SourceSpec(kind="layout" if path.is_dir() else "archive", path=path)
        )

    return checked


def document(name: str, change: Callable[[Any], object], indent: int | None = None) -> Change:
    """Return what changes a JSON document, and writes it as it was written."""

    def changed(folder: Path) -> None:
        read = json.loads((folder / name).read_text())
        change(read)
        between = None if indent else (",", ":")
        text = json.dumps(read, indent=indent, separators=between) + ("\n" if indent else "")
        (folder / name).write_text(text)

    return changed


def data(name: str, change: Callable[[bytes], bytes]) -> Change:
    def changed(folder: Path) -> None:
        (folder / name).write_bytes(change((folder / name).read_bytes()))

    return changed


def both(*changes: Change) -> Change:
    def changed(folder: Path) -> None:
        for each in changes:
            each(folder)

    return changed


def doubled(member: bytes) -> Callable[[bytes], bytes]:
    return lambda text: text.replace(b'"%s"' % member, b'"%s":null,"%s"' % (member, member), 1)


def fewer_layers(entries: Any) -> None:  # noqa: ANN401 - JSON
    entries[1]["Layers"].pop()


def another_tag(entries: Any) -> None:  # noqa: ANN401 - JSON
    entries[0]["RepoTags"] = ["evil.example/x:1"]


def unlocked(lock: Any) -> None:  # noqa: ANN401 - JSON
    del lock["manifest.json"]


def null_digest(lock: Any) -> None:  # noqa: ANN401 - JSON
    lock["manifest.json"] = None


CHANGES: dict[str, Change] = {
    "index: mark": data("index.json", lambda text: b"\xef\xbb\xbf" + text),
    "index: space": data("index.json", lambda text: text + b"\n"),
    "index: twice": document(
        "index.json", lambda read: read["manifests"].append(read["manifests"][1])
    ),
    "index: order": document("index.json", lambda read: read["manifests"].reverse()),
    "index: manifests": data("index.json", doubled(b"manifests")),
    "index: digest": data("index.json", doubled(b"digest")),
    "index: annotations": data("index.json", doubled(b"annotations")),
    "index: member": document("index.json", lambda read: read.update(subject=None)),
    "index: platform": document(
        "index.json", lambda read: read["manifests"][0].update(platform={"os": "windows"})
    ),
    "layout: twice": data("oci-layout", doubled(b"imageLayoutVersion")),
    "layout: mark": data("oci-layout", lambda text: b"\xef\xbb\xbf" + text),
    "layout: member": document("oci-layout", lambda read: read.update(more=1)),
    "lock: mark": data(LOCK, lambda text: b"\xef\xbb\xbf" + text),
    "lock: space": data(LOCK, lambda text: text + b" "),
    "lock: null": document(LOCK, null_digest, 2),
    "lock: lacking": document(LOCK, unlocked, 2),
    "lock: blob": document(
        LOCK, lambda read: read["images"][0]["blobs"].append(read["images"][0]["blobs"][0]), 2
    ),
    "list: tag": both(document("manifest.json", another_tag), document(LOCK, unlocked, 2)),
    "list: layers": both(document("manifest.json", fewer_layers), document(LOCK, unlocked, 2)),
    "list: no entry": both(
        document("manifest.json", lambda read: read.pop()), document(LOCK, null_digest, 2)
    ),
    "list: gone": both(
        lambda folder: (folder / "manifest.json").unlink(), document(LOCK, unlocked, 2)
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_of_a_list_is_found(
    bundle: Path, check: Callable[..., Findings], name: str
) -> None:
    assert check(bundle) == Findings(())
    CHANGES[name](bundle)
    (first, *_) = check(bundle).problems
    assert CHANGED in first


@pytest.mark.parametrize("member", ["images", "name", "digest", "elsewhere", "lockVersion"])
def test_a_lock_file_that_has_a_member_twice_is_not_read(
    bundle: Path, check: Callable[..., Findings], member: str
) -> None:
    data(LOCK, doubled(member.encode()))(bundle)
    (problem,) = check(bundle).problems
    assert f'{LOCK} cannot be used: an object in it has more than one "{member}"' in problem


def test_a_member_of_a_later_version_in_a_lock_file_is_left_alone(
    bundle: Path, check: Callable[..., Findings]
) -> None:
    document(LOCK, lambda read: read.update(later=[1]), 2)(bundle)
    document(LOCK, lambda read: read["images"][0].update(later={"a": None}), 2)(bundle)
    assert check(bundle) == Findings(())


def added(name: str, kind: bytes, link: str = "") -> Callable[[bytes], bytes]:
    """Return what adds a member to an archive."""

    def changed(archive: bytes) -> bytes:
        out = io.BytesIO(archive)
        with tarfile.open(fileobj=out, mode="a") as tar:
            header = tarfile.TarInfo(name)
            header.type, header.linkname = kind, link
            tar.addfile(header)
        return out.getvalue()

    return changed


def whole(archive: bytes) -> bytes:
    """Return an archive without the zeros at its end, but for those of its last block."""
    text = archive.rstrip(b"\0")
    return text + bytes(-len(text) % 512)


SHAPES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "bytes": (lambda archive: archive + b"evil", "bytes after its last file"),
    "a second one": (lambda archive: archive + archive, "bytes after its last file"),
    "no end": (whole, "no end-of-archive marker"),
    "half an end": (lambda archive: whole(archive) + bytes(512), "no end-of-archive marker"),
    "hard link": (added("x", tarfile.LNKTYPE, "index.json"), "x is a hard link"),
    "link": (added("y", tarfile.SYMTYPE, "index.json"), "y is a symbolic link"),
    "folder": (added("index.json", tarfile.DIRTYPE), "index.json is a file and a folder"),
    "dotted folder": (added("./oci-layout/", tarfile.DIRTYPE), "oci-layout is a file and a folder"),
    "below": (added("index.json/a/b", tarfile.DIRTYPE), "index.json is a file and a folder"),
    "file below": (added("manifest.json/x", tarfile.REGTYPE), "manifest.json is a file and"),
}


def fed(pipe: Path, archive: bytes) -> threading.Thread:
    os.mkfifo(pipe)
    thread = threading.Thread(target=pipe.write_bytes, args=(archive,), daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("name", ["", *SHAPES])
@pytest.mark.parametrize("given", ["file", "stdin", "pipe"])
def test_the_shape_of_an_archive_counts_however_it_is_given(
    bundle: Path, tmp_path: Path, check: Callable[..., Findings], given: str, name: str
) -> None:
    change, said = SHAPES.get(name, (bytes, ""))
    pack(bundle, path := tmp_path / "disk.tar", None)
    archive = change(path.read_bytes())
    if given == "stdin":
        found = check(Path(), archive)
    elif given == "pipe":
        writer = fed(path := tmp_path / "pipe", archive)
        found = check(path)
        writer.join(10)
    else:
        path.write_bytes(archive)
        found = check(path)
    label = "standard input" if given == "stdin" else str(path)
    assert all(problem.startswith(label) for problem in found.problems)
    assert [said in problem for problem in found.problems] == ([True] if name else [])


@pytest.mark.parametrize("member", ["partsVersion", "parts", "file", "sha256"])
def test_a_list_of_parts_that_has_a_member_twice_is_refused(
    bundle: Path, tmp_path: Path, check: Callable[..., Findings], member: str
) -> None:
    *_, listing = pack(bundle, tmp_path / "disk.tar", 3000)
    assert check(listing) == Findings(())
    data(listing.name, doubled(member.encode()))(tmp_path)
    with pytest.raises(SourceError, match=f'has more than one "{member}"'):
        check(listing)


@pytest.mark.parametrize(
    "change",
    [
        data("disk.tar.parts.json", lambda text: b"\xef\xbb\xbf" + text),
        data("disk.tar.parts.json", lambda text: text + b"\n"),
        data("disk.tar.parts.json", lambda text: text.replace(b'"disk.tar.0', b'"./disk.tar.0')),
        document("disk.tar.parts.json", lambda read: read.update(more=1), 2),
    ],
)
def test_every_change_of_a_list_of_parts_is_found(
    bundle: Path, tmp_path: Path, check: Callable[..., Findings], change: Change
) -> None:
    *_, listing = pack(bundle, tmp_path / "disk.tar", 3000)
    change(tmp_path)
    (problem,) = check(listing).problems
    assert CHANGED in problem


def test_a_list_that_lacks_the_last_part_is_found(
    bundle: Path, tmp_path: Path, check: Callable[..., Findings]
) -> None:
    *_, listing = pack(bundle, tmp_path / "disk.tar", 512)
    document(listing.name, lambda read: read["parts"].pop(), 2)(tmp_path)
    (problem,) = check(listing).problems
    assert "does not list all the parts" in problem


def test_a_copy_of_a_bundle_is_as_good(
    bundle: Path, tmp_path: Path, check: Callable[..., Findings]
) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    assert check(Path(copy)) == Findings(())
    with tarfile.open(tmp_path / "again.tar", "w") as tar:
        tar.add(bundle, ".")
    assert check(tmp_path / "again.tar") == Findings(())


@pytest.mark.parametrize("name", ["Dockerfile", "app/Containerfile", "compose.yaml", "app"])
def test_what_an_image_is_built_from_is_not_a_bundle_to_be_pushed(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "app").mkdir()
    for each in ("Dockerfile", "compose.yaml", "app/Containerfile"):
        (tmp_path / each).touch()
    with pytest.raises(SourceError, match=f"{name} is not a bundle") as caught:
        bundle_spec(name, tmp_path)
    assert "bundle create" in caught.value.remedy
    assert "--build" not in str(caught.value)
