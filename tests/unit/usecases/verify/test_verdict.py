"""What a comparison comes to: its error, its line, and its document."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from dockless.errors import (
    AuthError,
    DocklessError,
    NetworkError,
    PartialError,
    PushError,
    UsageError,
)
from dockless.model.verified import Difference, VerifyResult
from dockless.oci.reference import Reference
from dockless.report.differences import verified_document, verified_text
from dockless.usecases.verify.verdict import verdict

SCHEMA = json.loads((Path(__file__).parents[4] / "docs" / "verify.schema.json").read_text())
ONE, TWO = (Reference.parse(f"ghcr.io/acme/shop:{tag}") for tag in ("1", "2"))
SILENT, MUTE = (
    Difference(reference=each, error=NetworkError("ghcr.io cannot be reached."))
    for each in (ONE, TWO)
)
GONE = Difference(reference=ONE, error=PushError("It is gone.", "Push again."))


@pytest.mark.parametrize(
    ("wrong", "missing", "kind", "said"),
    [
        ((), (), None, "2 of 2 references are as the receipt says."),
        ((GONE,), (), PartialError, "1 of 2 references is as the receipt says."),
        (
            (GONE,),
            ("x did not arrive.",),
            PartialError,
            "1 of 2 references is as the receipt says.",
        ),
        ((), ("x did not arrive.",), PartialError, "2 of 2 references are as the receipt says."),
        (
            (GONE, Difference(reference=TWO, error=AuthError("No."))),
            (),
            PushError,
            "0 of 2 references are as the receipt says; 1 could not be compared.",
        ),
        (
            (SILENT,),
            (),
            PartialError,
            "1 of 2 references is as the receipt says; 1 could not be compared.",
        ),
        ((SILENT, MUTE), (), NetworkError, "0 of 2 references could be compared."),
        (
            (SILENT, MUTE),
            ("x did not arrive.",),
            PartialError,
            "0 of 2 references could be compared.",
        ),
    ],
)
def test_a_comparison_is_a_line_a_document_and_an_error(
    wrong: tuple[Difference, ...],
    missing: tuple[str, ...],
    kind: type[DocklessError] | None,
    said: str,
) -> None:
    found = VerifyResult(checked=(ONE, TWO), differences=wrong, missing=missing)
    error = verdict(found, 1)
    assert type(error) is (kind or type(None))
    assert verified_text(found, deep=False) == said
    read = json.loads(json.dumps(verified_document(found, deep=True)))
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA).validate(read)
    assert read["verification"]["matches"] is (error is None)
    assert [each["reference"] for each in read["verification"]["differences"]] == [
        str(each.reference) for each in wrong
    ]


@pytest.mark.parametrize(
    ("wrong", "missing", "said"),
    [
        ((GONE,), (), "1 of 2 references is not as the receipt says."),
        ((SILENT,), (), "1 of 2 references could not be compared."),
        ((SILENT, MUTE), (), "No reference could be compared."),
        (
            (GONE, MUTE),
            (),
            "1 of 2 references is not as the receipt says, and 1 could not be compared.",
        ),
        (
            (GONE, MUTE),
            ("x is gone.",),
            (
                "Not everything arrived, as the receipt says, and 1 of 2 "
                "references is wrong, and 1 of 2 could not be compared."
            ),
        ),
        (
            (MUTE,),
            ("x is gone.",),
            "Not everything arrived, as the receipt says, and 1 of 2 could not be compared.",
        ),
    ],
)
def test_what_was_not_looked_at_is_not_called_wrong(
    wrong: tuple[Difference, ...], missing: tuple[str, ...], said: str
) -> None:
    error = verdict(VerifyResult(checked=(ONE, TWO), differences=wrong, missing=missing), 1)
    assert error
    assert error.what == said
    assert error.remedy
    assert "above" not in error.remedy


def test_receipts_without_an_image_match_nothing() -> None:
    found = VerifyResult(checked=(), differences=(), missing=())
    assert isinstance(verdict(found, 2), UsageError)
    document = verified_document(found, deep=False)["verification"]
    assert isinstance(document, dict)
    assert document["matches"] is False


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("checked", [3, 5])
def test_every_difference_comes_with_what_to_do(count: int, checked: int) -> None:
    names = tuple(Reference.parse(f"ghcr.io/acme/shop:{number}") for number in range(checked))
    wrong = tuple(
        Difference(reference=name, error=PushError("It moved.")) for name in names[:count]
    )
    for those in (names, names[:count]):
        error = verdict(VerifyResult(checked=those, differences=wrong, missing=()), 1)
        assert error
        assert "again" in error.remedy


def test_a_difference_that_says_what_to_do_is_taken_at_its_word() -> None:
    assert verdict(VerifyResult(checked=(ONE,), differences=(GONE,), missing=()), 1) is GONE.error
