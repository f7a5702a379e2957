"""What one registry requires of one account, and the authorization that the account has there."""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

from msgspec.structs import replace

from dockless.errors import AuthError, NetworkError, PushError
from dockless.model.endpoint import Endpoint
from dockless.model.secret import Credential, Grant
from dockless.oci.reference import Repository
from dockless.registry.challenges import Challenge, chosen, demanded, offered
from dockless.registry.responses import first_in_clear, is_html, shown_type, wants_tls
from dockless.registry.tokens import Authorization, authorize, refused
from dockless.transport.http import HttpClient, Response
from dockless.transport.origins import shown

_OK, _NOT_FOUND = HTTPStatus.OK, HTTPStatus.NOT_FOUND
_UNAUTHORIZED, _FORBIDDEN = HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
_UNLIKELY = "dockless/none"
CredentialProvider = Callable[[], Credential | None]


class RegistryLogin:
    """One account at one registry.

    Args:
        http: The connections.
        account: Gives the credential, which may be another one each time; None for anonymous.
        actions: What tokens are asked for: `pull` or `pull,push`.
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
        self._authorizations: dict[str, Authorization | None] = {}

    @property
    def endpoint(self) -> Endpoint:
        """How the registry is reached."""
        return self.http.endpoint

    def ping(self) -> None:
        """Check that a registry responds, and which authentication it requires.

        Raises:
            NetworkError: It does not respond, or requires TLS.
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
            raise NetworkError(
                f"{host} uses TLS, but the request was sent in plain HTTP.",
                self.http.endpoint.remedies.uses_tls,
                passing=False,
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
        authorization = authorize(self.http, self._challenge, self.account(), "")
        headers = {"Authorization": authorization.header.reveal()} if authorization else {}
        response = self.http.ask("GET", f"{self.http.endpoint.url}/v2/", headers)
        if response.status in (_UNAUTHORIZED, _FORBIDDEN):
            raise self.refusal(response)
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

    def refusal(self, response: Response | None = None) -> AuthError:
        """Return the error for the credential that this client has, or lacks, with its answer."""
        reads = self._actions == "pull"
        return refused(self.http.endpoint, self.account(), response, source=reads)

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
        authorization = self._renewed(repository)
        if authorization is None or authorization.token is None:
            return Grant(credential)
        return Grant(replace(credential, registry_token=authorization.token), authorization.ends)

    def _authorized(self, repository: Repository) -> Authorization | None:
        self.ping()
        if self._challenge is None:
            return None
        held = self._authorizations.get(repository.path)
        if held is None or held.token is None or held.renew <= time.monotonic():
            return self._renewed(repository)
        return held

    def _renewed(self, repository: Repository) -> Authorization | None:
        if self._challenge is None:
            return None
        scope = f"repository:{repository.path}:{self._actions}"
        authorization = authorize(self.http, self._challenge, self.account(), scope)
        self._authorizations[repository.path] = authorization
        return authorization

    def _learns(self, response: Response) -> bool:
        """Note the challenge of a registry that had none before; return whether it has one now."""
        if self._challenge is not None:
            return False
        self._challenge = chosen(offered(response.headers), self.http.endpoint)
        self._offered = response.headers
        return self._challenge is not None
