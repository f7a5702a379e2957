"""An option that takes one value is given once: click would take the last and drop the others."""

from collections.abc import Iterator

import click
import pytest

from dockless.cli.main import dockless
from dockless.report.help_texts import COMMANDS
from dockless.report.usage_errors import usage_error


def leaves(
    group: click.Group, above: click.Context, names: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command, with the words that name it."""
    for name in group.list_commands(above):
        command = group.get_command(above, name)
        assert command
        if isinstance(command, click.Group):
            yield from leaves(command, above, (*names, name))
        else:
            yield (*names, name), command


EVERY = dict(leaves(dockless, click.Context(dockless)))
OPTIONS = [
    (words, option)
    for words, command in EVERY.items()
    for option in command.params
    if isinstance(option, click.Option)
]
ONE_VALUE = [
    (words, option.opts[-1])
    for words, option in OPTIONS
    if not option.is_flag and not option.multiple
]


def refused(*argv: str) -> click.UsageError | None:
    """Return the error for a command line whose options are read, and where it stops at least."""
    try:
        dockless.main([*argv, "--no-such-option"], standalone_mode=False)
    except click.UsageError as error:
        return error
    return None


@pytest.mark.parametrize(("words", "option"), ONE_VALUE, ids=map(str, ONE_VALUE))
@pytest.mark.parametrize("form", ["{0} 1 {0} 1", "{0}=1 x {0}=2", "{0} 1 {0}=1 {0}=3"])
def test_an_option_of_one_value_is_given_once(
    words: tuple[str, ...], option: str, form: str
) -> None:
    argv = form.format(option).split()
    with pytest.raises(click.UsageError) as caught:
        dockless.main([*words, *argv], standalone_mode=False)
    error = usage_error(f"dockless {' '.join(words)}", caught.value.format_message(), COMMANDS)
    count = form.count("{0}")
    assert error.what == f"{option} takes one value, and is given {count} times."
    assert caught.value.ctx
    assert caught.value.ctx.command_path.endswith(" ".join(words))


def test_there_are_such_options_in_every_kind_of_command() -> None:
    assert {"push", "mirror", "bundle", "verify", "login", "cache"} <= {
        words[0] for words, _ in ONE_VALUE
    }


@pytest.mark.parametrize(
    "argv",
    [
        ("push", "--tag", "a", "--tag", "b"),
        ("push", "-q", "--quiet", "-q"),
        ("push", "--verify", "--no-verify"),
        ("mirror", "--map", "a=b", "--map", "c=d"),
        ("push", "--image", "--image"),
        ("push", "--tag", "--image", "--image", "x"),
    ],
)
def test_others_are_given_as_often_as_one_likes(argv: tuple[str, ...]) -> None:
    error = refused(*argv)
    assert error
    assert "is given" not in error.format_message()
