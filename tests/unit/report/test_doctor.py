import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from dockless.model.finding import Finding
from dockless.model.printable import json_text
from dockless.report.doctor import SCHEMA_VERSION, doctor_document, doctor_text

SCHEMA_FILE = Path(__file__).parents[3] / "docs" / "doctor.schema.json"
SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))

GOOD = Finding(area="engines", subject="crane", state="ok", what="0.22.1, /bin/crane: can push")
NOTE = Finding(area="engines", subject="skopeo", state="note", what="not here")
BAD = Finding(
    area="tls",
    subject="registry.example.com",
    state="problem",
    what="expired: its certificate has expired; it is issued by somebody, ends on 2026-11-01.",
    remedy="The registry's operator has to renew it; if it is still valid, correct this machine's "
    "clock.",
    facts={"daysLeft": -28, "names": ("a", "b"), "tls": None, "fault": "expired", "usable": True},
)


def _valid(document: dict[str, object]) -> dict[str, Any]:
    """Return the document as a reader gets it, after the schema has accepted it."""
    read: dict[str, Any] = json.loads(json_text(document))
    Draft202012Validator(SCHEMA).validate(read)
    return read


def test_the_page_has_a_heading_an_area_a_line_a_finding_and_remedies_below() -> None:
    assert doctor_text((GOOD, NOTE, BAD), 72) == (
        "engines\n"
        "  ok       crane: 0.22.1, /bin/crane: can push\n"
        "  note     skopeo: not here\n"
        "tls\n"
        "  problem  registry.example.com: expired: its certificate has expired;\n"
        "           it is issued by somebody, ends on 2026-11-01.\n"
        "           -> The registry's operator has to renew it; if it is still\n"
        "              valid, correct this machine's clock.\n"
        "\n"
        "1 problem, 1 note."
    )


def test_when_all_is_well_that_is_the_last_line() -> None:
    assert doctor_text((GOOD,), 80).splitlines()[-1] == "No problems, no notes."


def test_foreign_text_commands_no_terminal_and_breaks_no_line() -> None:
    foreign = Finding(area="tls", subject="a\nb", state="note", what="\x1b[2Jgone\r\n  ok  fake")
    shown = doctor_text((foreign,), 80).splitlines()
    assert shown[1] == r"  note     a b: \x1b[2Jgone ok fake"


def test_a_path_is_not_broken_however_narrow_the_terminal() -> None:
    path = "/a/very-long/path-that/is-to-be/copied"
    found = Finding(area="cache", subject=path, state="ok", what="can be written to")
    assert path in doctor_text((found,), 10)


def test_the_schema_is_one_and_has_the_same_version() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schemaVersion"]["const"] == SCHEMA_VERSION


def test_the_document_says_what_the_page_says_and_more() -> None:
    read = _valid(doctor_document((GOOD, BAD), "registry.example.com", "a/b", wrote=True))
    diagnosis = read["diagnosis"]
    assert diagnosis["healthy"] is False
    assert (diagnosis["registry"], diagnosis["repository"]) == ("registry.example.com", "a/b")
    assert diagnosis["write"] is True
    assert diagnosis["findings"][1] == {
        "area": "tls",
        "subject": "registry.example.com",
        "state": "problem",
        "what": BAD.what,
        "remedy": BAD.remedy,
        "facts": {
            "daysLeft": -28,
            "names": ["a", "b"],
            "tls": None,
            "fault": "expired",
            "usable": True,
        },
    }


def test_without_a_registry_there_is_none_in_the_document() -> None:
    read = _valid(doctor_document((GOOD, NOTE), None, None, wrote=False))
    assert read["diagnosis"]["healthy"] is True
    assert read["diagnosis"]["registry"] is None


@pytest.mark.parametrize("member", ["schemaVersion", "diagnosis"])
def test_the_schema_wants_every_member(member: str) -> None:
    document = doctor_document((), None, None, wrote=False)
    del document[member]
    with pytest.raises(ValidationError):
        _valid(document)


def test_the_schema_wants_a_remedy_for_every_problem() -> None:
    helpless = Finding(area="tls", subject="x", state="problem", what="Broken.")
    with pytest.raises(ValidationError):
        _valid(doctor_document((helpless,), None, None, wrote=False))


@pytest.mark.parametrize("text", ["x" * 1_000_000, "two words " * 100_000, "a\n" * 500_000])
def test_no_finding_is_of_any_length(text: str) -> None:
    found = Finding(area="a", subject=text, state="note", what=text, remedy=text)
    page = doctor_text([found], 100)
    assert len(page) < 10_000
    assert page.count("(shortened)") == 3
