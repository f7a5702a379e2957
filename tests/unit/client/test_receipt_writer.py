"""What a receipt says of the programs, and what a pipe gets of it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from msgspec.structs import replace

from dockless.client.receipt_writer import Heading, ReceiptWriter
from dockless.model.plan import Plan, PushResult
from dockless.oci.content import single
from dockless.oci.digest import Digest
from dockless.oci.manifest import OCI_CONFIG, OCI_MANIFEST, Descriptor, image_manifest
from dockless.oci.reference import Reference, Repository
from dockless.storage.receipt_file import ReceiptFile
from dockless.storage.resume_log import ResumeLog
from dockless.usecases.mirror.run import MirrorItem


@pytest.fixture
def result() -> PushResult:
    config = Descriptor(OCI_CONFIG, Digest.of(b"{}"), 2)
    manifest = image_manifest(config, ())
    root = Descriptor(OCI_MANIFEST, Digest.of(manifest), len(manifest))
    content = single(root, manifest, b'{"rootfs":{"diff_ids":[]}}')
    plan = Plan(Repository.of("localhost:1", "a"), content, (), (), digest_is_new=False)
    return PushResult(plan, False, False, True, "", 0, 1, 1.0)  # noqa: FBT003 - as they stand there


def writer(tmp_path: Path, version_of: Callable[[str], str]) -> ReceiptWriter:
    log = ResumeLog(tmp_path / "journals", (), resume=False)
    heading = Heading(target="localhost:1", bundles={}, version_of=version_of)
    return ReceiptWriter(None, heading, log, lambda _: None)


def item(result: PushResult) -> MirrorItem:
    reference = Reference(result.plan.repository, "v1")
    return MirrorItem("image.tar", "a:v1", (reference,), 1, cast("Any", None))


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
@pytest.mark.parametrize("version", ["0.20.2", "1.9.3-dev", ""])
def test_a_version_that_is_not_known_is_left_out(
    tmp_path: Path, result: PushResult, engine: str, version: str
) -> None:
    made = writer(tmp_path, {engine: version}.__getitem__)
    made.note(item(result), replace(result, engine=engine))
    versions = cast("dict[str, str]", made.document(finished=True)["versions"])
    assert versions.get(engine) == (version or None)
    assert versions["dockless"]
    assert all(versions.values())


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("calls", "written"),
    [
        ([{"finished": False}, {"finished": False}], 0),
        ([{"finished": False}, {"finished": True}], 1),
        ([{"finished": False}, {"finished": False, "last": True}], 1),
    ],
)
def test_a_pipe_gets_the_last_receipt_only(
    tmp_path: Path, calls: list[dict[str, bool]], written: int
) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    file = ReceiptFile(tmp_path / "pipe")
    log = ResumeLog(tmp_path / "journals", (), resume=False)
    heading = Heading(target="localhost:1", bundles={}, version_of=str)
    made = ReceiptWriter(file, heading, log, lambda _: None)
    for call in calls:
        made.write(**call)
    file.close()
    assert os.read(reader, 100_000).count(b"receiptVersion") == written
    os.close(reader)
