"""Registries that accept no OCI manifests: they get Docker's, and the digest says so."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.faults import Fault, FaultyRegistry, refusal
from bed.pushes import Pusher
from bed.registry import Registry

EVERY = 1_000_000
DOCKER = "application/vnd.docker.distribution.manifest"


Refusal = tuple[int, str, str]
ABOUT_THE_TYPE: tuple[Refusal, ...] = (
    (400, "MANIFEST_INVALID", "unrecognized manifest content type"),
    (415, "UNSUPPORTED", "this is not a manifest"),
)


@pytest.fixture(params=ABOUT_THE_TYPE, ids=["400", "415"])
def answer(request: pytest.FixtureRequest) -> Refusal:
    found: Refusal = request.param
    return found


@pytest.fixture
def pusher(
    program: Dockless,
    own_registry: Registry,
    faulty_registry: FaultyRegistry,
    answer: Refusal,
    tmp_path: Path,
) -> Pusher:
    """Pushes to a registry that accepts no OCI manifests."""
    effect = refusal(*answer, {})
    fault = Fault("PUT", "/manifests/", effect, EVERY, kind="vnd.oci.image")
    faulty_registry.faults.append(fault)
    return Pusher(program, replace(own_registry, host=faulty_registry.host), tmp_path)


def puts(proxy: FaultyRegistry) -> list[str]:
    return [each.path for each in proxy.requests if each.method == "PUT" and "/m" in each.path]


@pytest.mark.sampled(7)
@pytest.mark.parametrize("engine", ["auto", "crane", "skopeo", "direct"])
def test_the_image_arrives_with_dockers_types_and_both_digests_are_said(
    pusher: Pusher, old_archive: Path, engine: str
) -> None:
    done = pusher.run("acme/app:1", old_archive, "--engine", engine)
    digest = pusher.digest_in(done, "acme/app:1")
    manifest = json.loads(pusher.manifest("acme/app:1"))
    assert manifest["mediaType"] == f"{DOCKER}.v2+json"
    assert digest == pusher.digest("acme/app:1")
    [line] = [line for line in done.stderr.splitlines() if "accepts no OCI manifests" in line]
    assert digest in line
    assert line.count("sha256:") == 2
    pusher.as_it_is("acme/app:1")


def test_it_is_remembered_and_what_is_there_is_unchanged(
    pusher: Pusher, faulty_registry: FaultyRegistry, old_archive: Path
) -> None:
    digest = pusher.push("acme/app:1", old_archive)
    faulty_registry.requests.clear()
    again = pusher.run("acme/app:1", old_archive)
    assert pusher.digest_in(again, "acme/app:1") == digest
    assert "accepted no OCI manifests before" in again.stderr
    assert not puts(faulty_registry)
    plan = pusher.run("acme/app:2", old_archive, "--dry-run", "--format", "json")
    assert json.loads(plan.stdout)["plan"]["digest"] == digest
    shutil.rmtree(pusher.program.folder / "cache")
    assert pusher.push("acme/app:1", old_archive) == digest, "as its tag names it already"
    assert not puts(faulty_registry)


@pytest.mark.parametrize("words", ["manifest invalid", "too many layers", "annotations too large"])
def test_a_manifest_that_is_only_called_invalid_is_not_remembered(
    program: Dockless,
    own_registry: Registry,
    faulty_registry: FaultyRegistry,
    old_archive: Path,
    tmp_path: Path,
    words: str,
) -> None:
    effect = refusal(400, "MANIFEST_INVALID", words, {})
    fault = Fault("PUT", "/manifests/", effect, EVERY, kind="vnd.oci.image")
    faulty_registry.faults.append(fault)
    pusher = Pusher(program, replace(own_registry, host=faulty_registry.host), tmp_path)
    done = pusher.run("acme/app:1", old_archive)
    [line] = [line for line in done.stderr.splitlines() if "calls the OCI manifest" in line]
    assert pusher.digest_in(done, "acme/app:1") in line
    faulty_registry.faults.clear()
    assert pusher.push("acme/other:1", old_archive) not in line.rpartition("not")[0]
    assert "oci" in json.loads(pusher.manifest("acme/other:1"))["mediaType"]


def test_another_digest_is_a_warning_where_nothing_else_is_shown(
    pusher: Pusher, old_archive: Path
) -> None:
    first = pusher.run("acme/app:1", old_archive, "--quiet")
    digest = pusher.digest("acme/app:1")
    assert first.code == 0
    assert "Warning: " in first.stderr
    assert "--manifest-format oci tries again" in first.stderr
    assert digest in first.stderr
    again = pusher.run("acme/app:2", old_archive, "--quiet", "--format", "json")
    assert "Warning: " in again.stderr
    assert "--manifest-format oci tries again" in again.stderr
    assert again.stderr.count("\n") == 1
    assert digest in again.stdout


def test_an_index_arrives_with_dockers_types(pusher: Pusher, multi_platform: Path) -> None:
    pusher.push("acme/app:1", multi_platform)
    index = json.loads(pusher.manifest("acme/app:1"))
    assert index["mediaType"] == f"{DOCKER}.list.v2+json"
    assert {each["mediaType"] for each in index["manifests"]} == {f"{DOCKER}.v2+json"}
    assert {each["platform"]["architecture"] for each in index["manifests"]} == {"amd64", "arm64"}


def test_a_mirror_and_its_receipt_have_the_digest_that_arrived(
    pusher: Pusher, oci_layout: Path
) -> None:
    source = shutil.copytree(oci_layout, pusher.folder / "sources" / "app")
    receipt = pusher.folder / "receipt.json"
    argv = ("mirror", source, "--to", f"{pusher.registry.host}/m", "--receipt", receipt)
    done = pusher.program.run(*argv)
    assert done.code == 0, done.stderr
    [image] = json.loads(receipt.read_text())["images"]
    assert image["digest"] == pusher.digest("m/app:1")
    assert pusher.program.run("verify", receipt).code == 0


def test_under_immutable_and_without_docker_types_it_is_an_error(
    pusher: Pusher, old_archive: Path
) -> None:
    immutable = pusher.run("acme/app:1", old_archive, "--immutable")
    assert immutable.code == 5
    assert "--manifest-format docker" in immutable.stderr
    assert pusher.run("acme/app:1", old_archive, "--manifest-format", "oci").code == 1
    asked = ("--immutable", "--manifest-format", "docker")
    assert pusher.run("acme/app:1", old_archive, *asked).code == 0


def test_zstd_has_no_place_there(pusher: Pusher, old_archive: Path) -> None:
    done = pusher.run("acme/app:1", old_archive, "--compression", "zstd")
    assert done.code == 1
    assert "--compression gzip" in done.stderr
    asked = ("--compression", "zstd", "--manifest-format", "docker")
    assert pusher.run("acme/app:1", old_archive, *asked).code == 2
