"""What `dockless doctor` found, as a page and as JSON; docs/doctor.schema.json has the latter."""

import textwrap
from collections.abc import Sequence
from itertools import groupby

from dockless.model.counts import counted
from dockless.model.finding import Finding, healthy
from dockless.model.printable import bounded, one_line

SCHEMA_VERSION = 1
"""Goes up when a member changes its meaning or goes away; a member more leaves it as it is."""

_STATE_WIDTH = len("problem")
_INDENT = "  "


def doctor_text(findings: Sequence[Finding], width: int) -> str:
    """Return the page: a heading for each area, a line for each finding, a remedy below it.

    Args:
        findings: What was found; findings of one area that follow one another share its heading.
        width: Columns to break long lines at.
    """
    lines: list[str] = []
    for area, members in groupby(findings, lambda finding: finding.area):
        lines.append(area)
        for finding in members:
            lines += _lines(finding, width)
    return "\n".join([*lines, "", summary(findings)])


def summary(findings: Sequence[Finding]) -> str:
    """Return how many problems and notes there are, as a sentence."""
    states = [finding.state for finding in findings]
    problems = counted(states.count("problem"), "problem")
    return f"{problems}, {counted(states.count('note'), 'note')}.".capitalize()


def doctor_document(
    findings: Sequence[Finding], registry: str | None, repository: str | None, *, wrote: bool
) -> dict[str, object]:
    """Return the JSON document.

    Args:
        findings: What was found.
        registry: The registry that was looked at; None for none.
        repository: The repository in it.
        wrote: Whether `--write` was given.
    """
    return {
        "schemaVersion": SCHEMA_VERSION,
        "diagnosis": {
            "healthy": healthy(tuple(findings)),
            "registry": registry,
            "repository": repository,
            "write": wrote,
            "findings": [_members(finding) for finding in findings],
        },
    }


def _lines(finding: Finding, width: int) -> list[str]:
    first = f"{_INDENT}{finding.state:{_STATE_WIDTH}}  "
    hanging = " " * len(first)
    text = f"{_one_line(finding.subject)}: {_one_line(finding.what)}"
    lines = _wrapped(text, width, first, hanging)
    if finding.remedy:
        lines += _wrapped(_one_line(finding.remedy), width, f"{hanging}-> ", f"{hanging}   ")
    return lines


def _one_line(text: str) -> str:
    """Return external text as one line that cannot control a terminal."""
    return one_line(bounded(" ".join(text.split())))


def _wrapped(text: str, width: int, first: str, following: str) -> list[str]:
    # paths and host names are to be copied, so they are never broken
    return textwrap.wrap(
        text,
        max(width, len(following) + 20),
        initial_indent=first,
        subsequent_indent=following,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _members(finding: Finding) -> dict[str, object]:
    facts = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in finding.facts.items()
    }
    return {
        "area": finding.area,
        "subject": finding.subject,
        "state": finding.state,
        "what": finding.what,
        "remedy": finding.remedy,
        "facts": facts,
    }
