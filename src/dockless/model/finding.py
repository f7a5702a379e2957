"""What one check of `dockless doctor` found."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct, field

State = Literal["ok", "note", "problem"]
Fact = str | int | float | bool | None | tuple[str, ...]


class Finding(Struct, frozen=True, kw_only=True):
    """One line of the page.

    Attributes:
        area: What it is about, such as `engines` or `tls`.
        subject: The thing that was checked, such as `crane` or a host.
        state: `ok`; `note` if worth knowing, with no change needed; `problem` if it makes pushes
            fail or puts them at risk.
        what: One sentence or clause: what was found. It never contains a secret.
        remedy: One sentence: what to do about it; always present for a problem.
        facts: The values behind `what`, for programs.
    """

    area: str
    subject: str
    state: State
    what: str
    remedy: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


def healthy(findings: "tuple[Finding, ...]") -> bool:
    """Whether no finding is a problem."""
    return all(finding.state != "problem" for finding in findings)
