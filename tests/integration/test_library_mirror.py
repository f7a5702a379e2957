"""`dockless.mirror` against a real registry: its result, its receipt, and what it leaves alone."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import dockless
from bed.process import output
from bed.registry import Login, Registry
from bed.tools import crane

# loaded now: classes made while a unit test has closed sockets would stay without
MIRROR = dockless.mirror
POISON = {
    "DOCKLESS_USERNAME": "poison",
    "DOCKLESS_PASSWORD": "poison",
    "DOCKLESS_CACHE_DIR": "/dev/null",
    "DOCKLESS_CACHE_SIZE": "nonsense",
    "DOCKLESS_KEYRING": "nonsense",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "JOB_COMPLETION_INDEX": "nonsense",
    "HOME": "/dev/null",
    "PATH": "/nonexistent",
}


@pytest.fixture(autouse=True)
def silent(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """See that nothing was printed, by anybody."""
    yield
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def folder(tmp_path: Path, old_archive: Path, oci_layout: Path) -> Path:
    """A folder of two sources."""
    made = tmp_path / "images"
    made.mkdir()
    shutil.copy(old_archive, made / "old.tar")
    shutil.copytree(oci_layout, made / "layout")
    return made


def digest(reference: object) -> str:
    return output((crane(), "digest", str(reference))).strip()


def statuses(result: dockless.MirrorResult) -> set[str]:
    return {image.status for image in result.images}


@pytest.fixture
def target(own_registry: Registry) -> str:
    return f"{own_registry.host}/copies"


def test_every_image_of_the_sources_arrives_once(
    own_registry: Registry, target: str, folder: Path, tmp_path: Path
) -> None:
    receipt = tmp_path / "receipt.json"
    options = dockless.MirrorOptions(named="named", parallel=2)
    with dockless.Client() as client:
        first = client.mirror([folder], target, receipt=receipt, options=options)
        assert statuses(first) == {"pushed"}
        assert {image.source for image in first.images} == {
            str(folder / "old.tar"),
            str(folder / "layout"),
        }
        for image in first.images:
            assert image.writers.tags == image.writers.manifests == ("dockless",)
            for reference in image.references:
                assert str(reference).startswith(f"{target}/")
                assert digest(reference) == str(image.digest)
        first.raise_for_failures()
        assert not first.failures
        assert json.loads(receipt.read_text())["images"] == first.receipt["images"]
        again = client.mirror(str(folder), target, options=options)
    assert statuses(again) == {"unchanged"}
    assert {image.digest for image in again.images} == {image.digest for image in first.images}
    assert own_registry.writers() == {"dockless"}
    assert dockless.verify(receipt, deep=True).matches


def test_images_that_fail_are_in_the_result_and_raise_when_that_is_asked_for(
    target: str, folder: Path, tmp_path: Path
) -> None:
    listing = tmp_path / "list.txt"
    listing.write_text(f"{folder / 'layout'}\nno-such.tar\n")
    (tmp_path / "broken.tar").write_bytes(b"no tar at all")
    result = dockless.mirror(
        tmp_path / "broken.tar",
        target,
        lists=[listing],
        options=dockless.MirrorOptions(named="some"),
    )
    errors = [image.error for image in result.failures]
    assert [type(each) for each in errors] == [dockless.SourceError] * 2
    (failed,) = (image for image in result.failures if image.origin)
    assert failed.origin == f"{listing}:2:1"
    assert (failed.digest, failed.result, failed.status) == (None, None, "failed")
    (arrived,) = result.results
    assert digest(arrived.references[0]) == str(arrived.digest)
    assert isinstance(result.error, dockless.PartialError)
    with pytest.raises(dockless.PartialError, match="2 of 3 images"):
        result.raise_for_failures()


@pytest.mark.parametrize(
    ("count", "what"),
    [(1, r"gone-0\.tar"), (2, "None of the 2 images"), (3, "None of the 3 images")],
)
def test_a_mirror_of_nothing_but_failures_raises_their_kind(
    target: str, tmp_path: Path, count: int, what: str
) -> None:
    result = dockless.mirror([tmp_path / f"gone-{n}.tar" for n in range(count)], target)
    assert len(result.failures) == len(result.images) == count
    with pytest.raises(dockless.SourceError, match=what):
        result.raise_for_failures()


def test_a_registry_that_cannot_be_reached_is_the_error_of_every_image(
    folder: Path, tmp_path: Path
) -> None:
    options = dockless.MirrorOptions(retries=0, insecure=True, named="x")
    receipt = tmp_path / "receipt.json"
    result = dockless.mirror(folder, "127.0.0.1:1/copies", receipt=receipt, options=options)
    assert len(result.images) >= 2
    assert {type(image.error) for image in result.images} == {dockless.NetworkError}
    assert len(json.loads(receipt.read_text())["failures"]) == len(result.images)
    with pytest.raises(dockless.NetworkError):
        result.raise_for_failures()


def test_a_dry_run_says_what_would_be_done_and_does_nothing(
    own_registry: Registry, target: str, folder: Path, tmp_path: Path
) -> None:
    notes: list[str] = []

    def told(event: dockless.ProgressEvent) -> None:
        if event.kind == "note":
            notes.append(event.what)

    receipt = tmp_path / "receipt.json"
    options = dockless.MirrorOptions(dry_run=True, named="x")
    result = dockless.mirror(folder, target, receipt=receipt, options=options, progress=told)
    assert statuses(result) == {"planned"}
    assert result.unknown_repositories
    assert own_registry.writers() == frozenset()
    assert not receipt.exists()
    assert any("writes no receipt" in line for line in notes)


def test_options_of_a_push_and_those_of_the_client_are_taken(target: str, folder: Path) -> None:
    with dockless.Client(options=dockless.PushOptions(dry_run=True)) as client:
        assert statuses(client.mirror(folder / "layout", target)) == {"planned"}
        options = dockless.PushOptions(retries=0)
        assert statuses(client.mirror(folder / "layout", target, options=options)) == {"pushed"}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    "options",
    [
        {"parallel": 0},
        {"parallel": 65},
        {"max_connections": 0},
        {"max_connections": 1025},
        {"rate": 0},
        {"maps": ("a=b=*",)},
        {"shard": "4/4"},
        {"shard": "auto/2"},
        {"named": "UPPER"},
        {"scan_on_push": True},
    ],
    ids=str,
)
def test_wrong_options_are_usage_errors(
    own_registry: Registry, target: str, folder: Path, options: dict[str, object]
) -> None:
    with pytest.raises(dockless.UsageError):
        dockless.mirror(folder, target, options=dockless.MirrorOptions(**options))  # type: ignore[arg-type] # by name
    assert own_registry.writers() == frozenset()


@pytest.mark.parametrize("to", ["", "copies", "::", "127.0.0.1:5000/Upper"])
def test_a_target_that_is_none_is_a_usage_error(folder: Path, to: str) -> None:
    with pytest.raises(dockless.UsageError):
        dockless.mirror(folder, to)


def test_nothing_to_mirror_and_a_receipt_that_is_a_source_are_usage_errors(
    target: str, folder: Path
) -> None:
    before = (folder / "old.tar").read_bytes()
    for sources, receipt in (([], None), (folder / "old.tar", folder / "old.tar")):
        with pytest.raises(dockless.UsageError):
            dockless.mirror(sources, target, receipt=receipt)
    assert (folder / "old.tar").read_bytes() == before


def test_nothing_of_the_environment_is_read(
    monkeypatch: pytest.MonkeyPatch, target: str, folder: Path
) -> None:
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    result = dockless.mirror(folder, target, options=dockless.MirrorOptions(named="x"))
    assert statuses(result) == {"pushed"}


def test_a_credential_is_for_the_registry_of_the_target(
    locked_registry: Registry, login: Login, folder: Path
) -> None:
    target = f"{locked_registry.host}/library"
    options = dockless.MirrorOptions(ca_file=locked_registry.ca_file, retries=0, named="kept")
    known = dockless.Credential(username=login.username, password=dockless.Secret(login.password))
    wrong = dockless.Credential(
        username=login.username, password=dockless.Secret("wrong-but-secret")
    )
    refused = dockless.mirror(folder / "layout", target, credential=wrong, options=options)
    assert {type(image.error) for image in refused.images} == {dockless.AuthError}
    assert "wrong-but-secret" not in repr(refused) + json.dumps(refused.receipt)
    for given in ({"credential": known}, {"credentials": {locked_registry.host: known}}):
        done = dockless.mirror(folder / "layout", target, options=options, **given)
        assert statuses(done) <= {"pushed", "unchanged"}
