"""Commands with many options show the common ones, and with --help-all every one."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import Result

from dockless import __version__
from dockless.cli.help import GroupedCommand
from dockless.cli.main import dockless

Run = Callable[..., Result]

LONG = 20
"""The most options that a help lists without leaving any out."""


def context(command: click.Command) -> click.Context:
    """Return a context as the program has it; click keeps the help option that it makes first."""
    return click.Context(command, help_option_names=["-h", "--help"])


def commands(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        ctx = context(command)
        for name in command.list_commands(ctx):
            inner = command.get_command(ctx, name)
            assert inner
            yield from commands(inner, *path, name)


def options(command: click.Command) -> list[str]:
    ctx = context(command)
    params = [each for each in command.get_params(ctx) if isinstance(each, click.Option)]
    return [max(each.opts, key=len) for each in params if not each.hidden]


EVERY = dict(commands(dockless))
GROUPED = sorted(path for path, each in EVERY.items() if isinstance(each, GroupedCommand))


def test_only_commands_with_many_options_hide_any() -> None:
    many = sorted(path for path, each in EVERY.items() if len(options(each)) > LONG)
    assert many == GROUPED == [("bundle", "create"), ("mirror",), ("push",)]


@pytest.mark.parametrize("path", GROUPED, ids=" ".join)
def test_the_help_is_short_and_says_how_to_see_the_rest(run: Run, path: tuple[str, ...]) -> None:
    shown = run(*path, "--help").stdout
    assert re.search(r"--help-all +Show every option", shown)
    assert shown.count("every option") == 1
    assert "\nOther:\n" in shown
    hidden = [name for name in options(EVERY[path]) if not re.search(rf"{name}\b(?!-)", shown)]
    assert {"--ca-file", "--stall-timeout", "--retries"} <= {*hidden}
    assert len(hidden) >= len(options(EVERY[path])) / 3


@pytest.mark.parametrize("path", GROUPED, ids=" ".join)
def test_the_whole_help_has_every_option_once_in_groups(run: Run, path: tuple[str, ...]) -> None:
    done = run(*path, "--help-all")
    assert (done.exit_code, done.stderr) == (0, "")
    listed = re.findall(r"^  (?:-\w, )?(--[\w-]+)", done.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(options(EVERY[path]))
    headings = re.findall(r"^(\w[\w ]+):$", done.stdout, re.MULTILINE)
    assert headings[0] == "Target"
    assert headings[-1] == "Other"


def test_help_needs_neither_arguments_nor_other_options(run: Run) -> None:
    assert run("mirror", "--help-all").exit_code == 0  # though --to is required
    assert run("push", "--help-all", "--no-such-option").exit_code == 2


def test_no_option_is_left_in_no_group(run: Run) -> None:
    """An option in no group is shown among the others; each of ours has its place."""
    for path in GROUPED:
        others = run(*path, "--help-all").stdout.partition("\nOther:\n")[2].partition("\n\n")[0]
        listed = re.findall(r"^  (?:-\w, )?(--[\w-]+)", others, re.MULTILINE)
        assert listed == ["--quiet", "--debug", "--help", "--help-all"], path


def test_the_version_alone_is_one_line(run: Run) -> None:
    assert run("--version").stdout == f"dockless, version {__version__}\n"


@pytest.mark.parametrize("arguments", [("--version", "--verbose"), ("--verbose", "--version")])
def test_the_version_of_everything_that_matters(
    run: Run, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, said in (("crane", "0.21.9"), ("podman", "podman version 5.8.1"), ("ssh", "")):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho '{said}'\necho 'OpenSSH_9.9p2, OpenSSL 3' >&2\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("DOCKLESS_TOOLS_DIR", str(tmp_path / "own"))
    done = run(*arguments)
    assert done.exit_code == 0, done.output
    rows = dict(re.findall(r"^(\S+) +(\S+)", done.stdout, re.MULTILINE))
    expected = {"dockless": __version__, "crane": "0.21.9", "podman": "5.8.1", "ssh": "9.9p2"}
    assert expected.items() <= rows.items()
    assert {"Python", "platform", "OpenSSL", "keyring", "paramiko", "click"} <= rows.keys()
    assert re.search(r"^skopeo +not installed$", done.stdout, re.MULTILINE)
    assert "docker" not in rows


@pytest.mark.parametrize("arguments", [("--verbose",), ("--verbose", "push", "--explain")])
def test_verbose_alone_says_what_it_is_for(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert "--verbose goes with --version" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("path", sorted(EVERY), ids=" ".join)
def test_no_help_has_a_default_in_stray_brackets_or_a_summary_that_is_cut(
    run: Run, path: tuple[str, ...]
) -> None:
    shown = run(*path, "--help").stdout
    assert "[default: (" not in shown
    assert not re.search(r"^  [a-z-]+ .*\.\.\.$", shown, re.MULTILINE)


@pytest.mark.parametrize(
    ("path", "word"),
    [(("completion",), "SHELL"), (("tools", "path"), "ENGINE"), (("bundle", "create"), "OUT")],
)
def test_a_word_of_a_help_stands_where_it_is_typed(
    run: Run, path: tuple[str, ...], word: str
) -> None:
    shown = run(*path, "--help").stdout
    assert re.search(rf"^(Usage: .*\[|  -o, --output ){word}\b", shown, re.MULTILINE)
    assert shown.count(word) > 1
