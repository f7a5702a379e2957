"""The options of a mirror: one default each, and limits that the command line has, too."""

from pathlib import Path

import pytest

from dockless.cli.mirror import mirror
from dockless.errors import UsageError
from dockless.model.options import CommandOptions, MirrorOptions, PushOptions

NOT_AT_THE_COMMAND = {"create_repository", "scan_on_push", "immutable_tags", "platform"}
"""Options of a push that `dockless mirror` has not; its `--platform` is `platforms`."""


def of_the_command() -> dict[str, object]:
    """Return what a command line gives that says nothing but where to, by the options' names."""
    with mirror.make_context("mirror", ["--to", "registry.example.com"]) as context:
        return dict(context.params)


@pytest.mark.parametrize("name", MirrorOptions.__struct_fields__)
def test_every_option_is_one_of_the_command_with_the_same_default(name: str) -> None:
    if name in NOT_AT_THE_COMMAND:
        assert name not in of_the_command()
        return
    assert of_the_command()[name] == getattr(MirrorOptions(), name)


def test_every_option_of_the_command_is_taken_somewhere() -> None:
    taken = {*MirrorOptions.__struct_fields__, *CommandOptions.__struct_fields__} - {"receipt"}
    assert of_the_command().keys() - taken == {"sources", "files", "receipt"}


def test_every_platform_that_is_given_counts() -> None:
    given = ["--platform", "linux/arm64", "--platform", "linux/amd64", "--platform", "linux/arm64"]
    with mirror.make_context("mirror", ["--to", "registry.example.com", *given]) as context:
        options = MirrorOptions(platforms=context.params["platforms"])
    assert list(map(str, options.chosen)) == ["linux/arm64", "linux/amd64"]


@pytest.mark.parametrize(
    "options",
    [
        PushOptions(retries=1),
        PushOptions(compression="zstd", insecure=True, timeout=3.0),
        CommandOptions(dry_run=True, quiet=True),
    ],
)
def test_options_of_a_push_are_kept(options: PushOptions) -> None:
    made = MirrorOptions.of(options)
    for name in PushOptions.__struct_fields__:
        assert getattr(made, name) == getattr(options, name)
    assert (made.parallel, made.referrers) == (4, True)


def test_options_of_a_mirror_are_taken_as_they_are() -> None:
    options = MirrorOptions(parallel=7)
    assert MirrorOptions.of(options) is options


@pytest.mark.parametrize(
    "options",
    [
        MirrorOptions(parallel=0),
        MirrorOptions(parallel=65),
        MirrorOptions(max_connections=0),
        MirrorOptions(max_connections=1025),
        MirrorOptions(rate=0),
        MirrorOptions(rate=-1),
        MirrorOptions(manifest_format="docker", compression="zstd"),
    ],
)
def test_what_is_out_of_range_is_a_usage_error(options: MirrorOptions) -> None:
    with pytest.raises(UsageError):
        options.check()


@pytest.mark.parametrize(
    "options",
    [
        MirrorOptions(),
        MirrorOptions(parallel=1, max_connections=1, rate=1),
        MirrorOptions(parallel=64, max_connections=2),
        MirrorOptions(parallel=4, max_connections=3),
        MirrorOptions(parallel=64, max_connections=1024),
    ],
)
def test_what_is_in_range_is_not(options: MirrorOptions) -> None:
    options.check()


def test_what_is_for_the_target_does_not_apply_to_sources() -> None:
    options = MirrorOptions(insecure=True, ca_file=Path("ca"), cert_dir=Path("certs"), retries=9)
    assert options.for_sources() == MirrorOptions(retries=9)
