"""Read a file over HTTP, under time limits."""

import contextlib
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from urllib.parse import urljoin

import urllib3

from dockless.errors import NetworkError
from dockless.model.reasons import reason
from dockless.transport.deadline import POOLS, Limit, TimedTls, limited
from dockless.transport.http import manager_for
from dockless.transport.proxy import proxy

_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 30.0
_TOTAL_SECONDS = 300.0
_CHUNK = 1 << 16
_MOST_REDIRECTS = 5


def client(environment: Mapping[str, str], url: str) -> urllib3.PoolManager:
    """Return an HTTP client for a URL, through the proxy that the environment names for it.

    Raises:
        NetworkError: The proxy is of an unknown kind.
        UsageError: The variable that names the proxy has no URL in it.
    """
    context = ssl.create_default_context()
    context.sslsocket_class = TimedTls
    try:
        manager = manager_for(proxy(url, environment))(ssl_context=context)
    except urllib3.exceptions.HTTPError:
        # The value is not shown: it may hold a password.
        raise NetworkError(
            "The https_proxy of the environment is not the address of a proxy."
        ) from None
    manager.pool_classes_by_scheme = POOLS
    return manager


def fetch(
    client_for: Callable[[str], urllib3.PoolManager],
    url: str,
    *,
    seconds: float = _TOTAL_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[bytes]:
    """Yield a file's bytes as they come.

    Args:
        client_for: Returns the client for a URL: that of the file, and of each redirect.
        url: Where the file is; redirects are followed.
        seconds: How long the whole download may take.
        clock: Seconds that only go up.

    Raises:
        NetworkError: The file cannot be downloaded, is truncated, or takes too long.
    """
    end = clock() + seconds
    timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=min(_SILENCE_SECONDS, seconds))
    try:
        with (
            limited(Limit(time.monotonic() + seconds)) as limit,
            _response(client_for, url, timeout) as response,
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


@contextlib.contextmanager
def _response(
    client_for: Callable[[str], urllib3.PoolManager], url: str, timeout: urllib3.Timeout
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Yield the response at the end of the redirects."""
    retries, place = urllib3.Retry(connect=1, read=0, redirect=False), url
    for _ in range(_MOST_REDIRECTS + 1):
        with (
            client_for(place) as http,
            http.request(
                "GET",
                place,
                preload_content=False,
                timeout=timeout,
                retries=retries,
                redirect=False,
            ) as response,
        ):
            location = response.get_redirect_location()
            if not location:
                yield response
                return
            place = urljoin(place, location)
    raise NetworkError(f"{url} cannot be downloaded: more than {_MOST_REDIRECTS} redirects.")
