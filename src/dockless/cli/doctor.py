"""`dockless doctor`: checks for anything that may prevent a push, without changing it."""

import os
import shutil
from typing import Literal

import click

from dockless.cli import prompts
from dockless.cli.options import FORMAT, TIMEOUT, TRUST, WHO, parsed_options
from dockless.cli.param_types import completing
from dockless.errors import UsageError
from dockless.model.finding import healthy
from dockless.processes.terminal import say, tell
from dockless.report.help_texts import EPILOGS

_WIDEST = 100


@click.command(epilog=EPILOGS["doctor"])
@click.argument(
    "registry",
    required=False,
    metavar="[HOST[:PORT][/REPOSITORY]]",
    shell_complete=completing("registries"),
)
@click.option("--write", is_flag=True, help="Also run the checks that have to write.")
def doctor(
    *, registry: str | None, write: bool, output: Literal["text", "json"], **arguments: object
) -> None:
    """Check for anything that may prevent a push, and say what to do about it.

    Checks the engines, container tools and their daemons, keyrings, the cache, the clock,
    proxies and certificates; with a registry also the connection, its certificate, and your login.
    """
    from dockless.diagnosis.asked_registry import asked_of  # noqa: PLC0415 - --help needs none of it
    from dockless.diagnosis.examination import Examination  # noqa: PLC0415 - the same
    from dockless.diagnosis.page import examine  # noqa: PLC0415 - the same
    from dockless.diagnosis.user_logins import user_logins  # noqa: PLC0415 - the same
    from dockless.model.printable import json_text  # noqa: PLC0415 - the same
    from dockless.report.doctor import doctor_document, doctor_text  # noqa: PLC0415 - the same

    options = parsed_options(arguments)
    options.check()
    if registry is None and (options.username or options.password or options.password_stdin):
        raise UsageError(
            "--username and --password-stdin need a registry, and none was given.",
            "Give it: dockless doctor HOST.",
        )
    if options.password:
        tell("Warning: --password is visible in the process list: use --password-stdin.")
    asked = None if registry is None else asked_of(registry)
    logins = user_logins(options, prompts)
    checks = Examination(options, asked, logins, os.environ, write=write)
    found = examine(tuple(checks.lanes()))
    if output == "json":
        host = asked.repository.host if asked else None
        repository = str(checks.repository()) if asked else None
        say(json_text(doctor_document(found, host, repository, wrote=write)))
    else:
        say(doctor_text(found, min(shutil.get_terminal_size().columns, _WIDEST)))
    if not healthy(found):
        click.get_current_context().exit(1)


for _option in (*WHO, *TRUST, TIMEOUT, FORMAT):
    _option(doctor)
