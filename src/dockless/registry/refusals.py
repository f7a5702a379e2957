"""A registry's refusal of a manifest or blob, as one of our errors."""

from collections.abc import Callable
from http import HTTPStatus

from msgspec import Struct, field

from dockless.errors import (
    AuthError,
    ContentRefusedError,
    DocklessError,
    ImmutableTagError,
    ManifestRefusedError,
    NetworkError,
    PushError,
    RepositoryMissingError,
)
from dockless.model.refusal_words import (
    MAY_PROTECT_A_TAG,
    speaks_of_locks,
    speaks_of_overwriting,
    speaks_of_quota,
)
from dockless.model.type_words import speaks_of_types
from dockless.oci.digest import Digest
from dockless.oci.reference import Repository
from dockless.registry.authorized_client import AuthorizedClient
from dockless.registry.refusal import Refusal, read_refusal
from dockless.transport.http import Response

_PAYMENT = frozenset({HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.INSUFFICIENT_STORAGE})


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
    def speaks_of_quota(self) -> bool:
        """Whether the registry has no room, or must not store more; names say nothing of that."""
        status, said = self.refusal.status, self.refusal.said
        for name in (self.repository.path, self.repository.path.rpartition("/")[2], self.name):
            said = said.replace(name, "")
        return status in _PAYMENT or (status != HTTPStatus.UNAUTHORIZED and speaks_of_quota(said))

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


def upload_refusal(client: AuthorizedClient, repository: Repository) -> DocklessError | None:
    """Begin an upload to see what a registry says to that; return why it refuses, if it does.

    Programs do not print the status of every answer.
    """
    path = "blobs/uploads/"
    try:
        response = client.request("POST", repository, path)
        if HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
            return blob_error(response, repository, None)
        if location := response.location:
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
    error = _manifest_error(put, name)
    error.refuses_put = put.refusal.status in MAY_PROTECT_A_TAG
    return error


def _manifest_error(put: _Put, name: str) -> DocklessError:
    for rule in _RULES:
        refusal = put.refusal
        if rule.codes & refusal.codes or refusal.status in rule.statuses or rule.fits(put):
            return rule.error(put)
    return _other_error(put, name)


def forbidden(
    response: Response, repository: Repository, user: str, name: str | None = None
) -> DocklessError:
    """Return the error for a response 403, which may be about something else than the account.

    Args:
        response: The response.
        repository: What was requested of.
        user: What the account is called.
        name: The digest or tag of the manifest that was put; empty for another request that
            writes, and None for one that reads.
    """
    put = _Put(read_refusal(response), repository, name or str(repository))
    if name and _is_immutable(put):
        return _immutable(put)
    if name is not None and put.speaks_of_quota:
        return _quota(put)
    said = put.refusal.said.rstrip(".")
    error = AuthError(
        f"{repository.host} does not allow {user} to use {repository}"
        f"{f': {said}' if said else ''}.",
        "Request permission to push there, or check the namespace.",
    )
    error.refuses_put = bool(name)
    return error


def blob_error(response: Response, repository: Repository, blob: Digest | None) -> DocklessError:
    """Return the error for a blob that a registry rejects.

    Args:
        response: The answer to the POST or PUT.
        repository: Where it was to go.
        blob: Its digest; None where it is not known yet.
    """
    what = "a new blob" if blob is None else f"the blob {blob}"
    put = _Put(read_refusal(response), repository, str(blob or what))
    if put.speaks_of_quota:
        return _quota(put)
    if put.refusal.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return ContentRefusedError(
            f"{repository.host} accepts no request as large as {what}: {put.words}.",
            "A proxy in front of it limits the bodies of requests (client_max_body_size in "
            "nginx): have the limit raised.",
        )
    for rule in _RULES:
        if rule.codes & put.refusal.codes or put.refusal.status in rule.statuses:
            return rule.error(put)
    return _other_error(put, what)


def shut_out(response: Response, host: str) -> AuthError:
    """Return the error for a registry that responds with 403 before it is asked for anything."""
    words = read_refusal(response).said.rstrip(".") or "without a message"
    return AuthError(
        f"{host} does not let this machine or account in (status {response.status}): {words}.",
        "Check whether it admits this network, and whether the account may use it at all.",
    )


def _other_error(put: _Put, what: str) -> PushError:
    status = put.refusal.status
    # not the request is at fault, so a tag's existence does not explain it
    kind = ContentRefusedError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else PushError
    return kind(
        f"{put.repository.host} rejects {what} of {put.repository} (status {status}): {put.words}.",
        "Ask the registry's operator what it accepts.",
    )


def _quota(put: _Put) -> ContentRefusedError:
    return ContentRefusedError(
        f"{put.repository.host} does not store more in {put.repository}: {put.words}.",
        "Delete images there that are not needed, or have the quota raised.",
    )


def _immutable(put: _Put) -> ImmutableTagError:
    said = put.refusal.said
    if not speaks_of_overwriting(said) or speaks_of_locks(said):  # there may be no such tag yet
        return ImmutableTagError(
            f"{put.repository.host} does not allow the tag {put.name} of {put.repository} to be "
            f"written: {put.words}.",
            f"If it must not be overwritten, give another tag than {put.name}; if the repository "
            "or package is locked, have it unlocked.",
        )
    return ImmutableTagError(
        f"{put.repository.host} does not allow an existing tag of {put.repository} to be "
        f"overwritten: {put.words}.",
        f"Give another tag than {put.name}, or have the repository's tags made mutable."
        if put.is_tag
        else "Have the repository's tags made mutable.",
    )


def _is_immutable(put: _Put) -> bool:
    conflict = put.refusal.status in {HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED}
    refused = conflict or put.refusal.status in {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
    if refused and speaks_of_overwriting(put.refusal.said):
        # what is written by its digest overwrites no tag
        return put.is_tag or not speaks_of_locks(put.refusal.said)
    return conflict and put.is_tag and not put.speaks_of_quota


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
    # before the statuses: ECR says it with 400, Harbor with 412, GitLab with 403
    _RefusalRule(fits=_is_immutable, error=_immutable),
    _RefusalRule(fits=lambda put: put.speaks_of_quota, error=_quota),
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
        error=lambda put: ContentRefusedError(
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
        error=lambda put: ContentRefusedError(
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
