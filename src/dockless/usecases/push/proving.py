"""Reading back what was sent, before any tag is moved."""

from dockless.errors import DamagedManifestError, PushError, ServerError
from dockless.model.plan import Plan, Writers, written_by
from dockless.oci.reference import Reference
from dockless.ports import Image
from dockless.usecases.push.context import PushContext


class _LostError(PushError):
    """Uploaded content is missing."""


def proved(plan: Plan, image: Image, context: PushContext, writers: Writers) -> Writers:
    """Read back what was sent; send again what is missing; return the writers of all of it."""
    try:
        _verify(plan, context)
    except (ServerError, DamagedManifestError, _LostError) as error:
        from dockless.usecases.push.sending import resend  # noqa: PLC0415 - rare

        # crane looks at no blob where it finds the manifest
        if context.direct is None and not isinstance(error, ServerError):
            raise PushError(
                error.what,
                f"{_moved(plan, context)} Push again without --engine: dockless uploads what a "
                "registry lost, which some engines do not.",
            ) from None
        again = resend(plan, image, context, error).writer
        _verify_again(plan, context)
        return Writers(
            blobs=written_by(*writers.blobs, again),
            manifests=written_by(*writers.manifests, again),
        )
    return writers


def _verify(plan: Plan, context: PushContext) -> None:
    reader = context.reader(plan.repository)
    documents = plan.content.documents
    for (digest, data), copy in zip(documents.items(), reader.manifests(documents), strict=True):
        if copy != data:
            host = plan.repository.host
            what = f"{host} does not have {digest} of {plan.repository}"
            raise _lost(what, _moved(plan, context))
    found = reader.blobs(plan.missing)
    for blob in plan.missing:
        if blob.digest in found.damaged:
            raise _LostError(
                f"{found.fault(blob, plan.repository)}, after the push.",
                f"{_moved(plan, context)} The registry keeps its copy and accepts no other: its "
                "operator has to delete the blob there. Then push again.",
            )
        if blob.digest not in found.there:
            raise _lost(found.fault(blob, plan.repository), _moved(plan, context))


def _verify_again(plan: Plan, context: PushContext) -> None:
    """Read back what was sent a second time; what is still damaged will stay so."""
    try:
        _verify(plan, context)
    except ServerError as error:  # which tells nothing about what it has
        raise PushError(
            f"{error.what.removesuffix('.')}, so what was pushed could not be read back, also "
            "after it was sent again.",
            f"{_moved(plan, context)} The log of the registry, or of a proxy in front of it, says "
            "why it fails. Push again when it responds.",
        ) from error
    except DamagedManifestError as error:
        raise PushError(
            f"{error.what.removesuffix('.')}, also after it was sent again.",
            f"{_moved(plan, context)} The registry keeps a damaged copy and accepts no other, as "
            "Docker's does: its operator has to delete the content of this digest in its storage. "
            "Then push again. If it is not damaged there, look at the proxy in front of it.",
        ) from error


def _lost(what: str, moved: str) -> _LostError:
    return _LostError(
        f"{what} after the push.",
        f"{moved} Push again; if that does not help, the registry is losing data.",
    )


def _moved(plan: Plan, context: PushContext) -> str:
    """Return what is known of the image's tags; an earlier attempt may have updated them."""
    return context.moves.about([Reference(plan.repository, tag.tag) for tag in plan.tags])
