"""What went wrong with a request, in dockless's own errors."""

import contextlib
import email.utils
import http.client
import math
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from urllib3 import exceptions

from dockless.errors import NetworkError
from dockless.model.endpoint import Endpoint, TlsRemedies
from dockless.transport.proxy import Proxy, proxy

if TYPE_CHECKING:
    from dockless.transport.peer import Certificate

_LOOK_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 24 * 3600.0


def retry_after(text: str) -> float | None:
    """Return the pause that a registry asks for (RFC 9110, 'Retry-After').

    None for no answer to that: nothing, nonsense, or a moment that has passed.
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = email.utils.parsedate_to_datetime(text)
            seconds = moment.timestamp() - time.time() or -1.0
        except (ValueError, OverflowError, OSError, TypeError, IndexError):
            return None
    if not math.isfinite(seconds) or seconds < 0:
        return None
    return min(seconds, _LONGEST_WAIT_SECONDS)


def _untrusted(
    named: str,
    error: exceptions.SSLError,
    url: str,
    environment: Mapping[str, str],
    endpoint: Endpoint,
) -> NetworkError:
    from dockless.transport.peer import target_of, unverified  # noqa: PLC0415 - rare
    from dockless.transport.tls_errors import tls_error  # noqa: PLC0415 - the same

    def look() -> "Certificate | None":
        return unverified(target_of(url), proxy(url, environment), endpoint.trust, _LOOK_SECONDS)

    # another host, such as a token service, has certificates of its own
    own = endpoint.remedies if _netloc(url) == endpoint.host else TlsRemedies()
    return tls_error(named, error, _reason(error), look, own)


@contextlib.contextmanager
def network_errors(endpoint: Endpoint, url: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Turn what urllib3 raises in the block into dockless's errors.

    Args:
        endpoint: The registry; its client certificate, which servers may require before they show
            their own.
        url: What is asked for, of the registry or of another host.
        environment: Where proxies are named.
    """
    where = named(endpoint.host, url)
    try:
        yield
    except exceptions.SSLError as error:
        raise _untrusted(where, error, url, environment, endpoint) from None
    except exceptions.MaxRetryError as error:
        if isinstance(error.reason, exceptions.SSLError):
            raise _untrusted(where, error.reason, url, environment, endpoint) from None
        raise _unreachable(where, error.reason or error, proxy(url, environment)) from None
    except exceptions.HTTPError as error:
        raise _unreachable(where, error, proxy(url, environment)) from None
    except (ValueError, http.client.HTTPException):
        # urllib3 lets them pass: of a redirect to what is no address, of a header that none can be.
        # Their text is not shown, as a credential may be in it.
        raise NetworkError(
            f"{where} redirects to something that is not a URL, or requires something that cannot "
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


def named(host: str, url: str) -> str:
    """Return the registry's host, and the one of the URL where that is another."""
    where = _netloc(url)
    if where == host:
        return host
    from dockless.model.blotting import blotted  # noqa: PLC0415 - rare

    return f"{host} ({blotted(where)})"


def silent(host: str) -> NetworkError:
    """Return the error for a host that accepts connections and does not respond."""
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
        return silent(host)
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
