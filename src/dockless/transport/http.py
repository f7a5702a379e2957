"""HTTP to one registry: connections, certificates, proxies, and errors."""

import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from urllib.parse import urljoin, urlsplit

import urllib3
from msgspec import Struct
from msgspec.structs import replace
from urllib3 import exceptions

from dockless.errors import NetworkError, ServerError, out_of_time
from dockless.model.endpoint import Endpoint
from dockless.oci.manifest import LONGEST_MANIFEST
from dockless.transport.bodies import Body, BodySink, inflated, is_repeatable
from dockless.transport.deadline import POOLS, Limit, limited
from dockless.transport.endpoints import CONNECT_SECONDS
from dockless.transport.http_errors import named, network_errors, retry_after, silent
from dockless.transport.origins import check_destination, is_typed, origin, shown
from dockless.transport.proxy import Proxy, proxy
from dockless.transport.request_slots import RequestSlots
from dockless.transport.tls import ssl_context
from dockless.version import __version__

CONNECTIONS = 8
_AGENT = f"dockless/{__version__}"
_requests_log = logging.getLogger("dockless.requests")
_OK, _FAILED = 200, 500
_SENT_ON = range(300, 400)
_PIECE = 1 << 20
_BUSY = frozenset({429, 503})
_PASSING = frozenset({408, 425, 429, _FAILED, 502, 503, 504})
_NO_RETRIES = urllib3.Retry(total=None, connect=0, read=0, redirect=False, status=0, other=0)


class Response(Struct, frozen=True, kw_only=True):
    """A registry's response.

    Attributes:
        status: The HTTP status.
        headers: The headers, found whatever their case.
        body: The body; at most one byte more than a manifest may have.
        via: The URLs of the redirects, in order; the last one responded.
        url: The URL that responded.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    via: tuple[str, ...] = ()
    url: str = ""

    @property
    def location(self) -> str:
        """Where its Location leads, which may be relative to the URL that responded; or nothing."""
        location = self.headers.get("Location", "")
        try:
            return urljoin(self.url, location) if location else ""
        except ValueError:  # of a host in brackets, or of a port
            return location


def header_lines(headers: Mapping[str, str], name: str) -> list[str]:
    """Return the value of each header of a name, in their order."""
    if isinstance(headers, urllib3.HTTPHeaderDict):
        return headers.getlist(name)
    return [headers[name]] if name in headers else []


LogResponse = Callable[[int, Mapping[str, str]], object]


class Request(Struct, frozen=True, kw_only=True):
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

    Attributes:
        slots: How many requests the registry may get at once.
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
        self.slots = RequestSlots()
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
        sink: BodySink | None = None,
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
        request = Request(method=method, url=url, headers=headers or {}, body=body)
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

    def _ask_once(self, request: Request, sink: BodySink | None) -> Response:
        if not request.url.startswith(f"{self.endpoint.url}/"):  # a token service, or a storage
            return self._asked(request, sink)
        while True:
            with self.slots.taken(self.endpoint.host, self._until) as slot:
                try:
                    return self._asked(request, sink)
                except NetworkError as error:
                    again = error.busy and error.retry_after is None and is_repeatable(request.body)
                    if not (again and slot.was_too_many()):
                        raise

    def _asked(self, request: Request, sink: BodySink | None) -> Response:
        if not _requests_log.isEnabledFor(logging.DEBUG):
            return self._exchange(request, sink)
        from dockless.transport.request_log import logged  # noqa: PLC0415 - for --debug only

        with logged(request.method, request.url, request.headers) as log_response:
            return self._exchange(request, sink, log_response)

    def _exchange(
        self, request: Request, sink: BodySink | None, log_response: LogResponse | None = None
    ) -> Response:
        method, url = request.method, request.url
        check_destination(url, self.endpoint)
        limit = Limit(self._until)
        left = limit.sending()
        if left <= 0:
            raise self._late()
        with (
            self._timely(),
            network_errors(self.endpoint, url, self._environment),
            limited(limit),
        ):
            response = self._pool(url).request(
                method,
                url,
                headers={"User-Agent": _AGENT, **request.headers},
                body=request.body,
                timeout=urllib3.Timeout(connect=min(left, CONNECT_SECONDS), read=left),
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
            raise self._passing(method, url, response)
        return Response(status=response.status, headers=response.headers, body=data, url=url)

    def _passing(self, method: str, url: str, response: urllib3.BaseHTTPResponse) -> NetworkError:
        """Return the error of a status after which another try may succeed."""
        from dockless.model.blotting import blotted  # noqa: PLC0415 - rare
        from dockless.model.printable import bounded  # noqa: PLC0415 - rare

        kind = ServerError if response.status == _FAILED else NetworkError
        said = bounded(f"{response.status} {blotted(response.reason or '')}".rstrip())
        path = blotted(urlsplit(url).path)
        return kind(
            f"{self._named(url)} responds with {said} to {method} of {path}.",
            "The registry is overloaded or has an error; try again later.",
            retry_after=retry_after(response.headers.get("Retry-After", "")),
            busy=response.status in _BUSY,
        )

    def _late(self) -> NetworkError:
        host = self.endpoint.host
        return out_of_time(host) if self._by_option else silent(host)

    @contextlib.contextmanager
    def _timely(self) -> Iterator[None]:
        """Report the time limit, where that is why the network failed."""
        try:
            yield
        except NetworkError:
            if self._by_option and self._until is not None and time.monotonic() >= self._until:
                raise out_of_time(self.endpoint.host) from None
            raise

    def _read(
        self, response: urllib3.BaseHTTPResponse, sink: BodySink | None, limit: Limit
    ) -> bytes:
        if sink is None or response.status != _OK:
            data = response.read(LONGEST_MANIFEST + 1)
            if len(data) <= LONGEST_MANIFEST:
                # read with a size, unlike without one, takes a body that was cut as it is
                if response.status == _OK and response.length_remaining:
                    raise exceptions.IncompleteRead(len(data), response.length_remaining)
                response.release_conn()
            return inflated(data, response.headers.get("Content-Encoding", ""))
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
            manager = manager_for(proxy(url, self._environment))
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
        return named(self.endpoint.host, url)


def manager_for(via: Proxy | None) -> Callable[..., urllib3.PoolManager]:
    """Return what makes the connections through a proxy, or without one."""
    if via is None:
        return urllib3.PoolManager
    if via.credential:
        from dockless.model.secret import Secret, remember_secret  # noqa: PLC0415 - proxies only

        for each in (via.credential, via.credential.partition(":")[2]):
            remember_secret(Secret(each))
    who = urllib3.make_headers(proxy_basic_auth=via.credential) if via.credential else None
    return partial(urllib3.ProxyManager, via.url, proxy_headers=who)
