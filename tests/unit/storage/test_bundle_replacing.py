"""The folder of an older bundle is replaced by a whole one, or stays as it is."""

import os
import signal
from pathlib import Path

import pytest

from dockless.errors import PushError, UsageError
from dockless.model.lock import FILE as LOCK
from dockless.oci.content import Content, single
from dockless.oci.digest import Digest
from dockless.oci.manifest import Descriptor, compact_json, parse_document
from dockless.oci.reference import Name
from dockless.sources.older_folder import check_folder
from dockless.storage.bundle import Bundle, free_of, workplace
from dockless.storage.bundle_replacing import take_place

_CONFIG = b'{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}'
_OLD, _NEW = "acme/old:1", "acme/new:2"


def image(text: str) -> tuple[Content, bytes]:
    """Return an image without layers, whose config differs with a text."""
    config = _CONFIG[:-1] + f',"author":"{text}"}}'.encode()
    described = {
        "mediaType": "application/vnd.oci.image.config.v1+json",
        "digest": str(Digest.of(config)),
        "size": len(config),
    }
    media_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = compact_json(
        {"schemaVersion": 2, "mediaType": media_type, "config": described, "layers": []}
    )
    root = Descriptor(media_type=media_type, digest=Digest.of(manifest), size=len(manifest))
    return single(root, manifest, config), config


def filled(folder: Path, name: str, files: Path) -> Bundle:
    """Write an image of this name into a bundle; it is not finished."""
    content, config = image(name)
    files.write_bytes(config)
    made = Bundle(folder)
    made.hold(content, {blob.digest: files for blob in content.blobs})
    made.add([Name.parse(name)], "a.tar", content)
    return made


def written(out: Path, name: str) -> dict[str, bytes]:
    """Write a bundle into a new folder; return its files."""
    with workplace(out, archive=False) as folder:
        filled(folder, name, out.with_name("config")).finish()
    return state(out)


def state(folder: Path) -> dict[str, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def replaced(out: Path, name: str) -> None:
    check_folder(out, ())
    with workplace(out, archive=False, replaces=True) as folder:
        filled(folder, name, out.with_name("config")).finish()
        take_place(folder, out, lambda: check_folder(out, ()))


def listed_are_whole(out: Path) -> bool:
    """Whether every image of index.json is there with its config."""
    index = parse_document((out / "index.json").read_bytes())
    for root in getattr(index, "manifests", ()):
        data = (out / "blobs/sha256" / root.digest.hex).read_bytes()
        config = getattr(parse_document(data), "config", None)
        if config is None or not (out / "blobs/sha256" / config.digest.hex).is_file():
            return False
    return True


@pytest.mark.parametrize("link", [False, True])
def test_the_new_bundle_has_the_bytes_of_one_in_a_new_folder(tmp_path: Path, link: bool) -> None:  # noqa: FBT001 - a case
    fresh = written(tmp_path / "fresh", _NEW)
    out = tmp_path / "disk"
    written(out, _OLD)
    if link:
        (tmp_path / "link").symlink_to(out)
        out = tmp_path / "link"
    replaced(out, _NEW)
    assert state(out) == fresh
    assert sorted(path.name for path in out.iterdir()) == [
        "blobs",
        LOCK,
        "index.json",
        "manifest.json",
        "oci-layout",
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["kill", "int"])
@pytest.mark.parametrize("at", range(12))
def test_ended_at_any_step_a_bundle_is_there_and_can_be_replaced(
    tmp_path: Path, at: int, number: signal.Signals
) -> None:
    fresh, out = written(tmp_path / "fresh", _NEW), tmp_path / "disk"
    before = written(out, _OLD)
    child = os.fork()
    if not child:  # ends at the call number `at` that moves or deletes a file
        _end_at(at, number)
        try:
            replaced(out, _NEW)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert listed_are_whole(out)
    if at < 2:  # the mark of the folder, then the lock's name
        kept = {name: data for name, data in state(out).items() if not name.startswith(".")}
        assert kept == before
    assert not free_of(out)
    replaced(out, _NEW)
    left = {name for name in state(out) if name.startswith(".unfinished.")}
    assert {Path(name).name for name in left} <= {"lock.new"}  # swept when it is an hour old
    assert bool(left) == (at == 0 and number == signal.SIGKILL)
    assert {name: data for name, data in state(out).items() if name not in left} == fresh


def _end_at(at: int, number: signal.Signals) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    count = 0

    def counted(real: object) -> object:
        def call(path: Path, *args: object, **named: object) -> object:
            nonlocal count
            count += 1
            if count == at + 1:
                os.kill(os.getpid(), number)
            return real(path, *args, **named)  # type: ignore[operator] # a method of Path

        return call

    for name in ("replace", "unlink"):
        setattr(Path, name, counted(getattr(Path, name)))


@pytest.mark.parametrize(
    "name",
    ["notes.txt", ".notes", "sub/x", "blobs/notes", "blobs/sha256/notes", "blobs/mine/x",
     ".unfinished.notes/x", "lock"],
)  # fmt: skip
def test_a_folder_with_anything_else_is_refused_and_stays(tmp_path: Path, name: str) -> None:
    out = tmp_path / "disk"
    written(out, _OLD)
    (out / name).parent.mkdir(exist_ok=True)
    (out / name).write_text("mine")
    before = state(out)
    with pytest.raises(UsageError, match="is not empty") as caught:
        check_folder(out, ())
    assert name.removesuffix("/x") in caught.value.what
    assert state(out) == before


@pytest.mark.parametrize("name", ["blobs", "blobs/sha256", "index.json", LOCK])
def test_links_in_a_bundle_are_not_followed(tmp_path: Path, name: str) -> None:
    out = tmp_path / "disk"
    written(out, _OLD)
    (out / name).rename(tmp_path / "mine")
    (out / name).symlink_to(tmp_path / "mine")
    with pytest.raises(UsageError, match="is not part of a bundle"):
        check_folder(out, ())


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        (LOCK, None, "it has no"),
        (LOCK, b"", "cannot be read"),
        (LOCK, b'{"lockVersion": 9}', "cannot be read"),
        (LOCK, b"\xff", "cannot be read"),
    ],
)
def test_a_layout_of_another_program_is_refused(
    tmp_path: Path, name: str, data: bytes | None, said: str
) -> None:
    out = tmp_path / "disk"
    written(out, _OLD)
    if data is None:
        (out / name).unlink()
    else:
        (out / name).write_bytes(data)
    with pytest.raises(UsageError, match=said):
        check_folder(out, ())


def test_an_image_that_was_added_by_another_program_is_not_lost(tmp_path: Path) -> None:
    out, other = tmp_path / "disk", tmp_path / "other"
    written(out, _OLD)
    written(other, _NEW)
    (out / "index.json").write_bytes((other / "index.json").read_bytes())
    with pytest.raises(UsageError, match="has an image that"):
        check_folder(out, ())


@pytest.mark.parametrize("inside", [LOCK, "index.json", "blobs/sha256"])
def test_an_input_within_the_older_bundle_is_not_replaced(tmp_path: Path, inside: str) -> None:
    out = tmp_path / "disk"
    written(out, _OLD)
    with pytest.raises(UsageError, match="would replace the bundle"):
        check_folder(out, (out / inside,))
    check_folder(out, (tmp_path / inside,))


@pytest.mark.parametrize("error", [PushError("full.", "free it"), KeyboardInterrupt()])
def test_the_older_bundle_stays_where_the_new_one_fails(
    tmp_path: Path, error: BaseException
) -> None:
    out = tmp_path / "disk"
    before = written(out, _OLD)
    with (  # noqa: PT012 - the block fails at its end
        pytest.raises(type(error)),
        workplace(out, archive=False, replaces=True) as folder,
    ):
        filled(folder, _NEW, tmp_path / "config")
        raise error
    assert state(out) == before
    assert sorted(path.name for path in out.iterdir()) == sorted(
        {name.split("/")[0] for name in before}
    )


def test_what_comes_meanwhile_stays_and_so_does_the_older_bundle(tmp_path: Path) -> None:
    out = tmp_path / "disk"
    before = written(out, _OLD)
    with (  # noqa: PT012 - the block fails at its end
        pytest.raises(UsageError, match="notes"),
        workplace(out, archive=False, replaces=True) as folder,
    ):
        filled(folder, _NEW, tmp_path / "config").finish()
        (out / "notes").write_text("mine")
        take_place(folder, out, lambda: check_folder(out, ()))
    assert state(out) == {**before, "notes": b"mine"}
