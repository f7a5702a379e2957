"""Plans, results and errors as the JSON of `--format json`; docs/push-result.schema.json has it.

Every document has `schemaVersion` and one member more, which says what it is: `plan`, `result`,
`images`, `hosts`, `build`, `explanation` or `error`.
"""

from collections.abc import Mapping, Sequence

from dockless.errors import DocklessError
from dockless.model.plan import BlobPlan, Plan, PushResult, TagPlan
from dockless.model.printable import bounded_lines
from dockless.model.timings import Step
from dockless.oci.packing import Packing

SCHEMA_VERSION = 1
"""Goes up when a member changes its meaning or goes away; a member more leaves it as it is."""


def plan_document(plan: Plan) -> dict[str, object]:
    """Return the document of what one push would do."""
    return _document("plan", _plan(plan))


def result_document(result: PushResult, timings: Mapping[Step, float]) -> dict[str, object]:
    """Return the document of what one push did, and of the seconds that each step took."""
    spent = {step: round(seconds, 3) for step, seconds in timings.items()}
    return _document("result", {**_result(result), "timings": spent})


def images_document(
    outcomes: Sequence[tuple[str, PushResult | DocklessError]],
) -> dict[str, object]:
    """Return the document of several images, for `--all`.

    Args:
        outcomes: The name of each image in the source, and its result or why there is none.
    """
    images = [
        {"image": name, "error": error_members(outcome)}
        if isinstance(outcome, DocklessError)
        else {"image": name, "result": _result(outcome)}
        for name, outcome in outcomes
    ]
    return _document("images", images)


def explain_document(
    rows: Sequence[tuple[str, str, str]], error: DocklessError | None
) -> dict[str, object]:
    """Return the document of `--explain`.

    Args:
        rows: A setting, its value and where the value came from, which is empty for one not set.
        error: Why the settings name no target; None where they do.
    """
    settings = [
        {"setting": name, "value": value if origin else None, "from": origin or None}
        for name, value, origin in rows
    ]
    why = None if error is None else error_members(error)
    return _document("explanation", {"settings": settings, "error": why})


def error_document(error: DocklessError) -> dict[str, object]:
    """Return the document of a command that failed."""
    return _document("error", error_members(error))


def error_members(error: DocklessError) -> dict[str, object]:
    """Return an error's members, in which words of others are bounded as in messages."""
    members = error.to_json().items()
    return {name: bounded_lines(each) if isinstance(each, str) else each for name, each in members}


def _document(member: str, value: object) -> dict[str, object]:
    return {"schemaVersion": SCHEMA_VERSION, member: value}


def _plan(plan: Plan) -> dict[str, object]:
    content = plan.content
    configs = content.configs()
    return {
        "repository": str(plan.repository),
        "mediaType": content.root.media_type,
        "digest": str(content.root.digest),
        "digestIsNew": plan.digest_is_new,
        "compression": _compression(plan.packing) if plan.digest_is_new else None,
        "imageId": None if content.image_id is None else str(content.image_id),
        "platforms": [str(platform) for platform in content.platforms],
        "blobs": [
            _blob(blob, "config" if blob.descriptor.digest in configs else "layer")
            for blob in plan.blobs
        ],
        "missingBytes": sum(blob.size for blob in plan.missing),
        "tags": [_tag(tag) for tag in plan.tags],
    }


def _compression(packing: Packing) -> dict[str, object]:
    return {
        "format": packing.compression,
        "level": packing.level,
        "chosenBy": packing.why or None,
    }


def _blob(blob: BlobPlan, role: str) -> dict[str, object]:
    return {
        "role": role,
        "mediaType": blob.descriptor.media_type,
        "digest": str(blob.descriptor.digest),
        "size": blob.descriptor.size,
        "present": blob.present,
    }


def _tag(tag: TagPlan) -> dict[str, object]:
    return {
        "tag": tag.tag,
        "action": tag.action,
        "before": None if tag.before is None else str(tag.before),
        "after": str(tag.after),
    }


def _result(result: PushResult) -> dict[str, object]:
    return {
        "references": [str(reference) for reference in result.references],
        "digest": str(result.digest),
        "unchanged": result.unchanged,
        "dryRun": result.dry_run,
        "verified": result.verified,
        "engine": result.engine or None,
        "writers": result.writers.to_json(),
        "sentBytes": result.sent,
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
        "plan": _plan(result.plan),
    }
