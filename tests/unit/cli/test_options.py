from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import Result

from dockless.cli.param_types import PLATFORM, SECONDS, HostType
from dockless.errors import UsageError
from dockless.oci.platform import Platform

Run = Callable[..., Result]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--local", "--remote"),
        ("--password", "x", "--password-stdin"),
        ("image.tar", "--all", "--tag", "v1"),
        ("image.tar", "--all", "--image", "shop"),
        ("--all",),
        ("shop", "--build"),
        ("--insecure", "--ca-file", "ca.pem"),
        ("--insecure", "--cert-dir", "certs"),
        ("-", "--password-stdin"),
        ("--servers", "1"),
        ("--digest-file", "absent/digest"),
    ],
)
def test_options_that_contradict_each_other_are_a_usage_error(
    run: Run, arguments: tuple[str, ...]
) -> None:
    error = run("push", *arguments, "--explain").exception
    assert isinstance(error, UsageError)
    assert error.remedy


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        ("90s", 90),
        ("1.5s", 1.5),
        ("5m", 300),
        ("2h", 7200),
        ("1h30m5s", 5405),
        ("0", 0),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    assert SECONDS.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "soon", "5 m", "-5", "5d", "m", "1e3"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a duration such as 90s"):
        SECONDS.convert(text, None, None)


def test_a_platform_is_read() -> None:
    assert PLATFORM.convert("linux/arm64/v8", None, None) == Platform("linux", "arm64", "v8")
    with pytest.raises(click.BadParameter, match="not a platform: write linux/arm64"):
        PLATFORM.convert("arm64", None, None)


@pytest.mark.parametrize(
    "arguments",
    [
        ("--platform", "arm64"),
        ("--timeout", "soon"),
        ("--compression", "lz4"),
        ("--engine", "docker"),
        ("--retries", "-1"),
        ("--format", "xml"),
    ],
)
def test_a_value_that_an_option_does_not_take_is_refused(
    run: Run, arguments: tuple[str, ...]
) -> None:
    assert run("push", *arguments).exit_code == 2


def test_the_help_has_every_option_of_wheels_docker_push(run: Run) -> None:
    shown = run("push", "--help").stdout
    for name in ("local", "remote", "servers", "registry", "image", "username", "password"):
        assert f"--{name}" in shown
    for name in ("tag", "build", "namespace", "password-stdin", "explain", "dry-run"):
        assert f"--{name}" in shown


def test_a_password_on_the_command_line_is_warned_of_and_never_shown(
    run: Run, project: Path
) -> None:
    assert project.is_dir()
    shown = run("push", "--username", "me", "--password", "hunter2", "--explain")
    assert "--password-stdin" in shown.stderr
    assert "hunter2" not in shown.output


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("auth.example.com", "auth.example.com"),
        ("http://Auth.Example.com:5001/", "auth.example.com:5001"),
        ("https://10.0.0.7", "10.0.0.7"),
        (" [fe80::1%eth0]:80 ", "[fe80::1%eth0]:80"),
        ("login", "login"),
    ],
)
def test_a_realm_s_host_is_read(text: str, host: str) -> None:
    assert HostType().convert(text, None, None) == host


@pytest.mark.parametrize(
    "text", ["", "a b", "a/b", "http://a/token", "ftp://a", "a:port", "me@a", "*"]
)
def test_what_is_no_host_of_a_realm_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="not a HOST"):
        HostType().convert(text, None, None)
