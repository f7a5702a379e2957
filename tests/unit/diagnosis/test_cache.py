from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.diagnosis.cache import CacheFolder, check, judge_access, judge_sharing, judge_space
from dockless.errors import UsageError
from dockless.model.finding import Finding, State
from dockless.storage.blob_store import BlobStore
from dockless.storage.sharing import Sharing

FOLDER = Path("/home/me/.cache/dockless")
ME, OTHER, GB = 1000, 1001, 10**9
PLACE = CacheFolder(
    folder=FOLDER,
    there=FOLDER,
    owner=ME,
    writable=True,
    free=50 * GB,
    kind="ext4",
    sharing=Sharing(hard_links=True, reflinks=False),
    was_tried=False,
)


def _access(place: CacheFolder, user: int = ME) -> Finding:
    [found] = judge_access(place, user)
    assert found.state != "problem" or found.remedy
    return found


def test_a_folder_of_ones_own_is_well_even_before_it_is_there() -> None:
    assert _access(PLACE).state == "ok"
    missing = replace(PLACE, there=Path("/home/me"))
    assert (_access(missing).state, "does not exist yet" in _access(missing).what) == ("ok", True)


def test_a_folder_that_may_not_be_written_to_is_a_problem_and_its_owner_named() -> None:
    found = _access(replace(PLACE, writable=False, owner=OTHER))
    assert (found.state, "it belongs to uid 1001" in found.what) == ("problem", True)


@pytest.mark.parametrize("kind", ["proc", "sysfs", "cgroup2"])
def test_a_file_system_that_keeps_nothing_is_a_problem(kind: str) -> None:
    found = _access(replace(PLACE, kind=kind))
    assert (found.state, kind in found.what) == ("problem", True)


@pytest.mark.parametrize("folder", ["/proc", "/proc/sys", "/sys"])
def test_the_kernel_s_own_folders_are_a_problem(folder: str) -> None:
    store = BlobStore(Path(folder) / "999999999")
    found = next(iter(check(store, lambda: GB, write=False)))
    assert found.state == "problem"


def test_a_folder_that_others_could_have_written_to_is_a_problem() -> None:
    found = _access(replace(PLACE, unfit="is writable by others (mode 0777)"))
    assert (found.state, "mode 0777" in found.what) == ("problem", True)


@pytest.mark.parametrize("kind", ["link", "dangling link", "0777", "0770", "file"])
def test_what_a_push_would_refuse_is_found(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "store"
    match kind:
        case "link":
            folder.symlink_to(tmp_path)
        case "dangling link":
            folder.symlink_to(tmp_path / "nowhere")
        case "file":
            folder.touch()
        case mode:
            folder.mkdir()
            folder.chmod(int(mode, 8))
    found = next(check(BlobStore(folder), lambda: GB, write=False))
    assert found.state == "problem"
    with pytest.raises(UsageError), BlobStore(folder).run():
        pass


@pytest.mark.parametrize(
    ("free", "held", "limit", "state"),
    [
        (50 * GB, 0, 20 * GB, "ok"),
        (10 * GB, 0, 20 * GB, "note"),
        (10 * GB, 15 * GB, 20 * GB, "ok"),
        (GB // 2, 0, 20 * GB, "problem"),
        (GB // 2, 0, GB // 4, "note"),
    ],
)
def test_what_is_free_is_compared_with_what_it_may_hold(
    free: int, held: int, limit: int, state: State
) -> None:
    [found] = judge_space(replace(PLACE, free=free), held, limit)
    assert found.state == state
    assert bool(found.remedy) == (state != "ok")
    assert found.facts["freeBytes"] == free


def test_where_no_bytes_can_be_shared_that_is_told() -> None:
    [found] = judge_sharing(PLACE)
    assert (found.state, "hard links yes, reflinks no (by file system type" in found.what) == (
        "ok",
        True,
    )
    none = replace(PLACE, sharing=Sharing(hard_links=False, reflinks=False), was_tried=True)
    [found] = judge_sharing(none)
    assert (found.state, "are copied" in found.what) == ("note", True)
    assert found.facts["tried"] is True


@pytest.mark.parametrize("write", [False, True])
def test_looking_makes_nothing_and_trying_leaves_nothing(tmp_path: Path, *, write: bool) -> None:
    store = BlobStore(tmp_path / "cache/dockless")
    found = list(check(store, lambda: GB, write=write))
    assert [one.subject for one in found] == [str(store.folder), "links", "space"]
    assert found[1].facts["tried"] is write
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_is_none_is_said_after_the_rest(tmp_path: Path) -> None:
    def limit() -> int:
        raise UsageError("DOCKLESS_CACHE_SIZE is 'much', which is not a size.")

    findings = check(BlobStore(tmp_path), limit, write=False)
    assert next(findings).subject == str(tmp_path)
    assert next(findings).subject == "links"
    with pytest.raises(UsageError):
        next(findings)
