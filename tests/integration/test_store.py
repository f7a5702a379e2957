"""The store: never a wrong byte of it, deleted at any moment, and nobody's but its user's."""

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bed import hostile
from bed.docker import Docker
from bed.dockless import Dockless, dockless
from bed.failures import complaint, leftovers, store_of
from bed.faults import Answer, Change, Fault, FaultyRegistry
from bed.process import output
from bed.registry import Registry
from bed.tools import crane

pytestmark = pytest.mark.sampled(11)

ENGINES = ("auto", "crane", "skopeo", "direct")
_OTHER = 65534


def flip(place: float) -> Callable[[bytearray], None]:
    def damage(data: bytearray) -> None:
        data[int(place * (len(data) - 1))] ^= 1

    return damage


def cut(keep: int) -> Callable[[bytearray], None]:
    def damage(data: bytearray) -> None:
        del data[keep:]

    return damage


DAMAGES = {
    "first byte": flip(0),
    "a byte in the middle": flip(0.5),
    "last byte": flip(1),
    "cut": cut(1000),
    "emptied": cut(0),
    "grown": lambda data: data.extend(b"more"),
}


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """An archive with two layers that hardly shrink."""
    noise = (hostile.tar(hostile.file(f"noise{n}", os.urandom(n * 100_000))) for n in (1, 2))
    parts = (hostile.file(f"{n}/layer.tar", data) for n, data in enumerate(noise))
    path = tmp_path / "image.tar"
    path.write_bytes(hostile.tar(*hostile.image(*parts)))
    return path


def pushed(program: Dockless, *argv: str | Path) -> str:
    """Push, which must succeed; return the digest."""
    done = program.run("push", *argv)
    assert done.code == 0, done.stderr
    return done.stdout.strip().partition("@")[2]


def damage_all(program: Dockless, damage: Callable[[bytearray], None]) -> None:
    for path in (store_of(program) / "blobs" / "sha256").iterdir():
        data = bytearray(path.read_bytes())
        damage(data)
        path.write_bytes(data)


def wrong(folder: Path) -> list[str]:
    """Return the blobs below a folder that are not what their names say."""
    files = [path for path in folder.rglob("blobs/sha256/*") if path.is_file()]
    return [
        path.name for path in files if hashlib.sha256(path.read_bytes()).hexdigest() != path.name
    ]


def warm(program: Dockless, registry: Registry, source: Path) -> str:
    """Fill the store, by a push to a registry of which the next push knows nothing."""
    own = hashlib.sha256(str(program.folder).encode()).hexdigest()[:16]
    return pushed(program, source, "--image", f"{registry.host}/warm/{own}:1", "-q")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_damaged_in_the_store_is_never_pushed_and_heals(
    program: Dockless,
    registry: Registry,
    own_registry: Registry,
    archive: Path,
    engine: str,
    damage: Callable[[bytearray], None],
) -> None:
    digest = warm(program, registry, archive)
    damage_all(program, damage)
    target = f"{own_registry.host}/healed/app:1"
    assert pushed(program, archive, "--image", target, "--engine", engine) == digest
    output((crane(), "validate", "--remote", target))
    assert wrong(store_of(program)) == []
    assert leftovers(program) == []


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("kind", ["archive", "packed archive", "OCI archive"])
def test_what_is_damaged_in_the_store_never_gets_into_a_bundle(
    program: Dockless,
    registry: Registry,
    archive: Path,
    oci_archive: Path,
    tmp_path: Path,
    kind: str,
    damage: Callable[[bytearray], None],
) -> None:
    source = archive
    if kind == "packed archive":
        output(("gzip", "-k", archive))
        source = Path(f"{archive}.gz")
    elif kind == "OCI archive":
        source = oci_archive
    warm(program, registry, source)
    damage_all(program, damage)
    done = program.run("bundle", "create", "-o", tmp_path / "bundle", source, "--as", "a/b")
    assert done.code == 0, done.stderr
    assert wrong(tmp_path / "bundle") == []
    assert program.run("bundle", "verify", tmp_path / "bundle").code == 0


def test_what_docker_lists_is_saved_again_where_its_config_is_damaged(
    program: Dockless, registry: Registry, own_registry: Registry, old_docker: Docker
) -> None:
    daemon = replace(program, extra={**program.extra, "DOCKER_HOST": old_docker.address})
    source = "docker-daemon:sample:1"
    digest = pushed(daemon, source, "--image", f"{registry.host}/warm/daemon:1")
    damage_all(daemon, flip(0.5))
    for number in (1, 2):
        target = f"{own_registry.host}/healed/daemon:{number}"
        assert pushed(daemon, source, "--image", target) == digest
        output((crane(), "validate", "--remote", target))
    assert wrong(store_of(daemon)) == []


@pytest.mark.parametrize("source", ["containerd", "archive on stdin", "layout"])
def test_other_sources_heal_or_need_no_store(
    program: Dockless,
    registry: Registry,
    own_registry: Registry,
    archive: Path,
    oci_layout: Path,
    containerd_docker: Docker,
    source: str,
) -> None:
    given, stdin = "-", archive.read_bytes()
    if source == "containerd":
        program = replace(
            program, extra={**program.extra, "DOCKER_HOST": containerd_docker.address}
        )
        given, stdin = "docker-daemon:sample:1", b""
    elif source == "layout":
        given, stdin = str(oci_layout), b""
    digests = set()
    for place in (registry, own_registry):
        target = f"{place.host}/others/{source.replace(' ', '-')}:1"
        done = program.run("push", given, "--image", target, stdin=stdin)
        assert done.code == 0, done.stderr
        digests.add(done.stdout.partition("@")[2])
        output((crane(), "validate", "--remote", target))
        if (store_of(program) / "blobs").exists():
            damage_all(program, flip(0.5))
    assert len(digests) == 1


def _nowhere(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def _socket(path: Path) -> None:
    os.mknod(path, stat.S_IFSOCK | 0o600)


def _zeros(path: Path) -> None:
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))


@pytest.mark.parametrize("make", [os.mkfifo, _socket, _zeros, Path.mkdir, _nowhere])
@pytest.mark.parametrize("what", ["files", "folders"])
@pytest.mark.parametrize("engine", ENGINES)
def test_whatever_stands_in_the_place_of_a_file_is_staged_again(
    program: Dockless,
    registry: Registry,
    own_registry: Registry,
    archive: Path,
    engine: str,
    what: str,
    make: Callable[[Path], None],
) -> None:
    digest = warm(program, registry, archive)
    store = store_of(program)
    wanted = Path.is_file if what == "files" else Path.is_dir
    for path in [path for path in store.rglob("*") if wanted(path) and not path.is_symlink()]:
        if path.is_file() or path.exists():
            output(("rm", "-rf", path))
            make(path)
    target = f"{own_registry.host}/odd/app:1"
    assert pushed(program, archive, "--image", target, "--engine", engine) == digest
    output((crane(), "validate", "--remote", target))
    assert pushed(program, archive, "--image", f"{registry.host}/odd/app:1") == digest
    assert program.run("cache", "prune").code == 0
    odd = (path for path in store.rglob("*") if not (path.is_file() or path.is_dir()))
    assert not [path for path in odd if not path.is_symlink() or not path.exists()]
    assert leftovers(program) == []


class Deleting:
    """Deletes a folder when a registry is first asked something."""

    def __init__(self, folder: Path, how: Callable[[Path], None]) -> None:
        self.done = threading.Event()
        self._folder = folder
        self._how = how

    def __call__(self, answer: Answer) -> Answer:
        self._how(self._folder)
        self.done.set()
        return answer


def everything(folder: Path) -> None:
    output(("rm", "-rf", folder))


def all_blobs(folder: Path) -> None:
    for path in folder.glob("dockless/*/blobs"):
        output(("rm", "-rf", path))


def all_runs(folder: Path) -> None:
    for path in folder.glob("dockless/*/runs"):
        output(("rm", "-rf", path))


MOMENTS = {
    "when the registry is greeted": ("GET", "/v2/$"),
    "when the tag is asked for": ("HEAD", "/manifests/1$"),
    "when blobs are asked for": ("HEAD", "/blobs/"),
    "when an upload begins": ("POST", "/blobs/uploads/"),
    "when an upload ends": ("PUT", "/blobs/uploads/"),
    "when the manifest is written": ("PUT", "/manifests/sha256:"),
    "when the tag is moved": ("PUT", "/manifests/1$"),
}


@pytest.mark.parametrize(
    ("engine", "how"),
    [("auto", everything), ("crane", all_runs), ("skopeo", everything), ("direct", all_blobs)],
)
@pytest.mark.parametrize("moment", MOMENTS.values(), ids=MOMENTS)
def test_the_store_may_be_deleted_at_any_moment_of_a_push(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    registry: Registry,
    archive: Path,
    moment: tuple[str, str],
    engine: str,
    how: Callable[[Path], None],
) -> None:
    digest = warm(program, registry, archive)
    deleting = Deleting(program.folder / "cache", how)
    faulty_registry.faults.append(Fault(*moment, Change(deleting)))
    target = f"{faulty_registry.host}/deleted/app:1"
    assert pushed(program, archive, "--image", target, "--engine", engine) == digest
    assert deleting.done.is_set() or (engine == "skopeo" and moment[0] == "HEAD")
    output((crane(), "validate", "--remote", target))
    assert leftovers(program) == []


@contextlib.contextmanager
def another_user(parent: Path) -> Iterator[Dockless]:
    """Yield dockless of a user without a name, whose store is to be in this folder."""
    with tempfile.TemporaryDirectory(prefix="another-") as folder:
        made = dockless(Path(folder) / "all", DOCKLESS_CACHE_DIR=str(parent))
        for path in (Path(folder), *Path(folder).rglob("*")):
            os.chown(path, _OTHER, _OTHER)
        user = (f"--reuid={_OTHER}", f"--regid={_OTHER}", "--clear-groups")
        yield replace(made, before=("setpriv", *user))


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everybody may write to, as an `emptyDir` of Kubernetes is."""
    with tempfile.TemporaryDirectory(prefix="shared-") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def in_folder(program: Dockless, folder: Path) -> Dockless:
    return replace(program, extra={**program.extra, "DOCKLESS_CACHE_DIR": str(folder)})


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o2777])
def test_users_share_a_folder_and_nothing_in_it(
    program: Dockless, own_registry: Registry, archive: Path, shared: Path, mode: int
) -> None:
    shared.chmod(mode)
    with another_user(shared) as other:
        shutil.copy(archive, other.project / "image.tar")
        (other.project / "image.tar").chmod(0o644)
        digests = set()
        for number in (1, 2):
            argv = ("--image", f"{own_registry.host}/shared/app:{number}")
            digests.add(pushed(in_folder(program, shared), archive, *argv))
            digests.add(pushed(other, "image.tar", *argv))
    assert len(digests) == 1
    for uid in (os.geteuid(), _OTHER):
        status = (shared / str(uid)).stat()
        assert (status.st_uid, status.st_mode & 0o777) == (uid, 0o700)
    assert {path.name for path in shared.iterdir()} == {str(os.geteuid()), str(_OTHER)}


def _foreign(path: Path) -> None:
    path.mkdir()
    os.chown(path, _OTHER, _OTHER)


def _writable(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


def _link(path: Path) -> None:
    (path.parent / "trap").mkdir(mode=0o700)
    path.symlink_to(path.parent / "trap")


@pytest.mark.parametrize("make", [_foreign, _writable, _link, Path.touch])
@pytest.mark.parametrize("argv", ["push", "cache info", "cache prune --all", "bundle", "mirror"])
def test_a_store_that_others_could_have_written_is_refused(
    program: Dockless,
    own_registry: Registry,
    archive: Path,
    shared: Path,
    argv: str,
    make: Callable[[Path], None],
) -> None:
    make(shared / str(os.geteuid()))
    whole: tuple[str | Path, ...] = tuple(argv.split())
    if argv == "push":
        whole = ("push", archive, "--image", f"{own_registry.host}/refused/app:1")
    elif argv == "bundle":
        whole = ("bundle", "create", "-o", program.folder / "b.tar", archive, "--as", "a/b")
    elif argv == "mirror":
        whole = ("mirror", archive, "--to", f"{own_registry.host}/refused", "--as", "a/b")
    said = complaint(in_folder(program, shared).run(*whole), 2)
    assert str(shared / str(os.geteuid())) in said
    assert "DOCKLESS_CACHE_DIR" in said
    assert not (shared / "trap").exists() or not list((shared / "trap").iterdir())
    assert not (program.folder / "b.tar").exists()


@pytest.mark.parametrize(
    "name", ["locks/runs", "locks", "runs", "blobs", "layers", "unflushed", "heads", "links"]
)
def test_links_that_others_lay_where_an_older_version_had_its_store_change_nothing(
    program: Dockless,
    own_registry: Registry,
    archive: Path,
    shared: Path,
    tmp_path: Path,
    name: str,
) -> None:
    shared.chmod(0o1777)
    precious = tmp_path / "precious"
    if name == "locks/runs":
        precious.write_text("precious")
        (shared / "locks").mkdir()
    else:
        precious.mkdir()
        (precious / "runs").write_text("precious")
        (shared / "locks").mkdir()
        (shared / "locks/runs").touch()
        if name == "locks":
            shutil.rmtree(shared / "locks")
    (shared / name).symlink_to(precious)
    pushed(in_folder(program, shared), archive, "--image", f"{own_registry.host}/links/app:1")
    kept = precious if precious.is_file() else precious / "runs"
    assert kept.read_text() == "precious"


def test_a_layer_that_somebody_put_into_a_restored_cache_is_found_out(
    program: Dockless, registry: Registry, own_registry: Registry, archive: Path
) -> None:
    digest = warm(program, registry, archive)
    evil = gzip.compress(hostile.tar(hostile.file("etc/evil", b"backdoor")))
    found = hashlib.sha256(evil).hexdigest()
    (store_of(program) / "blobs/sha256" / found).write_bytes(evil)
    for record in (store_of(program) / "layers").iterdir():
        entry = json.loads(record.read_text()) | {"digest": f"sha256:{found}", "size": len(evil)}
        del entry["sum"]  # as version 0.1.0 wrote it
        record.write_text(json.dumps(entry))
    target = f"{own_registry.host}/restored/app:1"
    assert pushed(program, archive, "--image", target, "--recheck-cache") == digest
    assert pushed(program, archive, "--image", target, "--recheck-cache") == digest
    assert not (store_of(program) / "blobs/sha256" / found).exists()


def test_prune_in_a_loop_breaks_no_push_nor_a_small_limit(
    program: Dockless, own_registry: Registry, archive: Path
) -> None:
    small = replace(program, extra={**program.extra, "DOCKLESS_CACHE_SIZE": "1k"})
    ended = threading.Event()

    def prune() -> None:
        while not ended.is_set():
            assert program.run("cache", "prune", "--all").code == 0

    with ThreadPoolExecutor(5) as pool:
        pruning = pool.submit(prune)
        try:
            targets = [f"{own_registry.host}/pruned/{number}:1" for number in range(12)]
            digests = set(pool.map(lambda name: pushed(small, archive, "--image", name), targets))
        finally:
            ended.set()
        pruning.result()
    assert len(digests) == 1


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("below", ["..", ".", "runs", "blobs"])
def test_a_store_that_is_deleted_again_and_again_keeps_no_push(
    program: Dockless, own_registry: Registry, archive: Path, below: str, engine: str
) -> None:
    ended, folder = threading.Event(), Path(os.path.normpath(store_of(program) / below))

    def delete() -> None:
        while not ended.is_set():
            shutil.rmtree(folder, ignore_errors=True)

    with ThreadPoolExecutor(1) as pool:
        deleting = pool.submit(delete)
        try:
            digests = {
                pushed(program, archive, "--engine", engine, "--image", target)
                for target in (f"{own_registry.host}/gone/{number}:1" for number in range(3))
            }
        finally:
            ended.set()
        deleting.result()
    assert len(digests) == 1


@contextlib.contextmanager
def disk(folder: Path, options: str) -> Iterator[Path]:
    """Mount a small disk for as long as the block lasts."""
    folder.mkdir()
    output(("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder))
    try:
        yield folder
    finally:
        output(("umount", folder))


@pytest.mark.parametrize("inodes", range(2, 18))
def test_a_disk_without_room_for_a_further_file_is_an_error_that_says_so(
    program: Dockless, own_registry: Registry, archive: Path, tmp_path: Path, inodes: int
) -> None:
    with disk(tmp_path / "disk", f"size=30m,nr_inodes={inodes}") as small:
        ours = in_folder(program, small / "c")
        said = complaint(ours.run("push", archive, "--image", f"{own_registry.host}/i/app:1"), 1)
    assert "no space left" in said.lower()


def test_nothing_is_pruned_on_a_disk_that_is_read_only_and_that_is_said(
    program: Dockless, own_registry: Registry, archive: Path, tmp_path: Path
) -> None:
    with disk(tmp_path / "disk", "size=30m") as small:
        ours = in_folder(program, small / "c")
        pushed(ours, archive, "--image", f"{own_registry.host}/ro/app:1")
        output(("mount", "-o", "remount,ro", small))
        for argv in (("cache", "prune", "--all"), ("cache", "prune")):
            result = ours.run(*argv)
            assert "Read-only" in complaint(result, 2)
        assert ours.run("cache", "info").code == 0


@pytest.mark.parametrize(
    "folder",
    [" ", "/proc", "/sys", "/dev/null", "FOLDER/archive", "FOLDER/dangling", "FOLDER/fifo",
     "~nobody/x", "$HOME/x", "s3://bucket", "/srv/a\nb"],
)  # fmt: skip
@pytest.mark.parametrize("argv", ["push", "cache info", "cache prune"])
def test_a_folder_that_cannot_hold_a_store_is_one_clear_error(
    program: Dockless, registry: Registry, archive: Path, tmp_path: Path, folder: str, argv: str
) -> None:
    (tmp_path / "archive").touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    text = folder.replace("FOLDER", str(tmp_path))
    ours = replace(program, extra={**program.extra, "DOCKLESS_CACHE_DIR": text})
    whole: tuple[str | Path, ...] = tuple(argv.split())
    if argv == "push":
        whole = ("push", archive, "--image", f"{registry.host}/nowhere/app:1")
    said = complaint(ours.run(*whole), 2)
    assert "DOCKLESS_CACHE_DIR" in said
    assert not list(program.project.iterdir())


def test_a_disk_that_is_too_small_is_an_error_that_says_so(
    program: Dockless, own_registry: Registry, archive: Path, tmp_path: Path
) -> None:
    with disk(tmp_path / "disk", "size=64k") as small:
        ours = in_folder(program, small / "c")
        assert ours.run("cache", "info").code == 0
        said = complaint(ours.run("push", archive, "--image", f"{own_registry.host}/i/app:1"), 1)
        assert "no space left" in said.lower()
        assert ours.run("cache", "info").code == 0
        assert not list((small / "c").glob("*/runs/*"))


@pytest.mark.parametrize("text", ["~/cache", "cache", "./a/b"])
def test_a_folder_may_begin_at_the_home_or_at_the_current_one(
    program: Dockless, own_registry: Registry, archive: Path, text: str
) -> None:
    ours = replace(program, extra={**program.extra, "DOCKLESS_CACHE_DIR": text})
    pushed(ours, archive, "--image", f"{own_registry.host}/begins/app:1")
    top = program.home if text.startswith("~") else program.project
    assert (top / text.removeprefix("~/") / str(os.geteuid()) / "blobs").is_dir()
    assert not (program.project / "~").exists()
