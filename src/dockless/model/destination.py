"""Where a caller of the library asks an image to be pushed to."""

from collections.abc import Sequence

from dockless.errors import UsageError
from dockless.model.schemes import without_scheme
from dockless.oci.reference import Name, Reference, Repository, is_tag

_FORM = "Write it as HOST/PATH:TAG."


def destination(target: str, tags: Sequence[str]) -> tuple[Repository, tuple[str, ...]]:
    """Return the repository of a target and the tags, each once; raise UsageError for a wrong one.

    Args:
        target: `host/path[:tag]`; without any tag it is `latest`.
        tags: Further tags.
    """
    target = without_scheme(target, "the target")
    try:
        reference, name = Reference.parse(target), Name.parse(target)
    except ValueError as error:  # the target is not shown, as a password may be in it
        raise UsageError(f"The target is not an image name: {error}.", _FORM) from None
    if not name.host:
        raise UsageError(f"The target {target} names no registry.", _FORM)
    if reference.digest:
        raise UsageError(f"The target {target} has a digest, and only a tag can be set.", _FORM)
    for tag in tags:
        if not is_tag(tag):
            raise UsageError(f"{tag!r} is not a tag.", "Give letters, digits, '_', '.' and '-'.")
    first = (reference.tag,) if reference.tag or tags else ("latest",)
    return reference.repository, tuple(dict.fromkeys(filter(None, (*first, *tags))))
