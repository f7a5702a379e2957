"""A failure is said once, wherever it is said."""

import pytest

from dockless.cli import main
from dockless.cli.main import dockless
from dockless.errors import DocklessError


@pytest.mark.parametrize(
    "arguments",
    [
        ("mirror", "/no/such", "--to", "localhost:1"),
        ("mirror", "/no/such.tar", "--to", "localhost:1", "--quiet"),
        ("mirror", "/no/such.tar", "--to", "localhost:1", "--format", "json"),
        ("mirror", "/no/such", "/no/other.tar", "--to", "localhost:1"),
        ("mirror", "/no/such.tar", "/no/other", "/no/third", "--to", "localhost:1", "--quiet"),
        ("mirror", "/no/other", "/no/such.tar", "--to", "localhost:1", "--format", "json"),
        ("mirror", "/no/other", "/no/such.tar", "--to", "localhost:1", "--dry-run"),
    ],
)
def test_the_one_failure_of_a_command_is_said_once(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    with pytest.raises(DocklessError) as caught:
        dockless.main(list(arguments), standalone_mode=False)
    assert main._ending(caught.value) == 3
    assert capsys.readouterr().err.count("There is no file /no/such") == 1
