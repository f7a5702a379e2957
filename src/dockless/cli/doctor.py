"""`dockless doctor`: whatever may stop a push, looked at without changing it."""

import shutil
from typing import Literal

import click
from msgspec import Struct

from dockless.cli.options import FORMAT, TRUST, WHO, unasked
from dockless.model.errors import UsageError
from dockless.model.finding import healthy
from dockless.model.reference import Name, Repository
from dockless.processes.terminal import say
from dockless.settings.cascade import Settings
from dockless.settings.registries import login_target
from dockless.settings.setting import Setting

DEFAULT_NAME = "dockless-doctor"
"""The last part of the repository that an upload is tried in when nobody names one."""

_WIDEST = 100


class Asked(Struct, frozen=True):
    """The registry that is looked at.

    Attributes:
        repository: The repository in it.
        named: Whether it was named, and not only the registry.
    """

    repository: Repository
    named: bool


@click.command(
    epilog="""\b
Without --write nothing is written anywhere, no daemon or keyring is started,
and no dialog is opened. With it, an entry is written to the keyring and deleted
again, two files are made in the cache, and in a registry that was given one
upload is begun in REPOSITORY (else dockless-doctor, with your namespace on
Docker Hub and ghcr.io) and cancelled. Exit code 0 when nothing is wrong, else 1.

\b
Examples:
  dockless doctor
  dockless doctor ghcr.io
  dockless doctor registry.example.com:5000/team/app --write --ca-file ca.pem
  dockless doctor --format json | jq '.diagnosis.findings[] | select(.state != "ok")'
"""
)
@click.argument("registry", required=False, metavar="[HOST[:PORT][/REPOSITORY]]")
@click.option("--write", is_flag=True, help="Also try what can only be tried by writing.")
def doctor(
    *, registry: str | None, write: bool, output: Literal["text", "json"], **arguments: object
) -> None:
    """Look for whatever may stop a push, and say what to do about it.

    Looked at are the engines, container tools and their daemons, keyrings, the cache, the clock,
    proxies and certificates; with a registry also the way there, its certificate, and whether it
    lets you in.
    """
    from dockless.cli.examination import Examination  # noqa: PLC0415 - --help needs none of it
    from dockless.diagnosis.page import examine  # noqa: PLC0415 - the same
    from dockless.report.doctor import doctor_document, doctor_text  # noqa: PLC0415 - the same
    from dockless.report.document import json_text  # noqa: PLC0415 - the same

    options = unasked(**arguments)
    options.check()
    if registry is None and (options.username or options.password or options.password_stdin):
        raise UsageError(
            "--username and --password-stdin are for a registry, and none was given.",
            "Give it: dockless doctor HOST.",
        )
    if options.password:
        say("Warning: --password shows in the process list: use --password-stdin.", err=True)
    asked = None if registry is None else parsed(registry)
    examination = Examination(options, asked, write=write)
    found = examine(tuple(examination.lanes()))
    if output == "json":
        host = asked.repository.host if asked else None
        repository = str(examination.repository()) if asked else None
        say(json_text(doctor_document(found, host, repository, wrote=write)))
    else:
        say(doctor_text(found, min(shutil.get_terminal_size().columns, _WIDEST)))
    if not healthy(found):
        click.get_current_context().exit(1)


for _option in (*WHO, *TRUST, FORMAT):
    _option(doctor)


def parsed(text: str) -> Asked:
    """Return the registry that a person wrote as HOST[:PORT][/REPOSITORY[:TAG]].

    Raises:
        UsageError: It is none.
    """
    registry, slash, path = text.strip().removeprefix("https://").strip("/").partition("/")
    if slash and not text.lower().startswith("http://"):  # which is refused below
        try:
            path = Name.parse(f"{registry}/{path}").path
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not a registry or a repository: {error}.",
                "Give it as HOST, HOST:PORT or HOST/REPOSITORY.",
            ) from None
        text = f"{registry}/{path}"
    target = login_target(text, Settings(project=lambda: Setting("", "")))
    path = target.scope.removeprefix(target.host).lstrip("/")
    return Asked(Repository.of(target.host, path or DEFAULT_NAME), named=bool(path))
