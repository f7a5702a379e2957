"""Every program is the version that `versions.toml` says, or one that followed it in its suite."""

import pytest

from matrix.programs import version
from matrix.records import RECORD, Record
from matrix.versions import Listed, listed


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(
            each,
            marks=[pytest.mark.quick] if each.quick else [],
            id=f"{each.kind}-{each.label}".replace(" ", "_"),
        )
        for each in listed()
    ],
)
def test_a_program_is_the_version_that_is_listed(
    program: Listed, request: pytest.FixtureRequest
) -> None:
    found = version(program)
    request.node.stash[RECORD] = Record(
        kind="version", key=(program.label,), passed=True, did=found
    )
    if program.origin in {"go", "source"}:
        assert found == program.version
    else:  # Debian's move on
        assert _parts(found) >= _parts(program.version)


def _parts(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))
