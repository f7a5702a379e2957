from pathlib import Path

import pytest

from dockless.errors import NetworkError, PartialError, SourceError
from dockless.model.mirrored import MirroredImage, MirrorResult
from dockless.model.plan import Plan, PushResult, Writers
from dockless.oci.reference import Reference, Repository
from fakes.image import FakeImage

REPOSITORY = Repository.of("registry.inside:5000", "shop")
WRITERS = Writers(blobs=("dockless",), manifests=("dockless",), tags=("dockless",))


def pushed(folder: Path, *, unchanged: bool = False, dry_run: bool = False) -> PushResult:
    content = FakeImage(folder / "image").content()
    return PushResult(
        plan=Plan(repository=REPOSITORY, content=content, blobs=(), tags=(), digest_is_new=False),
        unchanged=unchanged,
        dry_run=dry_run,
        verified=True,
        engine="direct",
        sent=1,
        attempts=1,
        seconds=0.0,
        writers=WRITERS,
    )


def image(outcome: PushResult | NetworkError | SourceError) -> MirroredImage:
    return MirroredImage(
        source="a.tar",
        name="shop:1",
        references=(Reference(REPOSITORY, "1"),),
        outcome=outcome,
    )


@pytest.mark.parametrize(
    ("unchanged", "dry_run", "status"),
    [
        (False, False, "pushed"),
        (True, False, "unchanged"),
        (False, True, "planned"),
        (True, True, "unchanged"),
    ],
)
def test_an_image_that_arrived_says_how(
    tmp_path: Path, *, unchanged: bool, dry_run: bool, status: str
) -> None:
    result = pushed(tmp_path, unchanged=unchanged, dry_run=dry_run)
    one = image(result)
    assert (one.status, one.digest, one.writers) == (status, result.digest, WRITERS)
    assert one.result is result
    assert one.error is None


@pytest.mark.parametrize("error", [NetworkError("It is down."), SourceError("It is gone.")])
def test_an_image_that_failed_has_its_error_and_nothing_else(
    error: NetworkError | SourceError,
) -> None:
    one = image(error)
    assert one.error is error
    assert (one.status, one.digest, one.result, one.writers) == ("failed", None, None, Writers())


def test_a_result_tells_what_failed_from_what_arrived(tmp_path: Path) -> None:
    lost, there = image(SourceError("It is gone.")), image(pushed(tmp_path))
    error = PartialError("1 of 2 images did not arrive.")
    result = MirrorResult(images=(lost, there), error=error, receipt={})
    assert result.failures == (lost,)
    assert result.results == (there.result,)
    with pytest.raises(PartialError) as caught:
        result.raise_for_failures()
    assert caught.value is error


def test_a_result_without_failures_raises_nothing(tmp_path: Path) -> None:
    result = MirrorResult(images=(image(pushed(tmp_path)),), error=None, receipt={})
    result.raise_for_failures()
    assert not result.failures
