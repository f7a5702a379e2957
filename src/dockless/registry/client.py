"""The requests of a push to a registry."""

import time
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urljoin

from msgspec.structs import replace

from dockless.concurrency import map_concurrently
from dockless.errors import AuthError, DamagedManifestError, PushError
from dockless.model.secret import Credential, Grant
from dockless.oci.content import Presence
from dockless.oci.digest import Digest
from dockless.oci.manifest import (
    INDEXES,
    LONGEST_MANIFEST,
    MANIFESTS,
    Descriptor,
)
from dockless.oci.reference import Repository
from dockless.registry.challenges import Challenge, demanded
from dockless.registry.tokens import Authorization, authorization, refused
from dockless.transport.http import CONNECTIONS, Body, HttpClient, Response, Sink
from dockless.transport.origins import goes_along, shown

_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND = 200, 401, 403, 404
_UPLOADING = ("PATCH", "PUT")
_MOST_DIGITS = 19  # those of the largest length that a file has
Account = Callable[[], Credential | None]
_WANTS_TLS = (
    b"http request to an https server",
    b"plain http request was sent to https port",
    b"speaking plain http to an ssl-enabled server",
)
_LONGEST_SHOWN = 200
_ACCEPT = ", ".join(sorted(MANIFESTS | INDEXES))


class _Request(NamedTuple):
    """A request without its host and credential."""

    method: str
    headers: Mapping[str, str]
    body: Body
    sink: Sink | None = None


class RegistryClient:
    """One registry, with one account.

    Args:
        http: The connections.
        account: Gives the credential, which may be another one each time; None for anonymous.
        actions: What tokens are asked for: `pull` or `pull,push`.
    """

    def __init__(self, http: HttpClient, account: Account, actions: str = "pull,push") -> None:
        self.http = http
        self.account = account
        self._actions = actions
        self._challenge: Challenge | None = None
        self._offered: Mapping[str, str] = {}
        self._pinged = False
        self._lists_referrers: bool | None = None
        self._passes: dict[str, Authorization | None] = {}
        self._lengths: dict[tuple[Repository, Digest], int] = {}
        self._upload_place: str | None = None

    def known_to(self, account: Account, actions: str = "pull,push") -> "RegistryClient":
        """Return a client of the same registry for another account; it need not ping again."""
        other = RegistryClient(self.http, account, actions)
        other._challenge, other._pinged = self._challenge, self._pinged
        other._offered = self._offered
        return other

    def ping(self) -> None:
        """Check that a registry responds, and which authentication it requires.

        Raises:
            PushError: The service that responds is not a registry.
        """
        if self._pinged:
            return
        response = self.http.ask("GET", f"{self.http.endpoint.url}/v2/")
        host = self.http.endpoint.host
        if not self.http.endpoint.plain_http and (clear := _in_clear(response)):
            raise PushError(
                f"{host} redirects to {shown(clear)}, without TLS, where anyone could respond.",
                "Nothing else was sent. Check the host; the registry's final name may be another "
                "one.",
            )
        if response.status == _UNAUTHORIZED:
            self._challenge = demanded(response.headers, self.http.endpoint)
            self._offered = response.headers
        elif self.http.endpoint.plain_http and _wants_tls(response):
            raise PushError(
                f"{host} uses TLS, but the request was sent in plain HTTP.", "Leave out --insecure."
            )
        elif response.status != _OK or _is_html(response):
            raise PushError(
                f"{host} does not respond as a registry: status {response.status}, "
                f"{_kind(response)}.",
                "Check the host and port, and that no proxy or login page intercepts the request.",
            )
        self._pinged = True

    def check(self) -> bool:
        """Check that the registry accepts the credential; return whether it requires one.

        Raises:
            AuthError: It does not.
        """
        self.ping()
        if self._challenge is None:
            return False
        let_in = authorization(self.http, self._challenge, self.account(), "")
        headers = {"Authorization": let_in.header.reveal()} if let_in else {}
        response = self.http.ask("GET", f"{self.http.endpoint.url}/v2/", headers)
        if response.status in (_UNAUTHORIZED, _FORBIDDEN):
            raise self.refusal()
        return True

    def wants_credential(self) -> bool:
        """Whether the registry requires authentication."""
        self.ping()
        return self._challenge is not None

    @property
    def challenge(self) -> Challenge | None:
        """The registry's challenge; None when it requires nothing."""
        self.ping()
        return self._challenge

    def has_tokens_for_guests(self) -> bool:
        """Whether the registry has a token service, which may allow anonymous reads."""
        self.ping()
        return self._challenge is not None and self._challenge.scheme == "bearer"

    def refusal(self) -> AuthError:
        """Return the error for the credential that this client has, or lacks."""
        return refused(self.http.endpoint.host, self.account())

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
                f"{len(response.body)} bytes with the digest {Digest.of(response.body)}.",
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

    def has(self, repository: Repository) -> bool:
        """Whether the registry has the repository."""
        return self._ask("GET", repository, "tags/list?n=1").status == _OK

    def lists_referrers(self, repository: Repository) -> bool:
        """Whether the registry has the referrers API."""
        if self._lists_referrers is None:
            response = self.request("GET", repository, f"referrers/{Digest.of(b'')}")
            self._lists_referrers = response.status == _OK and not _is_html(response)
        return self._lists_referrers

    def said_length(self, repository: Repository, digest: Digest) -> int | None:
        """Return how long a manifest is by the answer to `tag`; None for unknown. Asks nothing."""
        return self._lengths.get((repository, digest))

    def existing_blobs(self, repository: Repository, blobs: Sequence[Descriptor]) -> Presence:
        """Return which of the blobs the repository has, and whether their length is right."""
        self._authorized(repository)

        def look(blob: Descriptor) -> Presence:
            response = self._ask("HEAD", repository, f"blobs/{blob.digest}")
            if blob.size and _says_empty(response):
                from dockless.registry.first_byte import presence_by_reading  # noqa: PLC0415 - rare

                return presence_by_reading(self, repository, blob)
            return presence(blob, response)

        found = map_concurrently(look, blobs, CONNECTIONS)
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
        if length := _length(response):
            self._lengths[repository, digest] = length
        return digest

    def request(
        self,
        method: str,
        repository: Repository,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
    ) -> Response:
        """Send one request about a repository, with authorization.

        Args:
            method: The HTTP method.
            repository: The repository.
            path: What follows the repository in the URL, or a Location that the registry gave.
            headers: Further headers.
            body: What is sent along.

        Raises:
            AuthError: The credential is refused, or not allowed to do this.
            NetworkError: There was no response, or the registry has an error.
        """
        return self._allowed(repository, path, _Request(method, headers or {}, body))

    def fetch(
        self,
        repository: Repository,
        path: str,
        sink: Sink,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a GET; what comes with status 200 goes to `sink` in pieces.

        Raises:
            AuthError: The credential is refused, or not allowed to do this.
            NetworkError: There was no response, or the registry has an error.
        """
        return self._allowed(repository, path, _Request("GET", headers or {}, None, sink))

    def _allowed(self, repository: Repository, path: str, request: "_Request") -> Response:
        url = self._url(repository, path)
        own = goes_along(self.http.endpoint.url, url)
        # a Location elsewhere is a storage service, which must not see the credential
        let_in = self._authorized(repository) if own else None
        if not own and request.method in _UPLOADING:
            self._upload_place = shown(url)
        response = self._send(url, request, let_in)
        replayable = request.body is None or isinstance(request.body, bytes)
        if response.status == _UNAUTHORIZED and let_in and let_in.token and replayable:
            # a registry whose clock is ahead ends a token before its time
            let_in = self._renewed(repository)
            response = self._send(url, request, let_in)
        if response.status in (_UNAUTHORIZED, _FORBIDDEN):
            self._see_that_it_answered_itself(response, url)
        if response.status == _UNAUTHORIZED:
            self._passes.pop(repository.path, None)
            if let_in and let_in.token and self.account():
                raise self._forbidden(repository)
            raise self.refusal()
        if response.status == _FORBIDDEN:
            raise self._forbidden(repository)
        return response

    def _url(self, repository: Repository, path: str) -> str:
        try:
            return urljoin(f"{self.http.endpoint.url}/v2/{repository.path}/", path)
        except ValueError:
            from dockless.model.blotting import blotted  # noqa: PLC0415 - rare

            raise PushError(
                f"{self.http.endpoint.host} points to {blotted(path)[:_LONGEST_SHOWN]!r}, which is "
                "not a URL.",
                "Ask the operator of the registry, or of the proxy in front of it, to correct "
                "this.",
            ) from None

    def _send(self, url: str, request: "_Request", let_in: Authorization | None) -> Response:
        authorized = {"Authorization": let_in.header.reveal()} if let_in else {}
        headers = {**request.headers, **authorized}
        return self.http.ask(request.method, url, headers, request.body, request.sink)

    def _see_that_it_answered_itself(self, response: Response, url: str) -> None:
        """Raise AuthError where a storage service refused, which knows nothing of the account."""
        last = response.via[-1] if response.via else url
        if not goes_along(self.http.endpoint.url, last):
            raise AuthError(
                f"{shown(last)}, to which {self.http.endpoint.host} redirects, responds with "
                f"{response.status}.",
                "The registry's storage refuses what the registry allows: tell the registry's "
                "operator.",
            )

    def exposed_by(self, program: str, written: Repository | None = None) -> str:
        """Return why `crane` or `skopeo` must not get the credential; empty when it may.

        Args:
            program: The program.
            written: The repository that it is to write to, where an upload may be begun to learn
                where uploads go; None for no such request.
        """
        self.ping()
        if self._challenge is None or self.account() is None:
            return ""
        from dockless.registry.exposure import exposure  # noqa: PLC0415 - a warm push starts none

        why = exposure(program, self._challenge, self._offered, self.http.endpoint)
        # with a token service, only a token for the repository goes where uploads go
        if why or program == "crane" or self._challenge.scheme != "basic":
            return why
        if self._upload_place is None and written:
            self._upload_place = self._asked_upload_place(written)
        place = self._upload_place
        return f"{program} could send the credential to {place}" if place else ""

    def _asked_upload_place(self, repository: Repository) -> str:
        """Begin an upload, and return where it goes if that is elsewhere; empty for here."""
        path = "blobs/uploads/"
        location = self.request("POST", repository, path).headers.get("Location", "")
        url = self._url(repository, location or path)
        if not goes_along(self.http.endpoint.url, url):
            return shown(url)
        if location:
            self.request("DELETE", repository, location)
        return ""

    def _forbidden(self, repository: Repository) -> AuthError:
        credential = self.account()
        user = (credential.username or "this token") if credential else "anonymous"
        return AuthError(
            f"{repository.host} does not allow {user} to use {repository}.",
            "Request permission to push there, or check the namespace.",
        )

    def login(self) -> Credential | None:
        """Return the credential if the registry requires one.

        Otherwise no other program gets one either, since crane sends it unasked.
        """
        return self.account() if self.wants_credential() else None

    def grant(self, repository: Repository) -> Grant:
        """Return what another program needs to push to the repository, and no more than that.

        Where the registry has a token service, this is a new token for this repository alone;
        elsewhere it is the credential itself, or nothing where the registry does not ask for it.
        """
        credential = self.login()
        if credential is None or self._challenge is None:
            return Grant(credential)
        if self._challenge.scheme == "basic":
            return Grant(credential)
        let_in = self._renewed(repository)
        if let_in is None or let_in.token is None:
            return Grant(credential)
        return Grant(replace(credential, registry_token=let_in.token), let_in.ends)

    def _ask(self, method: str, repository: Repository, path: str) -> Response:
        headers = {"Accept": _ACCEPT} if path.startswith("manifests/") else {}
        response = self.request(method, repository, path, headers)
        if response.status not in (_OK, _NOT_FOUND) or (
            response.status == _OK and _is_html(response)
        ):
            raise PushError(
                f"{self.http.endpoint.host} responds with {response.status} ({_kind(response)}) to "
                f"{method} of {path} in {repository}.",
                "Check the host and port, and that no proxy or login page intercepts the request.",
            )
        return response

    def _authorized(self, repository: Repository) -> Authorization | None:
        self.ping()
        if self._challenge is None:
            return None
        held = self._passes.get(repository.path)
        if held is None or held.token is None or held.renew <= time.monotonic():
            return self._renewed(repository)
        return held

    def _renewed(self, repository: Repository) -> Authorization | None:
        if self._challenge is None:
            return None
        scope = f"repository:{repository.path}:{self._actions}"
        let_in = authorization(self.http, self._challenge, self.account(), scope)
        self._passes[repository.path] = let_in
        return let_in


def presence(blob: Descriptor, response: Response) -> Presence:
    """Return a blob's state from the response to HEAD; an unknown length counts as right."""
    if response.status != _OK:
        return Presence()
    length = _length(response)
    if length is None or length == blob.size:
        return Presence(frozenset({blob.digest}))
    return Presence(damaged={blob.digest: length})


def _says_empty(response: Response) -> bool:
    """Whether the answer to HEAD says that there is not one byte."""
    return response.status == _OK and response.headers.get("Content-Length", "").strip() == "0"


def _length(response: Response) -> int | None:
    """Return how long what was asked for by HEAD is; None where the answer does not say so.

    Content-Length is missing in some answers, proxies make it 0, and where the answer is compressed
    on the way it counts other bytes.
    """
    said = response.headers.get("Content-Length", "").strip()
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in ("", "identity") or len(said) > _MOST_DIGITS:
        return None
    return int(said) or None if said.isascii() and said.isdigit() else None


def _in_clear(response: Response) -> str:
    """Return the first URL without TLS that a request was redirected to; empty for none."""
    return next((url for url in response.via if not url.lower().startswith("https:")), "")


def _wants_tls(response: Response) -> bool:
    """Whether a server says that its port is for TLS, in the words of Go, nginx or Apache."""
    body = response.body.lower()
    return response.status == HTTPStatus.BAD_REQUEST and any(words in body for words in _WANTS_TLS)


def _kind(response: Response) -> str:
    """Return the media type of an answer, to be shown."""
    from dockless.model.blotting import blotted  # noqa: PLC0415 - rare

    return blotted(response.headers.get("Content-Type", "no content type"))


def _is_html(response: Response) -> bool:
    return "text/html" in response.headers.get("Content-Type", "").lower()
