from collections.abc import Callable

import pytest
from click.testing import Result

from dockless.errors import UsageError

Run = Callable[..., Result]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--host", "me@build"),
        ("--via", "relay"),
        ("--source", "shop"),
        ("--parallel", "2"),
        ("--fail-fast",),
        ("--max-failures", "1"),
        ("--allow-different",),
        ("--accept-new-host-keys",),
        ("--keep-engine",),
        ("--audit",),
    ],
)
def test_what_is_about_hosts_needs_remote(run: Run, arguments: tuple[str, ...]) -> None:
    error = run("push", *arguments).exception
    assert isinstance(error, UsageError)
    assert error.what == f"{arguments[0]} needs --remote."


@pytest.mark.parametrize(
    "arguments",
    [
        ("--local",),
        ("image.tar", "--all"),
        ("--host", "me@build", "--servers", "1"),
        ("--build", "--source", "shop"),
        ("--fail-fast", "--max-failures", "2"),
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(
    run: Run, arguments: tuple[str, ...]
) -> None:
    error = run("push", "--remote", *arguments).exception
    assert isinstance(error, UsageError)
    assert "do not go together" in error.what


def test_a_source_of_this_machine_is_none_of_the_hosts(run: Run) -> None:
    error = run("push", "shop:1", "--remote").exception
    assert isinstance(error, UsageError)
    assert error.remedy == "Use --source shop:1 for an image on the hosts."


def test_without_servers_there_is_nowhere_to_push_from(run: Run) -> None:
    error = run("push", "--remote", "--image", "registry.example.com/shop").exception
    assert isinstance(error, UsageError)
    assert error.what == "No servers are configured."
