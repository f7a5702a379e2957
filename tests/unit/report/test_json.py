import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError
from msgspec.structs import replace

from dockless.errors import AuthError, DocklessError, NetworkError, SourceError
from dockless.model.plan import Plan, PushResult
from dockless.model.printable import json_text
from dockless.model.secret import Secret
from dockless.model.timings import Step
from dockless.report.json import (
    SCHEMA_VERSION,
    error_document,
    images_document,
    plan_document,
    result_document,
)

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "push-result.schema.json"
SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))

TIMINGS: dict[Step, float] = {"start": 0.12345, "upload": 1.5}


def _valid(document: dict[str, object]) -> dict[str, Any]:
    """Return the document as a reader gets it, after the schema has accepted it."""
    read: dict[str, Any] = json.loads(json_text(document))
    Draft202012Validator(SCHEMA).validate(read)
    return read


def test_the_schema_is_one_and_has_the_same_version() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schemaVersion"]["const"] == SCHEMA_VERSION


def _objects(schema: object) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for member in schema.values():
            yield from _objects(member)
    elif isinstance(schema, list):
        for member in schema:
            yield from _objects(member)


def test_every_object_of_the_schema_is_closed_and_every_member_described() -> None:
    for schema in _objects(SCHEMA):
        assert schema["additionalProperties"] is False
        assert all("description" in member for member in schema["properties"].values())


def test_a_plan_says_all_that_the_push_would_do(plan: Plan) -> None:
    assert _valid(plan_document(plan)) == {
        "schemaVersion": 1,
        "plan": {
            "repository": "localhost:5000/team/shop",
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": f"sha256:{'d' * 64}",
            "digestIsNew": True,
            "compression": {"format": "gzip", "level": 1, "chosenBy": None},
            "imageId": f"sha256:{'c' * 64}",
            "platforms": ["linux/amd64"],
            "blobs": [
                {
                    "role": "config",
                    "mediaType": "application/vnd.oci.image.config.v1+json",
                    "digest": f"sha256:{'c' * 64}",
                    "size": 1_520,
                    "present": False,
                },
                {
                    "role": "layer",
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": f"sha256:{'1' * 64}",
                    "size": 76_400_000,
                    "present": True,
                },
                {
                    "role": "layer",
                    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                    "digest": f"sha256:{'2' * 64}",
                    "size": 5_310_000,
                    "present": False,
                },
            ],
            "missingBytes": 5_311_520,
            "tags": [
                {
                    "tag": "v2",
                    "action": "create",
                    "before": None,
                    "after": f"sha256:{'d' * 64}",
                },
                {
                    "tag": "stable",
                    "action": "move",
                    "before": f"sha256:{'e' * 64}",
                    "after": f"sha256:{'d' * 64}",
                },
                {
                    "tag": "latest",
                    "action": "keep",
                    "before": f"sha256:{'d' * 64}",
                    "after": f"sha256:{'d' * 64}",
                },
            ],
        },
    }


def test_a_result_says_what_the_push_did(result: PushResult) -> None:
    document = _valid(result_document(result, TIMINGS))["result"]

    assert document.pop("plan") == _valid(plan_document(result.plan))["plan"]
    assert document == {
        "references": [
            "localhost:5000/team/shop:v2",
            "localhost:5000/team/shop:stable",
            "localhost:5000/team/shop:latest",
        ],
        "digest": f"sha256:{'d' * 64}",
        "unchanged": False,
        "dryRun": False,
        "verified": True,
        "engine": "crane",
        "writers": {"blobs": [], "manifests": [], "tags": []},
        "sentBytes": 5_311_520,
        "attempts": 1,
        "seconds": 1.941,
        "timings": {"start": 0.123, "upload": 1.5},
    }


def test_a_result_without_an_engine_says_null(result: PushResult) -> None:
    unchanged = replace(result, unchanged=True, engine="", sent=0, attempts=0)

    assert _valid(result_document(unchanged, {}))["result"]["engine"] is None


def test_an_index_has_no_image_id(plan: Plan) -> None:
    index = replace(plan, content=replace(plan.content, image_id=None))

    assert _valid(plan_document(index))["plan"]["imageId"] is None


def test_several_images_each_have_a_result_or_an_error(result: PushResult) -> None:
    whole = _valid(result_document(result, {}))["result"]
    assert whole.pop("timings") == {}
    document = _valid(
        images_document([("shop:v2", result), ("shop:v1", AuthError("Not allowed.", "Log in."))])
    )

    assert document["images"] == [
        {"image": "shop:v2", "result": whole},
        {
            "image": "shop:v1",
            "error": {
                "kind": "auth",
                "message": "Not allowed.",
                "remedy": "Log in.",
                "exitCode": 4,
            },
        },
    ]


@pytest.mark.parametrize("names", [("a:1", "a:1"), ("b:1", "c:1", "b:1"), ("", "")])
def test_images_of_one_name_are_each_in_the_document(names: tuple[str, ...]) -> None:
    errors = [(name, SourceError(f"{n} failed.")) for n, name in enumerate(names)]
    document = _valid(images_document(errors))
    assert [each["image"] for each in document["images"]] == list(names)


@pytest.mark.parametrize("kind", DocklessError.__subclasses__())
def test_every_kind_of_error_is_in_the_schema(kind: type[DocklessError]) -> None:
    error = _valid(error_document(kind("It failed.")))["error"]

    assert error["message"] == "It failed."
    assert error["remedy"] == ""
    assert error["exitCode"] == kind.exit_code


def test_an_errors_kind_is_the_name_of_its_class() -> None:
    assert _valid(error_document(NetworkError("No answer.")))["error"]["kind"] == "network"


@pytest.mark.parametrize("member", [{}, {"plan": {}}, {"other": 1}, {"error": {"kind": "auth"}}])
def test_the_schema_refuses_what_is_no_document(member: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _valid({"schemaVersion": 1, **member})


def test_the_schema_refuses_two_kinds_of_document_in_one(result: PushResult) -> None:
    with pytest.raises(ValidationError):
        _valid({**result_document(result, TIMINGS), **plan_document(result.plan)})


def test_text_is_ascii_so_that_any_stdout_can_take_it() -> None:
    text = json_text(error_document(DocklessError("Zürich \udcff \x1b failed.")))

    assert text.isascii()
    assert "\x1b" not in text


SECRET: Any = Secret("hunter2")


def test_a_secret_is_refused_not_written(result: PushResult) -> None:
    tags = (replace(result.plan.tags[0], tag=SECRET),)
    for document in (
        plan_document(replace(result.plan, tags=tags)),
        result_document(replace(result, engine=SECRET), {}),
        images_document([("shop", DocklessError("It failed.", SECRET))]),
        error_document(DocklessError(SECRET)),
    ):
        with pytest.raises(TypeError):
            json_text(document)


@pytest.mark.parametrize("word", ["x", "two words ", "é"])
def test_the_words_of_others_in_an_error_are_bounded(word: str) -> None:
    error = SourceError(word * 1_000_000, "Look there.")
    for document in (error_document(error), images_document([("a", error)])):
        text = json.dumps(document, ensure_ascii=False)
        assert len(text) < 10_000
        assert "… (shortened)" in text
        assert "Look there." in text
