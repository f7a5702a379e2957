"""What a mirror would do, for `mirror --dry-run`."""

from collections.abc import Collection, Sequence

from dockless.model.counts import counted
from dockless.model.plan import PushResult
from dockless.oci.reference import Reference, Repository
from dockless.report.units import human_size


def forecast_text(results: Sequence[PushResult], unknown: Collection[Repository]) -> str:
    """Return what would be uploaded, created and updated.

    Args:
        results: What the dry run of each image found.
        unknown: The repositories that do not exist yet.
    """
    blobs = {blob.digest: blob.size for each in results for blob in each.plan.missing}
    pending = [each for each in results if not each.unchanged]
    lines = [
        f"{Reference(each.plan.repository, tag.tag)} would be updated from {tag.before} to "
        f"{tag.after}"
        for each in results
        for tag in each.plan.tags
        if tag.action == "move"
    ]
    lines += [f"{repository} does not exist yet" for repository in sorted(unknown, key=str)]
    sizes = f"{counted(len(blobs), 'blob')}, {human_size(sum(blobs.values()))}"
    if pending:
        lines.append(
            f"{counted(len(pending), 'image')} of {len(results)} would be pushed: {sizes}."
        )
    elif results:
        there = "it is there" if len(results) == 1 else "they are there"
        count = counted(len(results), "image")
        lines.append(f"nothing of {count} would be pushed: {there} already.")
    else:
        lines.append("no image would be pushed.")
    return "\n".join(lines)


def forecast_document(
    results: Sequence[PushResult], unknown: Collection[Repository]
) -> dict[str, object]:
    """Return the same as members of a JSON document."""
    blobs = {blob.digest: blob.size for each in results for blob in each.plan.missing}
    return {
        "dryRun": True,
        "missing": {"blobs": len(blobs), "bytes": sum(blobs.values())},
        "moves": [
            {
                "reference": str(Reference(each.plan.repository, tag.tag)),
                "before": str(tag.before),
                "after": str(tag.after),
            }
            for each in results
            for tag in each.plan.tags
            if tag.action == "move"
        ],
        "unknownRepositories": sorted(map(str, unknown)),
    }
