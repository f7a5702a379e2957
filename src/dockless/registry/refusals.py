"""A registry's refusal of a manifest or blob, as one of our errors.

The body is that of the distribution-spec, 'Error Codes': `{"errors": [{"code": "MANIFEST_INVALID",
"message": "…", "detail": …}]}`. What comes with another body is judged by its status alone.
"""

import json
import re
from collections.abc import Callable
from http import HTTPStatus

from msgspec import Struct, field

from dockless.errors import (
    AuthError,
    DocklessError,
    ImmutableTagError,
    ManifestRefusedError,
    NetworkError,
    PushError,
    RepositoryMissingError,
)
from dockless.model.blotting import blotted
from dockless.model.type_words import speaks_of_types
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.oci.untrusted_json import parse_json
from dockless.registry.authorized_client import AuthorizedClient
from dockless.transport.http import Response

LONGEST_SAID = 300
"""How many characters of a registry's message are shown."""

_LONGEST_BODY = 64 * 1024
_MOST_COMPLAINTS = 3
_BLANKS = re.compile(r"\s+")
_IMMUTABLE = re.compile(r"immutab|cannot be overwritten|already exists")
_FULL = re.compile(r"quota|limit|no space|insufficient")


class Refusal(Struct, frozen=True):
    """A registry's response that refuses the PUT of a manifest or a tag.

    Attributes:
        status: The HTTP status.
        codes: The distribution-spec's codes, in upper case.
        said: The registry's own words, bounded and without control characters; may be empty.
    """

    status: int
    codes: frozenset[str] = frozenset()
    said: str = ""

    def speaks_of(self, words: re.Pattern[str]) -> bool:
        """Whether the registry's words have any of these."""
        return bool(words.search(self.said.lower()))


class _Put(Struct, frozen=True):
    """What was refused, and where.

    Attributes:
        refusal: The answer.
        repository: Where the manifest was to go.
        name: Its digest, or the tag.
    """

    refusal: Refusal
    repository: Repository
    name: str

    @property
    def is_tag(self) -> bool:
        return ":" not in self.name

    @property
    def words(self) -> str:
        """What ends a sentence: the registry's words, else its status."""
        return self.refusal.said.rstrip(".") or f"status {self.refusal.status}, without a message"


class _RefusalRule(Struct, frozen=True, kw_only=True):
    """Which refusals mean what.

    Attributes:
        codes: Any of these codes.
        statuses: Or any of these statuses.
        fits: Or whatever this is true of.
        error: Makes the error.
    """

    codes: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    fits: Callable[[_Put], bool] = field(default=lambda _: False)
    error: Callable[[_Put], DocklessError]


def read_refusal(response: Response) -> Refusal:
    """Return what an answer says, in the distribution-spec's form or another; never raises."""
    try:
        members = parse_json(response.body[:_LONGEST_BODY])
    except (ValueError, RecursionError):
        members = None
    entries = members.get("errors") if isinstance(members, dict) else None
    known = (
        [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    )
    codes = frozenset(str(each.get("code", "")).upper() for each in known) - {""}
    if known:
        said = "; ".join(dict.fromkeys(filter(None, map(_sentence, known[:_MOST_COMPLAINTS]))))
    else:
        html = "html" in response.headers.get("Content-Type", "").lower()
        # blotted before it is cut, as half a secret would stay
        text = "" if html else blotted(response.body.decode(errors="replace"))
        said = "a web page" if html else text[:_LONGEST_BODY]
    return Refusal(response.status, codes, clean(said))


def clean(text: str) -> str:
    """Return foreign text as one line that can be shown: printable, and of a bounded length."""
    # before and after: a secret may have blanks in it, and may be hidden by what is not printable
    line = _BLANKS.sub(" ", blotted(text)).strip()
    line = blotted("".join(character for character in line if character.isprintable()))
    return line if len(line) <= LONGEST_SAID else f"{line[: LONGEST_SAID - 1]}…"


def upload_refusal(client: AuthorizedClient, repository: Repository) -> DocklessError | None:
    """Begin an upload to see what a registry says to that; return why it refuses, if it does.

    Programs do not print the status of every answer.
    """
    path = "blobs/uploads/"
    try:
        response = client.request("POST", repository, path)
        if HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return blob_error(response, repository, None)
        if location := response.headers.get("Location", ""):
            client.request("DELETE", repository, location)
    except NetworkError:
        return None
    except (AuthError, PushError) as error:
        return error
    return None


def manifest_error(response: Response, repository: Repository, name: str) -> DocklessError:
    """Return the error for a manifest, index or tag that a registry rejects.

    Args:
        response: The answer to the PUT.
        repository: Where it was to go.
        name: Its digest, or the tag.
    """
    put = _Put(read_refusal(response), repository, name)
    for rule in _RULES:
        refusal = put.refusal
        if rule.codes & refusal.codes or refusal.status in rule.statuses or rule.fits(put):
            return rule.error(put)
    return PushError(
        f"{repository.host} rejects {name} of {repository} (status {put.refusal.status}): "
        f"{put.words}.",
        "Ask the registry's operator what it accepts.",
    )


def blob_error(response: Response, repository: Repository, blob: Digest | None) -> DocklessError:
    """Return the error for a blob that a registry rejects.

    Args:
        response: The answer to the POST or PUT.
        repository: Where it was to go.
        blob: Its digest; None where it is not known yet.
    """
    what = "a new blob" if blob is None else f"the blob {blob}"
    put = _Put(read_refusal(response), repository, str(blob or what))
    if put.refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return PushError(
            f"{repository.host} accepts no request as large as {what}: {put.words}.",
            "A proxy in front of it limits the bodies of requests (client_max_body_size in "
            "nginx): have the limit raised.",
        )
    for rule in _RULES:
        if rule.codes & put.refusal.codes or put.refusal.status in rule.statuses:
            return rule.error(put)
    return PushError(
        f"{repository.host} rejects {what} of {repository} "
        f"(status {put.refusal.status}): {put.words}.",
        "Ask the registry's operator what it accepts.",
    )


def _sentence(entry: dict[str, object]) -> str:
    code, message, detail = (entry.get(key) for key in ("code", "message", "detail"))
    parts = [str(part) for part in (code, message) if part and isinstance(part, str)]
    if detail and detail != message:
        parts.append(detail if isinstance(detail, str) else json.dumps(detail))
    return ": ".join(parts)


def _is_immutable(put: _Put) -> bool:
    if put.refusal.speaks_of(_FULL):
        return False
    conflict = put.refusal.status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
    refused = conflict or put.refusal.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN}
    return (conflict and put.is_tag) or (refused and put.refusal.speaks_of(_IMMUTABLE))


def _is_of_a_type(put: _Put) -> bool:
    if put.refusal.status != HTTPStatus.BAD_REQUEST:
        return False
    return "MANIFEST_INVALID" in put.refusal.codes or _is_about_the_type(put)


def _is_about_the_type(put: _Put) -> bool:
    """Whether the registry gives the media type as the reason, not only an invalid manifest."""
    if put.refusal.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        return True
    return "UNSUPPORTED" in put.refusal.codes or speaks_of_types(put.refusal.said)


_RULES = (
    _RefusalRule(
        # before the statuses: ECR says it with 400, Harbor with 412, GitLab with 403
        fits=_is_immutable,
        error=lambda put: ImmutableTagError(
            f"{put.repository.host} does not allow an existing tag of {put.repository} to be "
            "overwritten: "
            f"{put.words}.",
            f"Give another tag than {put.name}, or have the repository's tags made mutable."
            if put.is_tag
            else "Have the repository's tags made mutable.",
        ),
    ),
    _RefusalRule(
        statuses=frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}),
        codes=frozenset({"UNAUTHORIZED", "DENIED"}),
        error=lambda put: AuthError(
            f"{put.repository.host} does not allow a push to {put.repository}: {put.words}.",
            "Check the credential, and whether it may push to this repository.",
        ),
    ),
    _RefusalRule(
        codes=frozenset({"NAME_UNKNOWN"}),
        error=lambda put: RepositoryMissingError(
            f"{put.repository.host} has no repository {put.repository.path}: {put.words}.",
            "Create it there first.",
        ),
    ),
    _RefusalRule(
        # docker-registry says so while another push of the same blob writes the file that names it
        codes=frozenset({"BLOB_UNKNOWN", "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN"}),
        error=lambda put: NetworkError(
            f"{put.repository.host} does not find the content of {put.name} of {put.repository}: "
            f"{put.words}.",
            "Push again; if that does not help, the registry is losing data.",
        ),
    ),
    _RefusalRule(
        codes=frozenset({"DIGEST_INVALID", "SIZE_INVALID"}),
        error=lambda put: PushError(
            f"{put.repository.host} reports that {put.name} of {put.repository} does not match "
            f"its digest: {put.words}.",
            "Many registries accept manifests with sha256 digests only; its own has another "
            "algorithm."
            if put.name.startswith(("sha512:", "sha384:"))
            else "It was changed in transit, by a proxy, or by the registry itself.",
        ),
    ),
    _RefusalRule(
        statuses=frozenset({HTTPStatus.REQUEST_ENTITY_TOO_LARGE}),
        error=lambda put: PushError(
            f"{put.repository.host} accepts no request as large as the manifest {put.name}: "
            f"{put.words}.",
            "A proxy in front of it limits the bodies of requests (client_max_body_size in nginx): "
            "have the limit raised to at least 4 MiB, and far more for layers.",
        ),
    ),
    _RefusalRule(
        statuses=frozenset({HTTPStatus.METHOD_NOT_ALLOWED}),
        error=lambda put: PushError(
            f"{put.repository.host} accepts no pushes at the moment: {put.words}.",
            "It is read-only, or a pull-through cache.",
        ),
    ),
    _RefusalRule(
        statuses=frozenset({HTTPStatus.UNSUPPORTED_MEDIA_TYPE}),
        fits=_is_of_a_type,
        error=lambda put: ManifestRefusedError(
            f"{put.repository.host} accepts no manifest of this type in {put.repository}: "
            f"{put.words}.",
            "It may support only Docker's media types, or only images.",
            about_type=_is_about_the_type(put),
        ),
    ),
)
