"""The configured addresses of container daemons, and whether they respond."""

import contextlib
import hashlib
import socket
from collections.abc import Mapping
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from dockless.model.printable import bounded
from dockless.model.reasons import reason
from dockless.oci.untrusted_json import parse_json
from dockless.processes.regular import read_regular
from dockless.sources.docker_daemon import current_context

_USUAL_DOCKER = Path("/var/run/docker.sock")
_CONTAINERD = Path("/run/containerd/containerd.sock")
_OK = 200
_DEFAULT_PORTS = {"tcp": 2375, "http": 2375, "https": 2376}
_TLS_PORT = 2376


class DaemonAddress(Struct, frozen=True):
    """The configured address of a daemon.

    Attributes:
        url: `unix:///path`, `tcp://host:port` or `ssh://host`, without a user or a password.
        origin: Its source, such as `DOCKER_HOST`; empty for the default.
    """

    url: str
    origin: str = ""

    @property
    def path(self) -> Path | None:
        """The socket, where it is one of this machine."""
        return Path(self.url.removeprefix("unix://")) if self.url.startswith("unix://") else None


class Contact(Struct, frozen=True):
    """The result of querying a daemon.

    Attributes:
        state: `answers`; `absent` for a socket that is not there; `denied` without permission;
            `silent` without a response, or with that of another service; `unasked` for an address
            that is not queried from here.
        said: Its message, or the system's.
    """

    state: str
    said: str = ""


def docker_address(environment: Mapping[str, str], home: Path) -> DaemonAddress | str:
    """Return the address of docker's daemon, or why it cannot be determined.

    Args:
        environment: For `DOCKER_HOST`, `DOCKER_CONTEXT` and `DOCKER_CONFIG`.
        home: The user's home.
    """
    if named := environment.get("DOCKER_HOST"):
        return DaemonAddress(_plain(named), "DOCKER_HOST")
    context = current_context(environment)
    if context in ("", "default"):
        return DaemonAddress(f"unix://{_USUAL_DOCKER}")
    folder = Path(environment.get("DOCKER_CONFIG") or home / ".docker")
    # docker's own layout: the folder of a context is named by the SHA-256 of its name
    file = folder / "contexts/meta" / hashlib.sha256(context.encode()).hexdigest() / "meta.json"
    origin = f"the docker context {context!r}"
    try:
        return DaemonAddress(
            _plain(parse_json(read_regular(file))["Endpoints"]["docker"]["Host"]), origin
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{origin} is selected, but {file} has no address for it"


def podman_address(environment: Mapping[str, str]) -> DaemonAddress | None:
    """Return the service that podman is configured to use, if any."""
    named = environment.get("CONTAINER_HOST")
    return DaemonAddress(_plain(named), "CONTAINER_HOST") if named else None


def containerd_address(environment: Mapping[str, str]) -> DaemonAddress:
    """Return where nerdctl looks for containerd."""
    named = environment.get("CONTAINERD_ADDRESS", "")
    path = named.removeprefix("unix://") or str(_CONTAINERD)
    return DaemonAddress(f"unix://{path}", "CONTAINERD_ADDRESS" if named else "")


def contact(address: DaemonAddress, seconds: float, *, ping: bool = True) -> Contact:
    """Query whether a daemon runs; nothing is started, and nothing is changed.

    Args:
        address: Where.
        seconds: How long each step may take.
        ping: Whether it has Docker's API, and is queried with `/_ping`; otherwise it is enough
            that the connection is accepted.
    """
    if address.path is None and not address.url.startswith(("tcp://", "http://", "https://")):
        return Contact("unasked", f"{address.url.partition('://')[0]} is used by the client only")
    try:
        with _connected(address, seconds) as way:
            return _pinged(way) if ping and not _wants_tls(address) else Contact("answers")
    except FileNotFoundError:
        return Contact("absent", "the socket does not exist")
    except PermissionError:
        return Contact("denied", "this user has no permission to open it")
    except TimeoutError:
        return Contact("silent", f"no response there within {seconds:.0f} seconds")
    except (OSError, HTTPException, ValueError) as error:
        return Contact("silent", reason(error))


def _connected(address: DaemonAddress, seconds: float) -> socket.socket:
    if address.path is not None:
        way = socket.socket(socket.AF_UNIX)
        way.settimeout(seconds)
        try:
            way.connect(str(address.path))
        except OSError:
            way.close()
            raise
        return way
    parts = urlsplit(address.url)
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    return socket.create_connection((parts.hostname or "", port), seconds)


def _wants_tls(address: DaemonAddress) -> bool:
    parts = urlsplit(address.url)
    return parts.scheme == "https" or parts.port == _TLS_PORT


def _pinged(way: socket.socket) -> Contact:
    way.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
    answer = HTTPResponse(way)
    with contextlib.closing(answer):
        answer.begin()
        version = answer.headers.get("Api-Version", "")
    if answer.status != _OK or not version:
        return Contact("silent", "the service that listens there is not a Docker daemon")
    return Contact("answers", f"API {bounded(version)}")


def _plain(url: str) -> str:
    """Return a URL without its user part, which may contain a password."""
    scheme, separator, rest = url.rpartition("://")
    return f"{scheme or 'tcp'}://{rest.rpartition('@')[2]}" if separator else f"tcp://{rest}"
