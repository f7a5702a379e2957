"""A front for registries that know no accounts: it asks for a login or a token, and keeps a log."""

import base64
import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bed.faults import Answer, Effect, Handler, faulty
from bed.registry import Login
from bed.tokens import SERVICE, TokenService

_OPERATIONS = ("/blobs/", "/manifests/", "/referrers/", "/tags/")


@dataclass(frozen=True, slots=True)
class Logged:
    """One request, as an access log has it.

    Attributes:
        method: The request's method.
        path: Its path, without the query.
        status: What was answered.
        agent: The User-Agent.
    """

    method: str
    path: str
    status: int
    agent: str


@dataclass(frozen=True, slots=True)
class Front:
    """The front of one registry.

    Attributes:
        host: `127.0.0.1:port`.
        log: Every request so far.
    """

    host: str
    log: list[Logged] = field(default_factory=list)


Guard = Callable[[str, str, str], str]
"""Returns the challenge for a method, path and Authorization header; empty to let it pass."""


def everyone(_method: str, _path: str, _given: str) -> str:
    """Let everybody pass."""
    return ""


def basic(login: Login) -> Guard:
    """Return what lets only this account pass."""
    wanted = "Basic " + base64.b64encode(":".join(login).encode()).decode()
    return lambda _method, _path, given: "" if given == wanted else 'Basic realm="the front"'


def bearer(service: TokenService) -> Guard:
    """Return what lets only those pass who have a token of this service for the repository."""

    def guard(method: str, path: str, given: str) -> str:
        repository = _repository(path)
        action = "pull" if method in {"GET", "HEAD"} else "push"
        access = _granted(service.bundle, given)
        challenge = f'Bearer realm="{service.realm}",service="{SERVICE}"'
        if not repository:
            return "" if access is not None else challenge
        if action in (access or {}).get(repository, ()):
            return ""
        scope = f"repository:{repository}:{'pull' if action == 'pull' else 'pull,push'}"
        return f'{challenge},scope="{scope}"'

    return guard


def _repository(path: str) -> str:
    name = path.removeprefix("/v2/")
    ends = [name.find(operation) for operation in _OPERATIONS if operation in name]
    return name[: min(ends)] if ends else ""


def _granted(bundle: Path, given: str) -> dict[str, list[str]] | None:
    """Return what a token allows, by repository; None when it is none of the service's."""
    scheme, _, token = given.partition(" ")
    signed, _, signature = token.rpartition(".")
    if scheme != "Bearer" or not signed:
        return None
    key = x509.load_pem_x509_certificate(bundle.read_bytes()).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return None
    try:
        key.verify(_decoded(signature), signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return None
    claims: dict[str, Any] = json.loads(_decoded(signed.partition(".")[2]))
    return {each["name"]: each["actions"] for each in claims["access"]}


def _decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


@contextlib.contextmanager
def front(upstream: str, guard: Guard = everyone) -> Iterator[Front]:
    """Run a front of the registry at `upstream` for as long as the block lasts."""
    log: list[Logged] = []

    class Guarded(Handler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError):  # a client that ends while it is connected
                super().handle()

        def _answer(self, effect: Effect | None) -> None:
            challenge = guard(
                self.command, urlsplit(self.path).path, self.headers.get("Authorization", "")
            )
            if not challenge:
                del self.headers["Authorization"]
                super()._answer(effect)
                return
            for _ in self._body():
                pass
            headers = {"WWW-Authenticate": challenge, "Content-Type": "application/json"}
            self._send(Answer(401, headers, b'{"errors": [{"code": "UNAUTHORIZED"}]}'))

        def _record(self, code: int) -> None:
            agent = self.headers.get("User-Agent", "")
            log.append(Logged(self.command, urlsplit(self.path).path, code, agent))

    with faulty(upstream, handler=Guarded) as proxy:
        yield Front(proxy.host, log)
