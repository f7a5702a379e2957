"""`dockless mirror`: every image of many sources, to one registry."""

import contextlib
import os
import queue
import threading
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import click

from dockless import __version__
from dockless.cli import accounts, ask
from dockless.cli.lists import listed
from dockless.cli.mirror_sources import find
from dockless.cli.options import FORMAT, HOW, REACH, WHO, PushOptions, unasked
from dockless.cli.session import Session, workspaces
from dockless.credentials.places import Given
from dockless.mirror import Entry, plan
from dockless.mirror import mirror as push_all
from dockless.model import kinds
from dockless.model.errors import DocklessError, PartialError, PushError, UsageError
from dockless.model.plan import PushResult
from dockless.model.reference import Repository
from dockless.model.renaming import Map, Renaming
from dockless.model.shard import Shard
from dockless.processes.programs import ProgramsHere
from dockless.registry.shared import SharedBlobs
from dockless.report.document import json_text
from dockless.report.logins import moment
from dockless.report.receipt import Line, receipt_document
from dockless.settings.naming import Target
from dockless.settings.setting import Setting

_PATH = click.Path(path_type=Path)


@dataclass(frozen=True, slots=True)
class MirrorOptions:
    """What the command line asks of a mirror; the names are the options' own."""

    sources: tuple[str, ...]
    files: tuple[Path, ...]
    to: str
    named: str | None
    strip: tuple[str, ...]
    maps: tuple[str, ...]
    flatten: bool
    referrers: bool
    parallel: int
    shard: str | None
    receipt: Path | None
    output: Literal["text", "json"]

    def renaming(self) -> Renaming:
        """Return the rules; raise UsageError when one is wrong."""
        host, _, prefix = self.to.partition("/")
        try:
            Repository.of(host, f"{prefix}/x" if prefix else "x")
            maps = tuple(map(Map.parse, self.maps))
        except ValueError as error:
            raise UsageError(
                f"--to or --map is wrong: {error}.", "Write --to HOST[/PREFIX] and --map 'A/*=B/*'."
            ) from None
        return Renaming(host, prefix, self.strip, maps, self.flatten)

    def part(self) -> Shard:
        """Return the part that is asked for: all of it, unless --shard says less."""
        try:
            return Shard.parse(self.shard, os.environ) if self.shard else Shard(0, 1)
        except ValueError as error:
            raise UsageError(f"--shard {self.shard}: {error}.", "Give it as 0/4.") from None


@click.command(
    epilog="""\b
SOURCE is a bundle, an OCI layout or archive, an archive of docker save or podman
save, a folder of such, an image of docker or podman, or docker://REGISTRY/IMAGE.

\b
Examples:
  dockless mirror /media/usb/images --to registry.inside:5000/mirror
  dockless mirror bundle.tar --to registry.inside --strip-prefix docker.io/library
  dockless mirror images/ --to registry.inside --map 'docker.io/library/*=base/*'
  dockless mirror docker://ghcr.io/acme/shop:v2 --to registry.inside
  dockless mirror -f images.txt --to registry.inside --receipt receipt.json
  dockless mirror images/ --to registry.inside --shard auto/4

An image keeps its path and loses its registry's host, unless a rule says
otherwise. What is there already and equal is left alone, so an interrupted
mirror is simply run again.
"""
)
@click.argument("sources", nargs=-1)
@click.option(
    "-f", "--file", "files", type=_PATH, multiple=True, help="A list of sources, a line each."
)
@click.option("--to", metavar="HOST[/PREFIX]", required=True, help="Where everything goes.")
@click.option("--as", "named", metavar="NAME", help="The repository of names that are a tag only.")
@click.option(
    "--strip-prefix", "strip", metavar="NAME", multiple=True, help="Leave this beginning away."
)
@click.option(
    "--map", "maps", metavar="A/*=B/*", multiple=True, help="Give these names another path."
)
@click.option("--flatten", is_flag=True, help="Join the parts of a path by '-'.")
@click.option(
    "--referrers/--no-referrers",
    default=True,
    show_default=True,
    help="Take signatures and whatever else refers to an image along.",
)
@click.option(
    "--parallel", type=click.IntRange(1, 64), default=4, show_default=True, help="Images at once."
)
@click.option("--shard", metavar="INDEX/COUNT", help="Push only this part; or auto, or auto/COUNT.")
@click.option("--receipt", type=_PATH, help="Write what arrived to this file.")
@FORMAT
def mirror(**arguments: object) -> None:
    """Push every image of many sources to one registry."""
    names = MirrorOptions.__slots__
    ours = {name: arguments.pop(name) for name in names if name in arguments}
    options = MirrorOptions(**ours)  # type: ignore[arg-type] # click made them by these names
    pushing = unasked(**arguments, output=options.output)
    error = _mirror(options, pushing, Path.cwd())
    if error:
        raise error


for _option in (*WHO, *HOW, *REACH):
    _option(mirror)


def _mirror(options: MirrorOptions, pushing: PushOptions, folder: Path) -> DocklessError | None:
    """Mirror; return the error that sums up those of the images."""
    renaming, part = options.renaming(), options.part()
    if not options.sources and not options.files:
        raise UsageError("There is nothing to mirror.", "Give a SOURCE, or a list with -f.")
    settings = accounts.project_settings(pushing.username)
    finder = partial(accounts.find, settings, ask.given(pushing, settings))
    # what is given is for the registry that everything goes to, and for no source
    elsewhere = partial(accounts.find, settings, Given("", None, ""))
    source_options = replace(pushing, insecure=False, ca_file=None, cert_dir=None)
    here = ProgramsHere(os.environ)
    with ExitStack() as stack:
        space = stack.enter_context(workspaces(pushing))
        own = stack.enter_context(space(""))
        reading = stack.enter_context(Session(source_options, elsewhere, own, here))
        asking = stack.enter_context(Session(pushing, finder, own, here))
        sources = (*options.sources, *listed(options.files))
        found = find(reading, sources, folder, options.named, referrers=options.referrers)
        planned = plan(found, renaming)
        for error in planned.errors.values():
            own.progress.note(str(error))
        entries = _mine(planned.entries, part)
        shared = SharedBlobs()
        workers: queue.SimpleQueue[Session] = queue.SimpleQueue()
        if entries:
            account = asking.knock(entries[0].repository).client.account
            who = accounts.as_found(account)
            for number in range(options.parallel):
                place = replace(
                    stack.enter_context(space(f"mirror-{number}")), sender=shared.sender()
                )
                workers.put(stack.enter_context(Session(pushing, who, place, here)))
        turns: defaultdict[Repository, threading.Lock] = defaultdict(threading.Lock)
        pushing_one = partial(_push, workers, turns)
        outcomes = push_all(entries, pushing_one, options.parallel, own.progress.note)
    lines = [
        *(Line(each.source, each.name, each.references, what) for each, what in outcomes.items()),
        *(Line(*where, (), error) for where, error in planned.errors.items()),
    ]
    return _report(options, lines)


def _push(
    workers: "queue.SimpleQueue[Session]",
    turns: Mapping[Repository, threading.Lock],
    entry: Entry,
) -> PushResult:
    # where the registry lists no referrers, crane keeps the list in a tag: reads it, adds, writes
    turn = contextlib.nullcontext() if entry.tags else turns[entry.repository]
    worker = workers.get()
    try:
        with turn:
            return worker.push(_target(entry), entry.open())
    finally:
        workers.put(worker)


def _target(entry: Entry) -> Target:
    kind = kinds.infer(entry.repository.host)
    tags = tuple(Setting(tag, entry.name) for tag in entry.tags)
    return Target(Setting(kind, "--to"), Setting(entry.repository, "--to"), tags)


def _mine(entries: tuple[Entry, ...], part: Shard) -> tuple[Entry, ...]:
    sizes: dict[Repository, int] = {}
    for entry in entries:
        sizes[entry.repository] = sizes.get(entry.repository, 0) + entry.size
    repositories = part.of(sizes)
    return tuple(entry for entry in entries if entry.repository in repositories)


def _report(options: MirrorOptions, lines: Sequence[Line]) -> DocklessError | None:
    """Print what became of each image; return the error that sums them up."""
    document = receipt_document(options.to, moment(time.time()), {"dockless": __version__}, lines)
    if options.receipt:
        try:
            options.receipt.write_text(json_text(document) + "\n")
        except OSError as error:
            raise PushError(f"{options.receipt} cannot be written: {error.strerror}.") from None
    if options.output == "json":
        click.echo(json_text(document))
    failed: list[DocklessError] = []
    for line in lines:
        if isinstance(line.outcome, DocklessError):
            failed.append(line.outcome)
        elif options.output == "text":
            click.echo(f"{line.references[0].repository}@{line.outcome.digest}")
    if not failed:
        return None
    if len(failed) < len(lines):
        return PartialError(
            f"{len(failed)} of {len(lines)} images did not arrive.",
            "Their errors stand above; run the mirror again for them.",
        )
    return failed[0]
