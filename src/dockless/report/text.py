"""Plans, results, settings and errors as text."""

from collections.abc import Iterable, Mapping, Sequence

from dockless.errors import DocklessError
from dockless.model.counts import counted
from dockless.model.plan import Plan, PushResult, TagPlan
from dockless.model.printable import bounded, one_line
from dockless.model.timings import WAITS, Step
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.report.units import human_size, human_time

_SHORT_HEX = 12
_ROW = "\n  "


def plan_text(plan: Plan) -> str:
    """Return what a push would do, for `--dry-run`, without an end of line."""
    tagged = [Reference(plan.repository, tag.tag) for tag in plan.tags]
    by_digest = Reference(plan.repository, digest=plan.content.root.digest)
    facts = [("Target", str(each)) for each in tagged or [by_digest]]
    if plan.content.image_id is not None:
        facts.append(("Image ID", str(plan.content.image_id)))
    facts += [("Platform", str(platform)) for platform in plan.content.platforms]
    facts.append(("Digest", str(plan.content.root.digest)))
    if plan.digest_is_new:
        facts.append(("", "new manifest digest; image ID unchanged"))
        facts.append(("Layers", str(plan.packing)))
    size = human_size(sum(blob.size for blob in plan.missing))
    count = f"{len(plan.missing)} of {counted(len(plan.blobs), 'blob')}"
    sections = (
        columns(facts),
        columns(_blob_rows(plan)),
        f"Would send {size} ({count})",
        "\n".join(_tag_line(tag) for tag in plan.tags),
    )
    return "\n\n".join(section for section in sections if section)


def total_text(results: Sequence[PushResult]) -> str:
    """Return what dry runs of several images would send: one that several have, only once."""
    sent = {
        (each.plan.repository, blob.digest): blob.size
        for each in results
        for blob in each.plan.missing
    }
    return f"Altogether would send {human_size(sum(sent.values()))} ({counted(len(sent), 'blob')})"


def result_text(result: PushResult) -> str:
    """Return the line for stdout: `repository@digest`."""
    return f"{result.plan.repository}@{result.digest}"


def closing_text(result: PushResult) -> str:
    """Return one line for stderr that says what a push did."""
    targets = _targets(result.plan.repository, result.plan.tags)
    time = human_time(result.seconds)
    if result.unchanged:
        return f"{targets}: already there, nothing to do ({time})"
    if result.dry_run:
        return f"{targets}: nothing was sent, this was a dry run"
    facts = [f"{counted(len(result.plan.missing_layers), 'layer')} sent"]
    if result.sent:
        facts.append(human_size(result.sent))
    facts.append(time)
    if result.attempts > 1:
        facts.append(counted(result.attempts, "attempt"))
    facts.append("verified" if result.verified else "not verified")
    return f"Pushed {targets} ({', '.join(facts)})"


def error_text(error: DocklessError) -> str:
    """Return an error as one line, and what to do next as another.

    A list in the latter, as of servers, has a row for each, which is indented.
    """
    text, rows = f"Error: {one_line(error.what)}", f"{error.remedy}".split(_ROW)
    return f"{text}\n{_ROW.join(map(one_line, rows))}" if error.remedy else text


def error_texts(outcomes: Iterable[tuple[str, object]]) -> tuple[str, ...]:
    """Return the errors among the outcomes of many things; one that several have stands once.

    Args:
        outcomes: The name of each, and its error or anything else.
    """
    names: dict[str, list[str]] = {}
    for name, outcome in outcomes:
        if isinstance(outcome, DocklessError):
            names.setdefault(error_text(outcome), []).append(name)
    return tuple(f"{one_line(', '.join(having))}: {said}" for said, having in names.items())


def timings_text(timings: Mapping[Step, float], total: float) -> str:
    """Return the table for `--timings`.

    Args:
        timings: The seconds of each step.
        total: Those of the push by the clock.
    """
    rows = [
        (step, f"{seconds:.3f} s", "waits" if step in WAITS else "works")
        for step, seconds in timings.items()
    ]
    table = columns((("STEP", "SECONDS", ""), *rows))
    return f"{table}\nThe push took {total:.3f} s; steps overlap, and times are summed over cores."


def explain_text(rows: Iterable[tuple[str, str, str]]) -> str:
    """Return the table for `--explain`.

    Args:
        rows: A setting, its value and where the value came from.
    """
    return columns((("SETTING", "VALUE", "FROM"), *rows))


def _blob_rows(plan: Plan) -> Iterable[tuple[str, ...]]:
    configs = plan.content.configs()
    for blob in plan.blobs:
        role = "Config" if blob.descriptor.digest in configs else "Layer"
        size = human_size(blob.descriptor.size)
        yield role, _short(blob.descriptor.digest), size, "present" if blob.present else "missing"


def _tag_line(tag: TagPlan) -> str:
    if tag.before is None:
        return f"Tag {tag.tag}: would be created"
    if tag.action == "keep":
        return f"Tag {tag.tag}: would stay unchanged"
    return f"Tag {tag.tag}: would be updated from {_short(tag.before)} to {_short(tag.after)}"


def _targets(repository: Repository, tags: Sequence[TagPlan]) -> str:
    return ", ".join([f"{repository}:{tags[0].tag}", *(f":{tag.tag}" for tag in tags[1:])])


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as text, each column as wide as its widest cell."""
    cells = [[one_line(bounded(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in cells
    )
    return "\n".join(each.rstrip() for each in lines)


def _short(digest: Digest) -> str:
    return f"{digest.algorithm}:{digest.hex[:_SHORT_HEX]}"
