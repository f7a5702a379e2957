"""One upload that is started and cancelled, to test how the registry accepts blobs.

The requests are those of the distribution-spec: 'Mounting a blob from another repository',
'Pushing a blob in chunks', 'Cancel a blob upload'.
"""

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from msgspec import Struct

from dockless.errors import AuthError, DocklessError
from dockless.model.finding import Fact, Finding, State
from dockless.model.printable import bounded
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient

AREA = "upload"
_ACCEPTED, _NO_CONTENT, _NOT_FOUND = 202, 204, 404
_MOST_DIGITS = 15
_CHUNK = b"dockless doctor\n"
_NOWHERE = Digest.of(b"a blob that dockless doctor asks for, and that no registry has")


class Tried(Struct, frozen=True, kw_only=True):
    """A registry's response.

    Attributes:
        begun: The status of the POST that asks for a mount of a blob that does not exist.
        location: Whether it named the session.
        least: The least size of a chunk, as `OCI-Chunk-Min-Length` has it; empty for none.
        chunk: The status of a chunk; None when none was sent.
        received: What it has of the blob after that, by its `Range`.
        cancelled: The status of the DELETE; None when there was nothing to cancel.
    """

    begun: int
    location: bool
    least: str = ""
    chunk: int | None = None
    received: str = ""
    cancelled: int | None = None


def check(client: RegistryClient, repository: Repository, *, named: bool) -> Iterator[Finding]:
    """Start an upload in a repository, send a chunk, and cancel it; nothing is left there.

    Args:
        client: The registry.
        repository: Where.
        named: Whether the repository was given; otherwise it may not exist.
    """
    try:
        tried = _try(client, repository)
    except AuthError as error:
        # a repository that was not named need not be writable
        state: State = "problem" if named else "note"
        remedy = error.remedy if named else _other(repository)
        yield _line(str(repository), state, error.what, remedy)
    else:
        yield from judge(tried, repository, named=named)


def _try(client: RegistryClient, repository: Repository) -> Tried:
    # from the repository itself: a token need hold for no other
    source = quote(repository.path, safe="")
    path = f"blobs/uploads/?mount={quote(str(_NOWHERE))}&from={source}"
    begun = client.request("POST", repository, path)
    location = begun.location
    if begun.status != _ACCEPTED or not location:
        return Tried(begun=begun.status, location=bool(location))
    chunk, received, cancelled = None, "", None
    try:
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(len(_CHUNK)),
            "Content-Range": f"0-{len(_CHUNK) - 1}",
        }
        answer = client.request("PATCH", repository, location, headers, _CHUNK)
        chunk, received = answer.status, bounded(answer.headers.get("Range", ""))
        location = answer.location or location
    finally:
        cancelled = _cancelled(client, repository, location)
    return Tried(
        begun=begun.status,
        location=True,
        least=bounded(begun.headers.get("OCI-Chunk-Min-Length", "")),
        chunk=chunk,
        received=received,
        cancelled=cancelled,
    )


def _cancelled(client: RegistryClient, repository: Repository, location: str) -> int | None:
    try:
        return client.request("DELETE", repository, location).status
    except DocklessError:
        return None


def judge(tried: Tried, repository: Repository, *, named: bool) -> Iterator[Finding]:
    """Report which kinds of upload a registry supports."""
    if tried.begun != _ACCEPTED or not tried.location:
        missing = tried.begun == _NOT_FOUND
        what = (
            "the repository does not exist, and the registry does not create it automatically"
            if missing
            else f"the registry responds with {tried.begun} to the start of an upload"
        )
        if tried.begun == _ACCEPTED:
            what += ", and names no Location to send it to"
        state: State = "problem" if named or not missing else "note"
        remedy = _other(repository) if missing else "Ask the registry's operator for the reason."
        yield _line(str(repository), state, f"{what}.", remedy)
        return
    yield _line(
        "mounts",
        "ok",
        "a mount of a missing blob starts an upload, as the distribution-spec requires",
        facts={"mounts": True},
    )
    yield _chunks(tried)
    gone = tried.cancelled in {_ACCEPTED, _NO_CONTENT, 200}
    what = f"started in {repository}, and cancelled"
    if gone:
        yield _line("session", "ok", what, facts={"cancelled": True})
    else:
        what = f"started in {repository}, and the registry does not cancel it; it expires by itself"
        yield _line("session", "note", what, facts={"cancelled": False})


def _chunks(tried: Tried) -> Finding:
    facts: dict[str, Fact] = {
        "chunks": tried.chunk in {_ACCEPTED, _NO_CONTENT},
        "leastChunkBytes": int(tried.least[:_MOST_DIGITS]) if tried.least.isdecimal() else None,
        "range": tried.received or None,
    }
    least = f", at least {tried.least} bytes each" if tried.least else ""
    if tried.chunk in {_ACCEPTED, _NO_CONTENT}:
        whole = tried.received.removeprefix("bytes=") == f"0-{len(_CHUNK) - 1}"
        told = "" if whole else "; it does not report how much has arrived, so no upload is resumed"
        return _line("chunks", "ok" if whole else "note", f"are accepted{least}{told}", facts=facts)
    what = f"are not accepted (status {tried.chunk}){least}; blobs are sent in one piece"
    return _line("chunks", "note", what, facts=facts)


def _other(repository: Repository) -> str:
    return f"Give a repository that you may push to: dockless doctor {repository.host}/NAME --write"


def _line(
    subject: str, state: State, what: str, remedy: str = "", facts: Mapping[str, Fact] | None = None
) -> Finding:
    return Finding(
        area=AREA, subject=subject, state=state, what=what, remedy=remedy, facts=facts or {}
    )
