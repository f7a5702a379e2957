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
        count = counted(len(results), "image")
        lines.append(f"nothing of {count} would be pushed: {_why_nothing(results)}.")
    else:
        lines.append("no image would be pushed.")
    return "\n".join(lines)


def _why_nothing(results: Sequence[PushResult]) -> str:
    if all(each.checked for each in results):
        return f"{'it is' if len(results) == 1 else 'they are'} there already"
    tags = sum(len(each.plan.tags) for each in results)
    right = "its tag is" if tags == 1 else "the tags are" if tags else "the digest is"
    return f"{right} right; blobs were not checked (--check-blobs)"


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
