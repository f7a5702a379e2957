import inspect

import pytest

from dockless import errors
from dockless.errors import DocklessError, NetworkError

CLASSES = [
    each
    for _, each in inspect.getmembers(errors, inspect.isclass)
    if issubclass(each, DocklessError) and each is not DocklessError
]


def test_every_kind_of_failure_has_a_code_of_its_own() -> None:
    kinds = [each for each in CLASSES if DocklessError in each.__bases__]
    assert sorted(each.exit_code for each in kinds) == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("kind", CLASSES)
def test_an_error_says_what_happened_and_what_to_do(kind: type[DocklessError]) -> None:
    error = kind("It broke.", "Repair it.")
    assert (error.what, error.remedy, str(error)) == (
        "It broke.",
        "Repair it.",
        "It broke. Repair it.",
    )
    assert str(kind("It broke.")) == "It broke."


def test_trouble_with_the_network_passes_unless_it_is_said_not_to() -> None:
    assert NetworkError("It broke.").passing
    assert NetworkError("It broke.").retry_after is None
    assert not NetworkError("It broke.", passing=False).passing
    assert NetworkError("It broke.", retry_after=7).retry_after == 7
