import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from msgspec.structs import replace

from dockless.errors import SourceError
from dockless.model.mirrored import MirroredImage
from dockless.model.plan import BlobPlan, PushResult
from dockless.model.printable import json_text
from dockless.oci.reference import Reference, Repository
from dockless.report.forecast import forecast_document, forecast_text
from dockless.storage.receipt import receipt_document

_DOCS = Path(__file__).parents[3] / "docs"
SCHEMA: dict[str, Any] = json.loads((_DOCS / "mirror-dry-run.schema.json").read_text())
RECEIPT: dict[str, Any] = json.loads((_DOCS / "receipt.schema.json").read_text())


def test_what_would_be_pushed_is_counted(result: PushResult) -> None:
    last = forecast_text([result, result], []).splitlines()[-1]
    assert last == "2 images of 2 would be pushed: 2 blobs, 5.31 MB."


def test_that_nothing_would_be_pushed_is_said_without_noughts(result: PushResult) -> None:
    there = replace(result, unchanged=True, checked=True, plan=replace(result.plan, tags=()))
    [one] = forecast_text([there], []).splitlines()
    assert one == "Nothing would be pushed: the image is there already."
    [two] = forecast_text([there, there], []).splitlines()
    assert two == "Nothing would be pushed: the 2 images are there already."


@pytest.mark.parametrize(
    ("tags", "times", "said"),
    [
        (0, 1, "the image is there already; its"),
        (1, 1, "the image is tagged already; its"),
        (2, 1, "the image is tagged already; its"),
        (1, 3, "the 3 images are tagged already; their"),
    ],
)
def test_blobs_that_were_not_asked_for_are_not_claimed(
    result: PushResult, tags: int, times: int, said: str
) -> None:
    plan = replace(result.plan, tags=result.plan.tags[:1] * tags)
    there = replace(result, unchanged=True, checked=False, plan=plan)
    [line] = forecast_text([there] * times, []).splitlines()
    assert line == (
        f"Nothing would be pushed: {said} blobs were not checked (--check-blobs does that)."
    )


def forecast(*results: PushResult, unknown: bool = False) -> dict[str, Any]:
    """Return the document of a dry run, with one image that has no place."""
    planned = [replace(each, dry_run=True, verified=False) for each in results]
    lines = [
        *(
            MirroredImage(
                source="disk",
                name="a:1",
                references=(Reference(each.plan.repository, "1"),),
                outcome=each,
            )
            for each in planned
        ),
        MirroredImage(
            source="disk",
            name="",
            references=(),
            outcome=SourceError("It has no name.", "Name it."),
        ),
    ]
    moment, versions = "2026-11-30T00:00:00Z", {"dockless": "1"}
    receipt = receipt_document("localhost:5000", moment, versions, {}, lines)
    places = [each.plan.repository for each in planned] if unknown else []
    document = receipt | {"pending": []} | forecast_document(planned, places)
    read: dict[str, Any] = json.loads(json_text(document))
    return read


@pytest.mark.parametrize("unknown", [False, True])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_document_of_a_dry_run_is_as_its_schema_has_it(
    result: PushResult,
    count: int,
    unknown: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(forecast(*[result] * count, unknown=unknown))


@pytest.mark.parametrize(
    "name", ["dryRun", "missing", "mounted", "moves", "unknownRepositories", "pending"]
)
def test_the_schema_of_a_dry_run_is_not_that_of_a_receipt(result: PushResult, name: str) -> None:
    document = forecast(result)
    for wrong in ({**document, name: "x"}, {k: v for k, v in document.items() if k != name}):
        with pytest.raises(ValidationError):
            Draft202012Validator(SCHEMA).validate(wrong)


def test_what_a_dry_run_has_in_common_with_a_receipt_is_described_in_the_same_way() -> None:
    own = {"dryRun", "missing", "mounted", "moves", "unknownRepositories"}
    assert SCHEMA["properties"].keys() == RECEIPT["properties"].keys() | own
    assert SCHEMA["$defs"] == RECEIPT["$defs"]
    for name in ("images", "failures", "pending"):
        here, there = (each["properties"][name]["items"] for each in (SCHEMA, RECEIPT))
        assert here["properties"].keys() == there["properties"].keys()
        assert set(here["required"]) >= set(there["required"])
    assert SCHEMA["additionalProperties"] is False


def in_repository(result: PushResult, path: str, *, there: bool = False) -> PushResult:
    """Return the dry run of the same image in another repository, which has it or has not."""
    blobs = tuple(BlobPlan(each.descriptor, present=there) for each in result.plan.blobs)
    place = Repository.of("localhost:5000", path)
    return replace(result, plan=replace(result.plan, repository=place, blobs=blobs))


@pytest.mark.parametrize(
    ("places", "sent", "mounted"),
    [
        ({"a": False}, (3, 81_711_520), (0, 0)),
        ({"a": False, "b": False}, (3, 81_711_520), (3, 81_711_520)),
        ({"a": True, "b": False}, (0, 0), (3, 81_711_520)),
        ({"b": False, "a": True, "c": False}, (0, 0), (6, 163_423_040)),
        ({"a": True, "b": True}, (0, 0), (0, 0)),
    ],
)
def test_what_would_be_mounted_is_not_sent(
    result: PushResult,
    places: dict[str, bool],
    sent: tuple[int, int],
    mounted: tuple[int, int],
) -> None:
    found = [in_repository(result, path, there=there) for path, there in places.items()]
    said = forecast_document(found, ())
    assert said["missing"] == {"blobs": sent[0], "bytes": sent[1]}
    assert said["mounted"] == {"blobs": mounted[0], "bytes": mounted[1]}
    last = forecast_text(found, ()).splitlines()[-1]
    assert ("to mount from other repositories" in last) is (mounted[0] > 0)


def test_a_program_that_mounts_nothing_sends_everything_everywhere(result: PushResult) -> None:
    found = [in_repository(result, path, there=path == "a") for path in "abc"]
    said = forecast_document(found, (), mounts=False)
    assert said["missing"] == {"blobs": 6, "bytes": 163_423_040}
    assert said["mounted"] == {"blobs": 0, "bytes": 0}
    assert "mount" not in forecast_text(found, (), mounts=False)
