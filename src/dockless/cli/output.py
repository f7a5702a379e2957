"""What is printed: results on stdout, messages on stderr."""

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from dockless.config.naming import Target
from dockless.errors import DocklessError
from dockless.model.options import CommandOptions
from dockless.model.plan import PushResult
from dockless.model.printable import json_text
from dockless.model.timings import Timings
from dockless.oci.digest import Digest
from dockless.processes.terminal import say, tell
from dockless.report import text

if TYPE_CHECKING:
    from dockless.model.builder import BuildPlan
    from dockless.usecases.hosts.run import RemotePushResult
    from dockless.usecases.push.all_images import NamedOutcome


def remark(options: CommandOptions, *lines: str) -> None:
    """Print a message of one line or several, unless --quiet is given."""
    for line in () if options.quiet else lines:
        tell(line)


def explanation(
    options: CommandOptions, rows: Sequence[tuple[str, str, str]], error: DocklessError | None
) -> None:
    """Print the settings with their origins, also where they name no target."""
    from dockless.report import json  # noqa: PLC0415 - not for a push

    as_json = options.output == "json" and json_text(json.explain_document(rows, error))
    say(as_json or text.explain_text(rows))


def build(
    options: CommandOptions, plan: "BuildPlan", target: Target, before: Mapping[str, Digest | None]
) -> None:
    """Print what a dry run would build."""
    from dockless.report import builds  # noqa: PLC0415 - rare

    where = target.repository.value
    as_json = options.output == "json" and json_text(builds.build_document(plan, where, before))
    say(as_json or builds.build_text(plan, where, before))


def result(options: CommandOptions, done: PushResult, timings: Timings) -> None:
    """Print what one push did, or would do, and its timings."""
    if options.output == "json":
        from dockless.report import json  # noqa: PLC0415 - not for text

        shown = json_text(
            json.plan_document(done.plan)
            if done.dry_run
            else json.result_document(done, timings.seconds)
        )
    elif done.dry_run:
        shown = text.plan_text(done.plan)
    else:
        shown = text.result_text(done)
    try:
        say(shown)
    finally:  # what was done is reported, wherever standard output leads
        remark(options, text.closing_text(done))
        _write_digests(options, [done.digest])
    if options.timings:
        say(text.timings_text(timings.seconds, done.seconds), err=True)


def outcomes(options: CommandOptions, done: "Sequence[NamedOutcome]") -> None:
    """Print what a push of several images did."""
    results = [each for _, each in done if isinstance(each, PushResult)]
    for line in text.error_texts(done) if len(done) > 1 else ():  # else it is raised
        say(line, err=True)
    try:
        if options.output == "json":
            from dockless.report import json  # noqa: PLC0415 - not for text

            say(json_text(json.images_document(done)))
        else:
            for each in results:
                say(text.plan_text(each.plan) if each.dry_run else text.result_text(each))
            if options.dry_run and results:
                say(text.total_text(results))
    finally:
        _write_digests(options, [each.digest for each in results])


def hosts(
    options: CommandOptions, target: Target, outcome: "RemotePushResult", *, audit: bool
) -> None:
    """Print what a push from hosts did: the digest that the tags name, and a line for each host."""
    repository, tags = target.repository.value, target.tag_names
    from dockless.report import hosts as host_report  # noqa: PLC0415 - a push from here needs none

    if len(outcome.results) > 1:
        for line in host_report.host_error_texts(outcome.results):
            say(line, err=True)
    for each in outcome.results:
        if audit or each.residue:
            for line in host_report.residue_lines(each):
                tell(line)
    if not options.dry_run and (len(outcome.results) == 1 or sys.stderr.isatty()):
        remark(options, *host_report.outcome_table(outcome.results).split("\n"))
    try:
        if options.output == "json":
            say(json_text(host_report.outcome_document(outcome.results)))
        elif options.dry_run:
            say(host_report.plan_text(repository, tags, outcome.results))
        elif outcome.digest:
            say(f"{repository}@{outcome.digest}")
    finally:
        _write_digests(options, [outcome.digest] if outcome.digest else [])


def _write_digests(options: CommandOptions, digests: Sequence[Digest]) -> None:
    if options.digest_file and digests:
        from dockless.storage import digest_file  # noqa: PLC0415 - most pushes write none

        digest_file.write(options.digest_file, digests)
