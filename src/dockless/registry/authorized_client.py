"""Requests to one registry with the credential of one account."""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from urllib.parse import urljoin

from msgspec import Struct
from msgspec.structs import replace

from dockless.errors import AuthError, DocklessError, PushError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Grant
from dockless.oci.reference import Repository
from dockless.registry.challenges import Challenge, chosen, demanded, offered
from dockless.registry.responses import first_in_clear, is_html, shown_type, wants_tls
from dockless.registry.tokens import Authorization, authorization, refused
from dockless.transport.bodies import Body, BodySink
from dockless.transport.http import HttpClient, Response
from dockless.transport.origins import Origin, goes_along, origin, shown

_OK, _NOT_FOUND = HTTPStatus.OK, HTTPStatus.NOT_FOUND
_UNAUTHORIZED, _FORBIDDEN = HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_UNLIKELY = "dockless/none"
_UPLOADING = ("PATCH", "PUT")
CredentialProvider = Callable[[], Credential | None]
_LONGEST_SHOWN = 200


class _Request(Struct, frozen=True, kw_only=True):
    """A request without its host and credential."""

    method: str
    headers: Mapping[str, str]
    body: Body
    sink: BodySink | None = None


class AuthorizedClient:
    """One registry, with one account.

    Args:
        http: The connections.
        account: Gives the credential, which may be another one each time; None for anonymous.
        actions: What tokens are asked for: `pull` or `pull,push`.

    Attributes:
        own_uploads: Whether uploads that are said to go on at another host go on at this one.
    """

    def __init__(
        self, http: HttpClient, account: CredentialProvider, actions: str = "pull,push"
    ) -> None:
        self.http = http
        self.account = account
        self._actions = actions
        self._challenge: Challenge | None = None
        self._offered: Mapping[str, str] = {}
        self._pinged = False
        self._passes: dict[str, Authorization | None] = {}
        self._upload_place: str | None = None
        self.own_uploads: dict[Origin | None, bool] = {}

    @property
    def endpoint(self) -> Endpoint:
        """How the registry is reached."""
        return self.http.endpoint

    def ping(self) -> None:
        """Check that a registry responds, and which authentication it requires.

        Raises:
            PushError: The service that responds is not a registry.
        """
        if self._pinged:
            return
        response = self.http.ask("GET", f"{self.http.endpoint.url}/v2/")
        host = self.http.endpoint.host
        if not self.http.endpoint.plain_http and (clear := first_in_clear(response)):
            raise PushError(
                f"{host} redirects to {shown(clear)}, without TLS, where anyone could respond.",
                "Nothing else was sent. Check the host; the registry's final name may be another "
                "one.",
            )
        if response.status == _OK and is_html(response) and not response.via:
            response = self._behind(response)
        if response.status == _UNAUTHORIZED:
            self._challenge = demanded(response.headers, self.http.endpoint)
            self._offered = response.headers
        elif response.status == _FORBIDDEN:
            from dockless.registry.refusals import shut_out  # noqa: PLC0415 - rare

            raise shut_out(response, host)
        elif self.http.endpoint.plain_http and wants_tls(response):
            raise PushError(
                f"{host} uses TLS, but the request was sent in plain HTTP.", "Leave out --insecure."
            )
        elif response.status != _OK or is_html(response):
            raise self._no_registry(response)
        self._pinged = True

    def _behind(self, page: Response) -> Response:
        """Return what a registry behind a page for people answers; the page where there is none.

        Some proxies answer `/v2/` alone with a page, and pass on everything below it.
        """
        below = self.http.ask("GET", f"{self.http.endpoint.url}/v2/{_UNLIKELY}/tags/list")
        if is_html(below) or below.via:
            return page
        if below.status == _UNAUTHORIZED:
            return below
        there = below.status in (_OK, _FORBIDDEN, _NOT_FOUND)
        return replace(page, headers={}) if there else page

    def _no_registry(self, response: Response) -> PushError:
        """Return the error for a response that no registry gives."""
        return PushError(
            f"{self.http.endpoint.host} does not respond as a registry: status {response.status}, "
            f"{shown_type(response)}.",
            "Check the host and port, and that no proxy or login page intercepts the request.",
        )

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
        reads = self._actions == "pull"
        return refused(self.http.endpoint.host, self.account(), source=reads)

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
        return self._allowed(
            repository, path, _Request(method=method, headers=headers or {}, body=body)
        )

    def fetch(
        self,
        repository: Repository,
        path: str,
        sink: BodySink,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send a GET; what comes with status 200 goes to `sink` in pieces.

        Raises:
            AuthError: The credential is refused, or not allowed to do this.
            NetworkError: There was no response, or the registry has an error.
        """
        return self._allowed(
            repository, path, _Request(method="GET", headers=headers or {}, body=None, sink=sink)
        )

    def _allowed(self, repository: Repository, path: str, request: "_Request") -> Response:
        url = self.url(repository, path)
        own = goes_along(self.http.endpoint.url, url)
        # a Location elsewhere is a storage service, which must not see the credential
        let_in = self._authorized(repository) if own else None
        if not own and request.method in _UPLOADING:
            self._upload_place = shown(url)
        response = self._send(url, request, let_in)
        if request.method == "PATCH" and own and (led := response.headers.get("Location", "")):
            self._upload_place = self._upload_place or self.leads_elsewhere(repository, led)
        replayable = request.body is None or isinstance(request.body, bytes)
        if response.status == _UNAUTHORIZED and replayable and own and self._learns(response):
            # it is open for reading, and says only now what it requires
            let_in = self._authorized(repository)
            response = self._send(url, request, let_in) if let_in else response
        elif response.status == _UNAUTHORIZED and let_in and let_in.token and replayable:
            # a registry whose clock is ahead ends a token before its time
            let_in = self._renewed(repository)
            response = self._send(url, request, let_in)
        if response.status in (_UNAUTHORIZED, _FORBIDDEN):
            self._see_that_it_answered_itself(response, url)
        if response.status == _UNAUTHORIZED:
            self._passes.pop(repository.path, None)
            if let_in and let_in.token and self.account():
                raise self._forbidden(repository, response)
            raise self.refusal()
        if response.status == _FORBIDDEN:
            raise self._forbidden(repository, response, _name_put(request.method, path))
        return response

    def _learns(self, response: Response) -> bool:
        """Note the challenge of a registry that had none before; return whether it has one now."""
        if self._challenge is not None:
            return False
        self._challenge = chosen(offered(response.headers), self.http.endpoint)
        self._offered = response.headers
        return self._challenge is not None

    def leads_elsewhere(self, repository: Repository, location: str) -> str:
        """Return a Location, shortened, if it must not get the credential; otherwise nothing."""
        url = self.url(repository, location)
        return "" if goes_along(self.http.endpoint.url, url) else shown(url)

    def url(self, repository: Repository, path: str) -> str:
        """Return the URL of a path below a repository, or of a Location.

        Raises:
            PushError: It is none.
        """
        try:
            url = urljoin(f"{self.http.endpoint.url}/v2/{repository.path}/", path)
        except ValueError:
            url = ""
        # what is below the registry's own URL needs no second look
        if url.startswith(f"{self.http.endpoint.url}/") or origin(url):
            return url
        from dockless.model.blotting import blotted  # noqa: PLC0415 - rare

        raise PushError(
            f"{self.http.endpoint.host} points to {blotted(path)[:_LONGEST_SHOWN]!r}, which is not "
            "an http or https URL.",
            "Ask the operator of the registry, or of the proxy in front of it, to correct this.",
        )

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
        from dockless.registry import exposure  # noqa: PLC0415 - a warm push starts none

        endpoint = self.http.endpoint
        why = exposure.exposure(program, self._challenge, self._offered, endpoint)
        # with a token service, only a token for the repository goes where uploads go
        if why or self._challenge.scheme != "basic" or (program == "crane" and endpoint.plain_http):
            return why
        if self._upload_place is None and written:
            self._upload_place = exposure.upload_place(self, written)
        return exposure.upload_exposure(program, self._upload_place or "", endpoint)

    def _forbidden(
        self, repository: Repository, response: Response, put: str | None = None
    ) -> DocklessError:
        """Return the error for a refused request; `put` is the result of `_name_put`."""
        from dockless.registry.refusals import forbidden  # noqa: PLC0415 - rare

        credential = self.account()
        user = (credential.username or "this token") if credential else "anonymous"
        return forbidden(response, repository, user, put)

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


def _name_put(method: str, path: str) -> str | None:
    """Return the tag or digest of the manifest that a request puts.

    Empty for one that writes something else, and None for one that only reads.
    """
    if method in ("GET", "HEAD"):
        return None
    name = path.removeprefix("manifests/")
    return "" if name == path else name
