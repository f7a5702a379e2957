"""Read a file over HTTP, under time limits."""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from urllib.parse import unquote

import urllib3

from dockless.errors import NetworkError
from dockless.model.reasons import reason
from dockless.transport.deadline import POOLS, Limit, TimedTls, limited

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
_TOTAL_SECONDS = 300.0
_CHUNK = 1 << 16


def client(environment: Mapping[str, str], host: str) -> urllib3.PoolManager:
    """Return an HTTP client for a host, through the proxy that the environment names for it.

    Raises:
        NetworkError: The proxy's address is invalid.
    """
    proxy = environment.get("https_proxy") or environment.get("HTTPS_PROXY")
    exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if not proxy or _is_exempt(host, exempt):
        return _timed(urllib3.PoolManager())
    try:
        address = urllib3.util.parse_url(proxy if "://" in proxy else f"http://{proxy}")
        headers = urllib3.make_headers(proxy_basic_auth=unquote(address.auth or "") or None)
        return _timed(urllib3.ProxyManager(address.url, proxy_headers=headers))
    except urllib3.exceptions.HTTPError:
        # The value is not shown: it may hold a password.
        raise NetworkError(
            "The https_proxy of the environment is not the address of a proxy."
        ) from None


def _timed(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    """Return a manager whose connections observe limits of time."""
    context = ssl.create_default_context()
    context.sslsocket_class = TimedTls
    manager.connection_pool_kw["ssl_context"] = context
    manager.pool_classes_by_scheme = POOLS
    return manager


def _is_exempt(host: str, exempt: str) -> bool:
    """Whether a host is in `no_proxy`: comma-separated domains, or `*`."""
    domains = [domain.strip().lstrip(".") for domain in exempt.split(",") if domain.strip()]
    return any(domain == "*" or f".{host}".endswith(f".{domain}") for domain in domains)


def fetch(
    http: urllib3.PoolManager,
    url: str,
    *,
    seconds: float = _TOTAL_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[bytes]:
    """Yield a file's bytes as they come.

    Args:
        http: The client.
        url: Where the file is; redirects are followed.
        seconds: How long the whole download may take.
        clock: Seconds that only go up.

    Raises:
        NetworkError: The file cannot be downloaded, is truncated, or takes too long.
    """
    end = clock() + seconds
    limits = urllib3.Timeout(connect=_CONNECT_SECONDS, read=min(_SILENCE_SECONDS, seconds))
    retries = urllib3.Retry(connect=1, read=0, redirect=5)
    try:
        with (
            limited(Limit(time.monotonic() + seconds)) as limit,
            http.request(
                "GET", url, preload_content=False, timeout=limits, retries=retries
            ) as response,
        ):
            limit.begin_body()
            if response.status != HTTPStatus.OK:
                raise NetworkError(f"{url} cannot be downloaded: HTTP status {response.status}.")
            # read1, unlike read, returns what has come: a slow server cannot outwit the clock.
            while chunk := response.read1(_CHUNK):
                if clock() > end:
                    raise NetworkError(f"{url} took more than {seconds:.0f} seconds.")
                yield chunk
    except urllib3.exceptions.HTTPError as error:
        raise NetworkError(f"{url} cannot be downloaded: {reason(error)}.") from None
