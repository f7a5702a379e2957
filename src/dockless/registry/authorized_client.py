"""Requests to one registry with the credential of one account."""

from collections.abc import Mapping
from http import HTTPStatus
from urllib.parse import urljoin

from msgspec import Struct

from dockless.errors import DocklessError, PushError
from dockless.oci.reference import Repository
from dockless.registry.registry_login import CredentialProvider, RegistryLogin
from dockless.registry.tokens import Authorization
from dockless.transport.bodies import Body, BodySink
from dockless.transport.http import HttpClient, Response
from dockless.transport.origins import Origin, goes_along, origin, shown

_UNAUTHORIZED, _FORBIDDEN = HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_UPLOADING = ("PATCH", "PUT")
_LONGEST_SHOWN = 200


class _RegistryRequest(Struct, frozen=True, kw_only=True):
    """A request without its host and credential.

    Attributes:
        method: The HTTP method.
        repository: The repository.
        path: What follows the repository in the URL, or a Location that the registry gave.
        headers: Further headers.
        body: What is sent along.
        sink: Where the content of the response goes; None for into the response.
    """

    method: str
    repository: Repository
    path: str
    headers: Mapping[str, str]
    body: Body = None
    sink: BodySink | None = None

    @property
    def put(self) -> str | None:
        """The tag or digest of the manifest that it puts.

        Empty where it writes something else, and None where it only reads.
        """
        if self.method in ("GET", "HEAD"):
            return None
        name = self.path.removeprefix("manifests/")
        return "" if name == self.path else name


class AuthorizedClient(RegistryLogin):
    """Sends requests about repositories; the arguments are those of `RegistryLogin`.

    Attributes:
        own_uploads: Whether uploads that are said to go on at another host go on at this one.
    """

    def __init__(
        self, http: HttpClient, account: CredentialProvider, actions: str = "pull,push"
    ) -> None:
        super().__init__(http, account, actions)
        self._upload_place: str | None = None
        self.own_uploads: dict[Origin | None, bool] = {}

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
            _RegistryRequest(
                method=method, repository=repository, path=path, headers=headers or {}, body=body
            )
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
            _RegistryRequest(
                method="GET", repository=repository, path=path, headers=headers or {}, sink=sink
            )
        )

    def _allowed(self, request: _RegistryRequest) -> Response:
        repository = request.repository
        url = self.url(repository, request.path)
        own = goes_along(self.http.endpoint.url, url)
        # a Location elsewhere is a storage service, which must not see the credential
        authorization = self._authorized(repository) if own else None
        if not own and request.method in _UPLOADING:
            self._upload_place = shown(url)
        response = self._send(url, request, authorization)
        if request.method == "PATCH" and own and (led := response.location):
            self._upload_place = self._upload_place or self.leads_elsewhere(repository, led)
        replayable = request.body is None or isinstance(request.body, bytes)
        if response.status == _UNAUTHORIZED and replayable and own and self._learns(response):
            # it is open for reading, and says only now what it requires
            authorization = self._authorized(repository)
            response = self._send(url, request, authorization) if authorization else response
        elif (
            response.status == _UNAUTHORIZED
            and authorization
            and authorization.token
            and replayable
        ):
            # a registry whose clock is ahead ends a token before its time
            authorization = self._renewed(repository)
            response = self._send(url, request, authorization)
        if response.status in (_UNAUTHORIZED, _FORBIDDEN):
            raise self._denial(request, url, response, authorization)
        return response

    def _denial(
        self,
        request: _RegistryRequest,
        url: str,
        response: Response,
        authorization: Authorization | None,
    ) -> DocklessError:
        """Return the error for a response 401 or 403."""
        from dockless.registry import denials  # noqa: PLC0415 - rare

        if error := denials.storage_denial(response, url, self.http.endpoint):
            return error
        repository = request.repository
        if response.status == _FORBIDDEN:
            return denials.account_denial(response, repository, self.account(), request.put)
        self._authorizations.pop(repository.path, None)
        if authorization and authorization.token and self.account():
            return denials.account_denial(response, repository, self.account())
        return self.refusal(response)

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

    def _send(
        self, url: str, request: _RegistryRequest, authorization: Authorization | None
    ) -> Response:
        authorized = {"Authorization": authorization.header.reveal()} if authorization else {}
        headers = {**request.headers, **authorized}
        return self.http.ask(request.method, url, headers, request.body, request.sink)

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
