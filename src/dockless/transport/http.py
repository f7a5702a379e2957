"""HTTP to one registry: connections, certificates, proxies, and errors."""

import contextlib
import email.utils
import http.client
import logging
import math
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from msgspec import Struct
from msgspec.structs import replace
from urllib3 import exceptions

from dockless.errors import NetworkError, ServerError, UsageError, out_of_time
from dockless.model.endpoint import Endpoint, Trust, is_loopback
from dockless.oci.manifest import LONGEST_MANIFEST
from dockless.transport.deadline import POOLS, Limit, TimedTls, limited
from dockless.transport.origins import check_destination, is_typed, origin, shown
from dockless.transport.proxy import Proxy, proxy
from dockless.version import __version__

CONNECTIONS = 8
_AGENT = f"dockless/{__version__}"
_requests_log = logging.getLogger("dockless.requests")
_CONNECT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 24 * 3600.0
_OK, _FAILED = 200, 500
_SENT_ON = range(300, 400)
_PIECE = 1 << 20
_BUSY = frozenset({429, 503})
_PASSING = frozenset({408, 425, 429, _FAILED, 502, 503, 504})
_NO_RETRIES = urllib3.Retry(total=None, connect=0, read=0, redirect=False, status=0, other=0)


class Response(Struct, frozen=True):
    """A registry's response.

    Attributes:
        status: The HTTP status.
        headers: The headers, found whatever their case.
        body: The body; at most one byte more than a manifest may have.
        via: The URLs of the redirects, in order; the last one responded.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    via: tuple[str, ...] = ()


def header_lines(headers: Mapping[str, str], name: str) -> list[str]:
    """Return the value of each header of a name, in their order."""
    if isinstance(headers, urllib3.HTTPHeaderDict):
        return headers.getlist(name)
    return [headers[name]] if name in headers else []


Body = bytes | Iterable[bytes] | None
Sink = Callable[[bytes], object]
LogResponse = Callable[[int, Mapping[str, str]], object]


class Request(Struct, frozen=True):
    """One request.

    Attributes:
        method: The HTTP method.
        url: The URL.
        headers: Headers in addition to those of every request.
        body: What is sent along.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: Body = None


class HttpClient:
    """The connections to one endpoint, and to the token service that it names.

    Args:
        endpoint: The registry.
        environment: Where proxies are named (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`).
        until: The moment, on the clock of `time.monotonic`, when waiting ends; None for none.
        connections: How many connections to one host there may be at once.
        by_option: Whether `until` comes from `--timeout`, which an error about it then names.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        environment: Mapping[str, str],
        until: float | None = None,
        connections: int = CONNECTIONS,
        *,
        by_option: bool = True,
    ) -> None:
        self.endpoint = endpoint
        self._connections = connections
        self._until = until
        self._by_option = by_option
        self._environment = environment
        self._pools: dict[str, urllib3.PoolManager] = {}

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        sink: Sink | None = None,
    ) -> Response:
        """Send one request, and follow its redirects.

        Each further URL goes through the proxy of its own, and gets no secret that is not for it.

        Args:
            method: The HTTP method.
            url: The URL.
            headers: Further headers.
            body: What is sent along.
            sink: Gets the body of an answer 200 in pieces, in place of the answer.

        Raises:
            NetworkError: There was no response, or it is an error of the registry.
            StrayError: It leads to a link-local address.
            AuthError: A secret in the body would be sent to another host.
        """
        request = Request(method, url, headers or {}, body)
        via: tuple[str, ...] = ()
        while True:
            response = self._ask_once(request, sink)
            location = response.headers.get("Location", "")
            if response.status not in _SENT_ON or not location:
                return replace(response, via=via) if via else response
            from dockless.transport.redirects import MOST_REDIRECTS, sent_on  # noqa: PLC0415 - rare

            following = sent_on(request, response.status, location)
            if following is None:
                return replace(response, via=via)
            if len(via) == MOST_REDIRECTS:
                raise NetworkError(
                    f"{self._named(url)} redirects more than {MOST_REDIRECTS} times, the last "
                    f"time from {shown(request.url)}.",
                    passing=False,
                )
            request, via = following, (*via, following.url)

    def close(self) -> None:
        """Close the connections that are open; the next request opens new ones."""
        for pool in list(self._pools.values()):
            pool.clear()

    def _ask_once(self, request: Request, sink: Sink | None) -> Response:
        if not _requests_log.isEnabledFor(logging.DEBUG):
            return self._exchange(request, sink)
        from dockless.transport.request_log import logged  # noqa: PLC0415 - for --debug only

        with logged(request.method, request.url, request.headers) as log_response:
            return self._exchange(request, sink, log_response)

    def _exchange(
        self, request: Request, sink: Sink | None, log_response: LogResponse | None = None
    ) -> Response:
        method, url = request.method, request.url
        check_destination(url, self.endpoint)
        limit = Limit(self._until)
        left = limit.sending()
        if left <= 0:
            raise self._late()
        with (
            self._timely(),
            _network_errors(self.endpoint.host, url, self._environment),
            limited(limit),
        ):
            response = self._pool(url).request(
                method,
                url,
                headers={"User-Agent": _AGENT, **request.headers},
                body=request.body,
                timeout=urllib3.Timeout(connect=min(left, _CONNECT_SECONDS), read=left),
                retries=_NO_RETRIES,
                redirect=False,
                preload_content=False,
                # we ask for none, and what is inflated has no bound
                decode_content=False,
            )
            if log_response:
                log_response(response.status, response.headers)
            limit.begin_body()
            with contextlib.closing(response):
                data = self._read(response, sink, limit)
        if response.status in _PASSING:
            kind = ServerError if response.status == _FAILED else NetworkError
            from dockless.model.blotting import blotted  # noqa: PLC0415 - rare

            said = f"{response.status} {blotted(response.reason or '')}".rstrip()
            raise kind(
                f"{self._named(url)} responds with {said} to {method} of {urlsplit(url).path}.",
                "The registry is overloaded or has an error; try again later.",
                retry_after=_seconds(response.headers.get("Retry-After", "")),
                busy=response.status in _BUSY,
            )
        return Response(response.status, response.headers, data)

    def _late(self) -> NetworkError:
        host = self.endpoint.host
        return out_of_time(host) if self._by_option else _silent(host)

    @contextlib.contextmanager
    def _timely(self) -> Iterator[None]:
        """Report the time limit, where that is why the network failed."""
        try:
            yield
        except NetworkError:
            if self._by_option and self._until is not None and time.monotonic() >= self._until:
                raise out_of_time(self.endpoint.host) from None
            raise

    def _read(self, response: urllib3.BaseHTTPResponse, sink: Sink | None, limit: Limit) -> bytes:
        if sink is None or response.status != _OK:
            data = response.read(LONGEST_MANIFEST + 1)
            if len(data) <= LONGEST_MANIFEST:
                # read with a size, unlike without one, takes a body that was cut as it is
                if response.status == _OK and response.length_remaining:
                    raise exceptions.IncompleteRead(len(data), response.length_remaining)
                response.release_conn()
            return _plain(data, response.headers.get("Content-Encoding", ""))
        # read1, unlike read, returns what has come: a slow server cannot outwit the deadline
        while piece := response.read1(_PIECE):
            if self._until is not None and time.monotonic() > self._until:
                raise self._late()
            with limit.paused():
                sink(piece)
        response.release_conn()
        return b""

    def _pool(self, url: str) -> urllib3.PoolManager:
        parts = urlsplit(url)
        key = f"{parts.scheme}://{parts.netloc}"
        if key not in self._pools:
            secure = self._tls() if parts.scheme == "https" else None
            manager = _manager(proxy(url, self._environment))
            pool = manager(maxsize=self._connections, block=True, ssl_context=secure)
            pool.pool_classes_by_scheme = POOLS
            place = origin(url)
            if place and not is_typed(place, self.endpoint):
                from dockless.transport.connections import guard  # noqa: PLC0415 - rare

                guard(pool, place, self.endpoint)
            self._pools[key] = pool
        return self._pools[key]

    def _tls(self) -> ssl.SSLContext:
        return ssl_context(self.endpoint.trust, self._environment)

    def _named(self, url: str) -> str:
        """Return the registry's host, and the one of the URL where that is another."""
        return _named(self.endpoint.host, url)


def _plain(data: bytes, encoding: str) -> bytes:
    """Return a document as it was before a server that was not asked to compressed it."""
    if encoding.lower() not in ("gzip", "x-gzip"):
        return data
    import zlib  # noqa: PLC0415 - rare

    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, LONGEST_MANIFEST + 1)
    except zlib.error:
        return data


def _manager(via: Proxy | None) -> Callable[..., urllib3.PoolManager]:
    if via is None:
        return urllib3.PoolManager
    if via.credential:
        from dockless.model.secret import Secret, remember_secret  # noqa: PLC0415 - proxies only

        for each in (via.credential, via.credential.partition(":")[2]):
            remember_secret(Secret(each))
    who = urllib3.make_headers(proxy_basic_auth=via.credential) if via.credential else None
    return partial(urllib3.ProxyManager, via.url, proxy_headers=who)


def reach(
    host: str,
    *,
    insecure: bool,
    trust: Trust,
    seconds: float = _CONNECT_SECONDS,
    until: float | None = None,
) -> Endpoint:
    """Return how to reach a registry.

    TLS, unless `insecure` is set. A registry on this machine that does not use TLS is
    reached without, as docker does; one that does not respond in time counts as without TLS.

    Args:
        host: The registry.
        insecure: Whether to use plain HTTP.
        trust: The certificates to trust; others than the system's are for TLS alone.
        seconds: How long a registry on this machine may take to greet in TLS.
        until: The moment, on the clock of `time.monotonic`, when all waiting ends; None for none.
    """
    if insecure or trust != Trust() or not is_loopback(host):
        return Endpoint(host, insecure, trust)
    end = min(time.monotonic() + seconds, math.inf if until is None else until)
    return Endpoint(host, plain_http=not _speaks_tls(host, end))


def _speaks_tls(host: str, end: float) -> bool:
    """Whether a host answers a greeting in TLS before a moment on the clock of `time.monotonic`."""
    parts = urlsplit(f"//{host}")
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname = False
    unverified.verify_mode = ssl.CERT_NONE
    try:
        with _connected(parts.hostname or "", parts.port or 443, end) as line:
            line.settimeout(_left(end))
            with unverified.wrap_socket(line):
                return True
    except OSError:
        return False


def _connected(host: str, port: int, end: float) -> socket.socket:
    """Connect to the first address of a host that can be reached before a moment.

    Raises:
        OSError: None can.
    """
    reason: OSError = TimeoutError("timed out")
    for *_, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return socket.create_connection(address[:2], _left(end))  # type: ignore[arg-type] # as AF_INET and AF_INET6 have it
        except OSError as error:
            reason = error
    raise reason


def _left(end: float) -> float:
    """Return the seconds that are left until a moment.

    Raises:
        TimeoutError: None are.
    """
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def ssl_context(trust: Trust, environment: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """Return the TLS settings: the system's authorities and these.

    Args:
        trust: Further authorities, and a client certificate.
        environment: Where `SSL_CERT_FILE` and `SSL_CERT_DIR` stand in for the system's; None for
            that of the process, which is what OpenSSL reads.
    """
    context = _default_context(environment)
    context.sslsocket_class = TimedTls
    try:
        for path in trust.ca_files:
            context.load_verify_locations(path)
        if trust.client_cert:
            context.load_cert_chain(trust.client_cert, trust.client_key)
    except (OSError, ssl.SSLError) as error:
        from dockless.model.reasons import reason  # noqa: PLC0415 - rare

        named = ", ".join(map(str, filter(None, (*trust.ca_files, trust.client_cert))))
        raise UsageError(
            f"The certificates in {named} cannot be used: {reason(error)}.",
            "Give PEM files with --ca-file or --cert-dir.",
        ) from None
    return context


def _seconds(retry_after: str) -> float | None:
    """Return the pause that a registry asks for (RFC 9110, 'Retry-After').

    None for no answer to that: nothing, nonsense, or a moment that has passed.
    """
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(retry_after)
            seconds = moment.timestamp() - time.time() or -1.0
        except (ValueError, OverflowError, OSError, TypeError, IndexError):
            return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return min(seconds, _LONGEST_WAIT_SECONDS)


def _untrusted(named: str, error: exceptions.SSLError) -> NetworkError:
    from dockless.transport.tls_errors import tls_error  # noqa: PLC0415 - rare

    return tls_error(named, error, _reason(error))


@contextlib.contextmanager
def _network_errors(host: str, url: str, environment: Mapping[str, str]) -> Iterator[None]:
    named = _named(host, url)
    try:
        yield
    except exceptions.SSLError as error:
        raise _untrusted(named, error) from None
    except exceptions.MaxRetryError as error:
        if isinstance(error.reason, exceptions.SSLError):
            raise _untrusted(named, error.reason) from None
        raise _unreachable(named, error.reason or error, proxy(url, environment)) from None
    except exceptions.HTTPError as error:
        raise _unreachable(named, error, proxy(url, environment)) from None
    except (ValueError, http.client.HTTPException):
        # urllib3 lets them pass: of a redirect to what is no address, of a header that none can be.
        # Their text is not shown, as a credential may be in it.
        raise NetworkError(
            f"{named} redirects to something that is not a URL, or requires something that cannot "
            "be sent.",
            "Check the host and port, and proxies on the way.",
            passing=False,
        ) from None


def _netloc(url: str) -> str:
    """Return a URL's host and port; empty for what is no URL, which an answer may name."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _named(host: str, url: str) -> str:
    where = _netloc(url)
    return host if where == host else f"{host} ({where})"


def _silent(host: str) -> NetworkError:
    return NetworkError(
        f"{host} accepts connections but does not respond in time.",
        "Check that a registry listens on this port, and proxies and firewalls on the way.",
    )


def _unreachable(host: str, error: Exception, via: Proxy | None) -> NetworkError:
    if isinstance(error, exceptions.ProxyError) and via:
        return NetworkError(
            f"The proxy {via.url} does not reach {host}: {_reason(error.original_error)}.",
            "Check that the proxy runs, or correct or unset HTTPS_PROXY and HTTP_PROXY.",
        )
    if isinstance(error, exceptions.ReadTimeoutError):
        return _silent(host)
    if isinstance(error, exceptions.NameResolutionError):
        temporary = "Temporary failure" in str(error)
        return NetworkError(
            f"There is no host {host}: its name cannot be resolved.",
            "Check the name, and whether this machine can reach it.",
            passing=temporary,
        )
    if isinstance(error, exceptions.LocationParseError):
        return NetworkError(f"{host} is not a reachable host.", passing=False)
    return NetworkError(
        f"{host} cannot be reached: {_reason(error)}.",
        "Check that the registry runs, and the network and proxies on the way.",
    )


def _reason(error: Exception) -> str:
    late = isinstance(error, exceptions.ConnectTimeoutError | exceptions.ReadTimeoutError)
    # urllib3 counts a refused connection among the timeouts
    if late and not isinstance(error, exceptions.NewConnectionError):
        return "it does not respond in time"
    from dockless.model.blotting import blotted  # noqa: PLC0415 - the same
    from dockless.model.reasons import reason  # noqa: PLC0415 - rare

    return blotted(reason(error))


def _default_context(environment: Mapping[str, str] | None) -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    named = (paths.openssl_cafile_env, paths.openssl_capath_env)
    if environment is None or any(name in environment for name in named):
        return ssl.create_default_context()
    file, folder = Path(paths.openssl_cafile), Path(paths.openssl_capath)
    return ssl.create_default_context(
        cafile=file if file.is_file() else None, capath=folder if folder.is_dir() else None
    )
