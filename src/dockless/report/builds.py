"""What would be built and pushed, for `push --build --dry-run`."""

from collections.abc import Mapping

from dockless.model.builder import BuildPlan
from dockless.oci.digest import Digest
from dockless.oci.reference import Reference, Repository
from dockless.report.json import SCHEMA_VERSION
from dockless.report.text import columns


def build_text(plan: BuildPlan, repository: Repository, tags: Mapping[str, Digest | None]) -> str:
    """Return what would be done, as text without an end of line.

    Args:
        plan: What would be built.
        repository: Where it would go.
        tags: The tags that it would get, and what each refers to now; None for a new one.
    """
    facts = [("Target", str(Reference(repository, tag))) for tag in tags]
    facts.append(("Build", str(plan)))
    lines = [
        f"Tag {tag}: would be updated from {before}, unless the image is the same"
        if before
        else f"Tag {tag}: would be created"
        for tag, before in tags.items()
    ]
    unknown = "Nothing was built: what would be sent is known only after that."
    return "\n\n".join((columns(facts), unknown, "\n".join(lines)))


def build_document(
    plan: BuildPlan, repository: Repository, tags: Mapping[str, Digest | None]
) -> dict[str, object]:
    """Return the same as a JSON document."""
    return {
        "schemaVersion": SCHEMA_VERSION,
        "build": {
            **build_members(plan),
            "repository": str(repository),
            "tags": [
                {"tag": tag, "before": str(before) if before else None}
                for tag, before in tags.items()
            ],
        },
    }


def build_members(plan: BuildPlan) -> dict[str, object]:
    """Return the members of a plan in JSON; the arguments of the build may be secrets."""
    return {
        "image": plan.image,
        "tool": plan.tool,
        "program": plan.program,
        "file": plan.file,
    }
