"""What a mirror would do, for `mirror --dry-run`."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from dockless.model.counts import counted
from dockless.model.plan import PushResult
from dockless.oci.reference import Reference, Repository
from dockless.report.units import human_size


class Uploads(Struct, frozen=True):
    """What a mirror would upload.

    Attributes:
        sent: The sizes of the blobs that would be sent, each once for the registry, or once for
            each repository where nothing is mounted.
        mounted: The sizes of those that would be mounted: the registry has each in another
            repository, or gets it there in the same run.
    """

    sent: tuple[int, ...]
    mounted: tuple[int, ...]


def uploads(results: Sequence[PushResult], *, mounts: bool) -> Uploads:
    """Return what would be uploaded.

    Args:
        results: What the dry run of each image found, all of one registry.
        mounts: Whether blobs are mounted; a program that writes by itself mounts none.
    """
    missing = {
        (each.plan.repository, blob.digest): blob.size
        for each in results
        for blob in each.plan.missing
    }
    if not mounts:
        return Uploads(tuple(missing.values()), ())
    there = {blob.descriptor.digest for each in results for blob in each.plan.blobs if blob.present}
    sent = {digest: size for (_, digest), size in missing.items() if digest not in there}
    firsts = dict.fromkeys(sent)
    mounted = []
    for (_, digest), size in missing.items():
        if digest in firsts:
            del firsts[digest]
        else:
            mounted.append(size)
    return Uploads(tuple(sent.values()), tuple(mounted))


def forecast_text(
    results: Sequence[PushResult], unknown: Collection[Repository], *, mounts: bool = True
) -> str:
    """Return what would be uploaded, created and updated.

    Args:
        results: What the dry run of each image found.
        unknown: The repositories that do not exist yet.
        mounts: As for `uploads`.
    """
    would = uploads(results, mounts=mounts)
    pending = [each for each in results if not each.unchanged]
    lines = [
        f"{Reference(each.plan.repository, tag.tag)} would be updated from {tag.before} to "
        f"{tag.after}"
        for each in results
        for tag in each.plan.tags
        if tag.action == "move"
    ]
    lines += [f"{repository} does not exist yet" for repository in sorted(unknown, key=str)]
    sizes = f"{counted(len(would.sent), 'blob')}, {human_size(sum(would.sent))}"
    if would.mounted:
        size = human_size(sum(would.mounted))
        sizes += f" to send; {len(would.mounted)} more, {size}, to mount from other repositories"
    if pending:
        lines.append(
            f"{counted(len(pending), 'image')} of {len(results)} would be pushed: {sizes}."
        )
    elif results:
        lines.append(f"Nothing would be pushed: {_why_nothing(results)}.")
    else:
        lines.append("No image would be pushed.")
    return "\n".join(lines)


def _why_nothing(results: Sequence[PushResult]) -> str:
    one = len(results) == 1
    what = "the image is" if one else f"the {counted(len(results), 'image')} are"
    if all(each.checked for each in results):
        return f"{what} there already"
    what += " there already" if not any(each.plan.tags for each in results) else " tagged already"
    its = "its blobs" if one else "their blobs"
    return f"{what}; {its} were not checked (--check-blobs does that)"


def forecast_document(
    results: Sequence[PushResult], unknown: Collection[Repository], *, mounts: bool = True
) -> dict[str, object]:
    """Return the same as members of a JSON document."""
    would = uploads(results, mounts=mounts)
    return {
        "dryRun": True,
        "missing": {"blobs": len(would.sent), "bytes": sum(would.sent)},
        "mounted": {"blobs": len(would.mounted), "bytes": sum(would.mounted)},
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
