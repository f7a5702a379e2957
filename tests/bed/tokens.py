"""A token service for docker-registry, by the distribution token specification (RS256)."""

import base64
import contextlib
import json
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from bed.certificates import Certificates, self_signed
from bed.registry import Login
from bed.serving import serving

SERVICE, ISSUER = "the bed's registry", "the bed's token service"
IDENTITY_TOKEN = "an identity token of the bed"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for a token.

    Attributes:
        method: `GET`, or `POST` for OAuth2.
        user: Who asked; empty for nobody, `<token>` for an identity token.
        scope: What for; empty for a login alone.
    """

    method: str
    user: str
    scope: str


@dataclass
class TokenService:
    """A token service that is running.

    Attributes:
        realm: Its URL.
        bundle: The certificate that its tokens are checked with.
        login: The one account.
        seconds: How long the next tokens live.
        says_seconds: What it says of that; None to say nothing.
        may: What the account may do to any repository.
        guests: What anybody may do to any repository.
        asked: Every request.
    """

    realm: str
    bundle: Path
    login: Login
    seconds: int = 300
    says_seconds: int | None = 300
    may: frozenset[str] = frozenset({"pull", "push"})
    guests: frozenset[str] = frozenset()
    asked: list[Asked] = field(default_factory=list)

    def settings(self) -> dict[str, Any]:
        """Return the `auth` section of the registry's configuration."""
        return {
            "token": {
                "realm": self.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": str(self.bundle),
            }
        }


@contextlib.contextmanager
def token_service(
    folder: Path,
    login: Login,
    certificates: Certificates | None = None,
    address: str = "127.0.0.1",
) -> Iterator[TokenService]:
    """Run a token service on a loopback address while the block lasts, with TLS if asked for."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    certificate = self_signed(key)
    bundle = folder / "tokens.crt"
    bundle.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    server = ThreadingHTTPServer((address, 0), BaseHTTPRequestHandler)
    scheme = "http"
    if certificates:
        scheme = "https"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server, certificates.server_key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    realm = f"{scheme}://{address}:{server.server_address[1]}/token"
    service = TokenService(realm, bundle, login)
    server.RequestHandlerClass = _handler(service, _Signer(key, certificate))
    with serving(server):
        yield service


@dataclass(frozen=True, slots=True)
class _Signer:
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    def token(self, user: str, access: list[dict[str, object]], seconds: int) -> str:
        now = int(time.time())
        der = self.certificate.public_bytes(serialization.Encoding.DER)
        header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "iat": now,
            "nbf": now - 10,
            # docker-registry takes a token for a minute longer than it says
            "exp": now + seconds - 60,
            "jti": str(time.monotonic_ns()),
            "access": access,
        }
        signed = f"{_segment(header)}.{_segment(claims)}"
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_base64(signature)}"


def _segment(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _handler(service: TokenService, signer: _Signer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            user, password = _basic(self.headers.get("Authorization", ""))
            known = not user or (user, password) == service.login
            self._answer(user, query.get("scope", [""])[0], known=known)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            refreshed = form.get("refresh_token") == IDENTITY_TOKEN
            given = (form.get("username", ""), form.get("password", ""))
            user = "<token>" if refreshed else given[0]
            self._answer(user, form.get("scope", ""), known=refreshed or given == service.login)

        def _answer(self, user: str, scope: str, *, known: bool) -> None:
            service.asked.append(Asked(self.command, user, scope))
            if not known:
                self._send(401, {"errors": [{"code": "UNAUTHORIZED", "message": "who?"}]})
                return
            access = list(_granted(scope, service.may if user else service.guests))
            token = signer.token(user, access, service.seconds)
            name = "access_token" if self.command == "POST" else "token"
            says = service.says_seconds
            self._send(200, {name: token} | ({"expires_in": says} if says is not None else {}))

        def _send(self, status: int, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet: what was asked is in `asked`."""

    return Handler


def _basic(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    user, _, password = base64.b64decode(encoded).decode().partition(":")
    return user, password


def _granted(scope: str, may: frozenset[str]) -> Iterator[dict[str, object]]:
    for one in scope.split():
        kind, name, actions = one.split(":", 2)
        yield {
            "type": kind,
            "name": name,
            "actions": [action for action in actions.split(",") if action in may],
        }
