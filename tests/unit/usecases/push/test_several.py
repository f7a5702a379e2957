from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import AuthError, DocklessError, LostCopyError, NetworkError, PartialError
from dockless.model.plan import Plan, PushResult
from dockless.oci.reference import Repository
from dockless.storage.temporary_cache import temporary_cache
from dockless.usecases.push.several import ended, error_of_all
from fakes.image import FakeImage

BAD, WORSE = NetworkError("a is down.", "Wait."), AuthError("b refuses.", "Log in.")


@pytest.fixture
def good(tmp_path: Path) -> PushResult:
    plan = Plan(
        repository=Repository.of("r.io", "a"),
        content=FakeImage(tmp_path).content(),
        blobs=(),
        tags=(),
        digest_is_new=False,
    )
    return PushResult(
        plan=plan,
        unchanged=True,
        dry_run=False,
        verified=True,
        engine="",
        sent=0,
        attempts=0,
        seconds=1.0,
    )


def test_where_all_were_pushed_there_is_no_error(good: PushResult) -> None:
    assert error_of_all([("a", good), ("b", good)], "x.tar") is None


@pytest.mark.parametrize(
    ("errors", "kind", "says"),
    [
        ((), DocklessError, "x.tar contains no image"),
        ((BAD,), NetworkError, "a is down"),
        ((BAD, WORSE), NetworkError, "None of the 2 images"),
        ((WORSE, BAD, BAD), AuthError, "None of the 3 images"),
    ],
)
def test_where_none_was_pushed_the_first_error_counts(
    errors: tuple[DocklessError, ...], kind: type[DocklessError], says: str
) -> None:
    error = error_of_all([(str(n), each) for n, each in enumerate(errors)], "x.tar")
    assert isinstance(error, kind)
    assert says in error.what


@pytest.mark.parametrize(
    ("dry_run", "checked", "fate"),
    [
        (False, False, "there"),
        (False, True, "there"),
        (True, True, "there"),
        (True, False, "tagged"),
    ],
)
def test_a_dry_run_claims_no_more_than_it_saw(
    good: PushResult,
    dry_run: bool,  # noqa: FBT001 - a case
    checked: bool,  # noqa: FBT001 - a case
    fate: str,
) -> None:
    assert ended("a", replace(good, dry_run=dry_run, checked=checked)).fate == fate


def test_where_some_were_pushed_it_says_how_many(good: PushResult) -> None:
    error = error_of_all([("a", good), ("b", BAD), ("c", good)], "x.tar")
    assert isinstance(error, PartialError)
    assert "1 of 3 images was not pushed" in error.what


def test_a_temporary_store_is_gone_afterwards(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = LostCopyError("It was deleted.", "Run it again.")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary_cache(lost) as folder:
        (folder / "x").write_text("x")
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(LostCopyError), temporary_cache(lost):
        raise AssertionError
