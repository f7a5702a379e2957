"""The options of `dockless push`, for click."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click
from click.core import ParameterSource

from dockless.cli import param_types
from dockless.cli.host_options import SERVERS
from dockless.cli.param_types import completing
from dockless.model import kinds
from dockless.model.options import PROGRAMS, CommandOptions, PushOptions, one_platform
from dockless.processes import stops

Command = TypeVar("Command", bound=Callable[..., object])


PATH = param_types.PathType(path_type=Path)

OUTPUT = param_types.PathType(readable=False, path_type=Path)
"""A file that is written; click would refuse one that is not readable."""
OUTPUT.is_file = True

FORMAT = click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the output on stdout.",
)
"""The option for the output format, as `output`."""

LISTS = click.option(
    "-f",
    "--file",
    "files",
    type=PATH,
    multiple=True,
    help="A file that lists sources, one per line; - for standard input.",
)
"""The option for lists of sources, as `files`; repeatable."""

NAMED = click.option(
    "--as",
    "named",
    metavar="NAME[:TAG]",
    help="Name for images without a full name: the repository, and the tag if given.",
)
"""The option for the name of images that have none, as `named`."""

REFERRERS = click.option(
    "--referrers/--no-referrers",
    default=True,
    show_default=True,
    help="Include signatures, attestations and other referrers of each image.",
)
"""The option for what refers to images."""

RECEIPT = click.option(
    "--receipt", type=OUTPUT, help="Write a receipt to this file, for `dockless verify`."
)
"""The option for the receipt."""

WHO = (
    click.option("--username", metavar="NAME", help="Account at the registry."),
    click.option(
        "--password",
        type=param_types.SecretType(),
        metavar="[TEXT]",
        help="Password; visible in the process list, so prefer --password-stdin. Without a value "
        "it is prompted for.",
    ),
    click.option("--password-stdin", is_flag=True, help="Read the password from standard input."),
)
"""The options for the credential."""


def _check_blobs(ctx: click.Context, _: click.Parameter, value: bool | None) -> bool | None:  # noqa: FBT001 - click's
    """Return the value; an explicit --verify implies it."""
    typed = ctx.get_parameter_source("verify") is ParameterSource.COMMANDLINE
    return True if value is None and typed and ctx.params.get("verify") else value


RECHECK = click.option(
    "--recheck-cache",
    is_flag=True,
    help="Verify the content of the cache once before it is used; for caches that CI restored.",
)
"""The option for a store that was restored from elsewhere."""

PLATFORMS = click.option(
    "--platform",
    "platforms",
    type=param_types.PLATFORM,
    multiple=True,
    help="Take only this platform of each image index; of several, an index with these.",
)
"""The option for the platforms of many images; repeatable."""

HOW = (
    click.option(
        "--compression",
        type=click.Choice(["auto", "gzip", "zstd", "none"]),
        default="gzip",
        show_default=True,
        help="Compression of uncompressed layers; auto chooses by the registry and the speed of "
        "the connection.",
    ),
    click.option(
        "--engine",
        type=click.Choice(["auto", *PROGRAMS, "direct"]),
        default="auto",
        show_default=True,
        help="What writes to the registry: only crane, only skopeo, only dockless (direct), or "
        "whatever works (auto).",
    ),
    click.option(
        "--manifest-format",
        type=click.Choice(["auto", "oci", "docker"]),
        default="auto",
        show_default=True,
        help="Media types of manifests; auto uses Docker's where the registry accepts no others.",
    ),
    click.option(
        "--immutable", is_flag=True, help="Fail (exit code 5) rather than change an existing tag."
    ),
    click.option(
        "--verify/--no-verify",
        default=True,
        show_default=True,
        help="Read the registry's copy back and compare.",
    ),
    click.option(
        "--check-blobs/--no-check-blobs",
        default=None,
        callback=_check_blobs,
        help="Check every blob of an image whose tags are already right, and upload what the "
        "registry has lost. Implied by an explicit --verify, and by --receipt.",
    ),
    click.option("--dry-run", is_flag=True, help="Show the plan; the registry is only read."),
    RECHECK,
)
"""The options for how images are pushed."""

INSECURE_REALM = click.option(
    "--insecure-realm",
    "insecure_realms",
    type=param_types.HostType(),
    metavar="HOST[:PORT]",
    multiple=True,
    help="Send passwords to the token service on this host without TLS, too; repeatable.",
)
"""The option that names token services without TLS; repeatable."""

TRUST = (
    click.option(
        "--insecure", is_flag=True, help="Use plain HTTP (automatic for loopback addresses)."
    ),
    click.option("--ca-file", type=PATH, help="Also trust this certificate authority (PEM)."),
    click.option(
        "--cert-dir",
        type=PATH,
        help="Folder with CA certificates (*.crt) and client certificates (*.cert with *.key).",
    ),
    INSECURE_REALM,
)
"""The options for the connection to a registry."""


def _begin_time(ctx: click.Context, _: click.Parameter, seconds: float | None) -> float | None:
    """Have the limit count from here: reading a password, or a project's files, takes time, too."""
    if not ctx.resilient_parsing:
        stops.end_by(None if seconds is None else time.monotonic() + seconds)
    return seconds


TIMEOUT = click.option(
    "--timeout",
    type=param_types.SECONDS,
    callback=_begin_time,
    help="Time limit for the whole command: 90s, 5m, 1h30m, or seconds as a number.",
)
"""The option for the time limit."""

REACH = (
    *TRUST,
    TIMEOUT,
    click.option(
        "--stall-timeout",
        type=param_types.POSITIVE_SECONDS,
        default=120.0,
        help="End a connection that transfers no byte for this long, and try again.  [default: 2m]",
    ),
    click.option(
        "--retries",
        type=click.IntRange(0, 100),
        default=5,
        show_default=True,
        help="Number of retries of a step that failed on the network.",
    ),
    click.option("-q", "--quiet", is_flag=True, help="Print only errors and important warnings."),
)
"""The options for the connection to the registry, with time limits."""


def limits(options: type[PushOptions]) -> tuple[Callable[[Command], Command], ...]:
    """Return the options for the limits of uploads, as the record of options bounds them."""
    many, over = click.IntRange(*options.connection_limits()), "to the registry, over all images."
    return (
        click.option("--max-connections", type=many, help=f"Limit on connections {over}"),
        click.option("--rate", type=param_types.SIZE, help=f"Limit on bytes per second {over}"),
    )


_OPTIONS = (
    click.argument("source", required=False, shell_complete=completing("sources")),
    click.option("--local", is_flag=True, help="Push from this machine. This is the default."),
    click.option("--remote", is_flag=True, help="Have each server push its own image."),
    SERVERS,
    click.option(
        "--registry",
        metavar="KIND",
        shell_complete=completing("kinds"),
        help=f"{', '.join(kind.name for kind in kinds.KINDS)}; otherwise inferred from the "
        "image's host, else dockerhub.",
    ),
    click.option(
        "--image",
        metavar="NAME",
        shell_complete=completing("images"),
        help="Full image name, with the registry's host.",
    ),
    click.option("--tag", "tags", metavar="TAG", multiple=True, help="Tag; repeatable."),
    click.option("--namespace", metavar="NAME", help="Registry namespace; default: the username."),
    *WHO,
    click.option("--build", is_flag=True, help="Build the image first."),
    click.option(
        "--create-repository", is_flag=True, help="Create the repository if ECR does not have it."
    ),
    click.option(
        "--scan-on-push",
        is_flag=True,
        help="Enable scanning on push in the repository that --create-repository makes.",
    ),
    click.option(
        "--immutable-tags",
        is_flag=True,
        help="Make tags immutable in the repository that --create-repository makes.",
    ),
    click.option("--all", "all_images", is_flag=True, help="Push every image of SOURCE."),
    click.option(
        "--to",
        metavar="HOST[/PREFIX]",
        shell_complete=completing("registries"),
        help="With --all: the registry, and path prefix, that every image goes to.",
    ),
    click.option(
        "--platform",
        type=param_types.PLATFORM,
        multiple=True,
        callback=lambda *given: one_platform(given[-1]),
        help="Push only this platform of an image index.",
    ),
    *HOW,
    *REACH,
    *limits(PushOptions),
    click.option("--explain", is_flag=True, help="Show every setting and where it came from."),
    FORMAT,
    click.option("--timings", is_flag=True, help="Show how long each step took."),
    click.option("--digest-file", type=OUTPUT, help="Also write the digest to this file."),
    RECEIPT,
    click.option(
        "-d",
        "--destination",
        metavar="NAME",
        shell_complete=completing("destinations"),
        help="Kamal destination: also read deploy.NAME.yml.",
    ),
    click.option(
        "--allow-secret-commands",
        is_flag=True,
        help="Run the $(commands) in .kamal/secrets.",
    ),
)


def push_options(command: Command) -> Command:
    """Add the options of `dockless push` to a command."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def parsed_options(arguments: Mapping[str, object], **more: object) -> CommandOptions:
    """Return the options of a push from what click parsed.

    Args:
        arguments: Options by the names of `CommandOptions`.
        more: Further ones.
    """
    return CommandOptions(**{**arguments, **more})  # type: ignore[arg-type] # click made them
