"""Reading from a registry: tags, manifests, and which blobs there are."""

from collections.abc import Callable, MutableMapping, Sequence
from http import HTTPStatus

from dockless.concurrency import map_concurrently
from dockless.errors import DamagedManifestError, DocklessError, PushError
from dockless.model.counts import number
from dockless.oci.content import Presence
from dockless.oci.digest import ALGORITHMS, Digest
from dockless.oci.manifest import INDEXES, LONGEST_MANIFEST, MANIFESTS, Descriptor
from dockless.oci.reference import Repository
from dockless.registry.authorized_client import AuthorizedClient
from dockless.registry.registry_login import CredentialProvider
from dockless.registry.responses import is_html, presence, said_length, says_empty, shown_type
from dockless.transport.http import CONNECTIONS, HttpClient, Response

_OK, _NOT_FOUND = HTTPStatus.OK, HTTPStatus.NOT_FOUND
_ACCEPT = ", ".join(sorted(MANIFESTS | INDEXES))


class RegistryClient(AuthorizedClient):
    """Reads one registry, with one account; the arguments are those of `AuthorizedClient`."""

    def __init__(
        self, http: HttpClient, account: CredentialProvider, actions: str = "pull,push"
    ) -> None:
        super().__init__(http, account, actions)
        self._lists_referrers: bool | None = None
        self._lengths: dict[tuple[Repository, Digest], int] = {}

    def known_to(self, account: CredentialProvider, actions: str = "pull,push") -> "RegistryClient":
        """Return a client of the same registry for another account; it need not ping again."""
        other = RegistryClient(self.http, account, actions)
        other._challenge, other._pinged = self._challenge, self._pinged
        other._offered, other.own_uploads = self._offered, self.own_uploads
        return other

    def tag(self, repository: Repository, tag: str) -> Digest | None:
        """Return the digest that a tag refers to, or None when the tag does not exist."""
        return self._digest(repository, tag)

    def manifest(self, repository: Repository, digest: Digest) -> bytes | None:
        """Return the manifest or index of this digest, or None when the registry has none.

        Raises:
            DamagedManifestError: The registry returns other content than requested.
        """
        response = self._ask("GET", repository, f"manifests/{digest}")
        if response.status == _NOT_FOUND:
            return None
        if not digest.matches(response.body):
            raise DamagedManifestError(
                f"{repository.host} returned wrong content: for {digest} of {repository} it sent "
                f"{number(len(response.body), 'byte')} with the digest {Digest.of(response.body)}.",
                "Do not trust this registry, or the proxy in front of it.",
            )
        return response.body

    def referrers(
        self, repository: Repository, subject: Digest, note: Callable[[str], None]
    ) -> tuple[Descriptor, ...]:
        """Return what refers to a manifest; see `listing.referrers`."""
        from dockless.registry.listing import referrers  # noqa: PLC0415 - a push needs none

        return referrers(self, repository, subject, note)

    def at_tag(self, repository: Repository, tag: str) -> bytes | None:
        """Return the manifest or index that a tag names, or None; cut where it is too large."""
        response = self._ask("GET", repository, f"manifests/{tag}")
        return response.body if response.status == _OK else None

    def tags(self, repository: Repository) -> tuple[str, ...]:
        """Return every tag of a repository; none when there is no such repository."""
        from dockless.registry.listing import tags  # noqa: PLC0415 - a push needs none

        return tags(self, repository)

    def upload_refusal(self, repository: Repository) -> DocklessError | None:
        """Return why the registry refuses uploads, if it does; see `refusals.upload_refusal`."""
        from dockless.registry.refusals import upload_refusal  # noqa: PLC0415 - rare

        return upload_refusal(self, repository)

    def has(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""
        return self._ask("GET", repository, "tags/list?n=1").status == _OK

    def lists_referrers(self, repository: Repository) -> bool:
        """Whether the registry has the referrers API."""
        if self._lists_referrers is None:
            response = self.request("GET", repository, f"referrers/{Digest.of(b'')}")
            self._lists_referrers = response.status == _OK and not is_html(response)
        return self._lists_referrers

    def said_length(self, repository: Repository, digest: Digest) -> int | None:
        """Return how long a manifest is by the answer to `tag`; None for unknown. Asks nothing."""
        return self._lengths.get((repository, digest))

    def existing_blobs(
        self,
        repository: Repository,
        blobs: Sequence[Descriptor],
        answered: MutableMapping[Digest, Presence] | None = None,
    ) -> Presence:
        """Return which of the blobs the repository has, and whether their length is right."""
        self._authorized(repository)
        known = {} if answered is None else answered

        def look(blob: Descriptor) -> Presence:
            response = self._ask("HEAD", repository, f"blobs/{blob.digest}")
            if blob.size and says_empty(response):
                from dockless.registry.first_byte import presence_by_reading  # noqa: PLC0415 - rare

                return presence_by_reading(self, repository, blob)
            return presence(blob, response)

        def note(blob: Descriptor) -> None:
            known[blob.digest] = look(blob)

        asked = [blob for blob in blobs if blob.digest not in known]
        if len(asked) == 1:  # in this thread, which may be in the midst of an upload
            note(asked[0])
        else:
            map_concurrently(note, asked, CONNECTIONS)
        found = [known[blob.digest] for blob in blobs]
        return Presence(
            frozenset().union(*(each.there for each in found)),
            {digest: size for each in found for digest, size in each.damaged.items()},
        )

    def _digest(self, repository: Repository, tag: str) -> Digest | None:
        response = self._ask("HEAD", repository, f"manifests/{tag}")
        if response.status == _NOT_FOUND:
            return None
        said = response.headers.get("Docker-Content-Digest", "")
        try:
            digest = Digest.parse(said)
        except ValueError:
            body = self._ask("GET", repository, f"manifests/{tag}").body
            return Digest.of(body) if len(body) <= LONGEST_MANIFEST else None
        if length := said_length(response):
            self._lengths[repository, digest] = length
        return digest

    def _ask(self, method: str, repository: Repository, path: str) -> Response:
        headers = {"Accept": _ACCEPT} if path.startswith("manifests/") else {}
        response = self.request(method, repository, path, headers)
        if response.status not in (_OK, _NOT_FOUND) or (
            response.status == _OK and is_html(response)
        ):
            raise PushError(
                f"{self.http.endpoint.host} responds with {response.status} "
                f"({shown_type(response)}) to {method} of {path} in {repository}.",
                "It may support sha256 digests only: build the image with those, or use another "
                "registry."
                if _is_of_another_algorithm(path, response)
                else "Check the host and port, and that no proxy or login page intercepts the "
                "request.",
            )
        return response


def _is_of_another_algorithm(path: str, response: Response) -> bool:
    """Whether a registry refuses to look for a digest of an algorithm that it need not support."""
    others = (f"/{algorithm}:" for algorithm in ALGORITHMS if algorithm != "sha256")
    refused = HTTPStatus.BAD_REQUEST <= response.status < HTTPStatus.INTERNAL_SERVER_ERROR
    return refused and not is_html(response) and any(each in path for each in others)
