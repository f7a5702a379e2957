"""Docker's daemon of this machine, queried on its socket.

That is what `docker save` and `docker image inspect` do, too, but without a program between the
daemon and us: a push takes 6 to 15 % less time, and no client need be installed. The requests are
those of Docker's Engine API, ImageInspect, ImageList and ImageGet.
"""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator, Mapping, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import quote

from dockless.concurrency import seconds_left
from dockless.errors import EngineError, time_is_over
from dockless.model.printable import bounded
from dockless.model.reasons import reason
from dockless.oci.untrusted_json import parse_as, parse_json
from dockless.processes.programs import Programs
from dockless.processes.regular import read_regular
from dockless.processes.run import within_time
from dockless.sources.ahead import read_ahead
from dockless.sources.container_tools import ANSWER_SECONDS, ContainerTool, save_failed
from dockless.sources.known_tools import container_tools
from dockless.sources.local_images import Inspected, LocalImage, is_named, tagged_name
from dockless.storage.blocks import ReadableStream

_USUAL = "/var/run/docker.sock"
_UNIX = "unix://"
_OK, _NOT_FOUND = 200, 404


def tools_here(programs: Programs, environment: Mapping[str, str]) -> tuple[ContainerTool, ...]:
    """Return every tool that may have images on this machine, in the order they are asked."""
    docker, *others = container_tools(programs)
    path, why = usable_socket(environment)
    if path:
        docker = DockerDaemon(path, programs)
    elif why and not docker.available():
        docker = Unreachable(why, programs)
    selected = environment.get("DOCKER_HOST") or current_context(environment)
    docker.is_meant = selected not in ("", "default")
    return (docker, *others)


def usable_socket(environment: Mapping[str, str]) -> tuple[Path | None, str]:
    """Return the socket that docker would use, or why it is left to docker's client.

    It is where another machine's or a context's daemon is meant, or one that this user may not
    reach. The reason is empty where no daemon is configured, and none is at the usual place.
    """
    address, origin = environment.get("DOCKER_HOST"), "DOCKER_HOST names"
    if not address:
        if (context := current_context(environment)) not in ("", "default"):
            return None, f"the context {context!r} is selected"
        address, origin = _UNIX + _USUAL, "its daemon is at"
    if not address.startswith(_UNIX):
        # the address is not shown, as there may be a password in it
        return None, f"{origin} a daemon that is not at a socket of this machine"
    path = Path(address.removeprefix(_UNIX))
    if why := _why_unusable(path):
        absent = origin.startswith("its") and not os.path.lexists(path)
        return None, "" if absent else f"{origin} {path}, {why}"
    return path, ""


def _why_unusable(path: Path) -> str:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"which cannot be opened ({reason(error)})"
    if not stat.S_ISSOCK(mode):
        return "which is not a socket"
    allowed = os.access(path, os.R_OK | os.W_OK)
    return "" if allowed else "for which this user has no permission"


def current_context(environment: Mapping[str, str]) -> str:
    """Return the name of the context that docker would use; empty for none of its own."""
    if named := environment.get("DOCKER_CONTEXT"):
        return named
    folder = environment.get("DOCKER_CONFIG") or Path(environment.get("HOME", "/"), ".docker")
    try:
        return str(
            parse_json(read_regular(Path(folder, "config.json"))).get("currentContext") or ""
        )
    except (OSError, ValueError, AttributeError):
        return ""


class Unreachable(ContainerTool):
    """A daemon of docker that is configured, or at the usual place, and that only a client reaches.

    Args:
        why: Why the daemon cannot be queried on a socket.
        programs: This machine's, which have no client of docker.
    """

    def __init__(self, why: str, programs: Programs) -> None:
        super().__init__("docker", programs)
        self._why = why

    def available(self) -> bool:
        """Whether there is a daemon to ask."""
        return True

    def find(self, names: Sequence[str]) -> LocalImage | None:
        """Raise EngineError: it cannot tell."""
        del names
        raise self._error()

    def find_id(self, digits: str) -> LocalImage | None:
        """Raise EngineError: it cannot tell."""
        del digits
        raise self._error()

    def _error(self) -> EngineError:
        return EngineError(
            f"docker does not respond: {self._why}, and docker's client is not installed.",
            "Correct that, or install the client.",
        )


class DockerDaemon(ContainerTool):
    """Docker, without its client.

    Args:
        path: The daemon's socket.
        programs: This machine's.
    """

    def __init__(self, path: Path, programs: Programs) -> None:
        super().__init__("docker", programs)
        self._path = path

    def available(self) -> bool:
        """Whether there is a daemon to ask."""
        return True

    def find(self, names: Sequence[str]) -> LocalImage | None:
        """Return the first of the named images that the daemon has.

        Raises:
            EngineError: It cannot tell.
        """
        for name in names:
            found = self._image(tagged_name(name))
            # podman's finds an image of any registry by the end of its name
            if found and is_named(name, found.names):
                return self._local(name, found)
        return None

    def _inspected(self, names: Sequence[str]) -> tuple[list[Inspected], str]:
        return [found for name in names if (found := self._image(name))], ""

    def _image(self, name: str) -> Inspected | None:
        status, answer = self._asked_for(f"images/{quote(name)}/json")
        if status == _NOT_FOUND:
            return None
        if status != _OK:
            raise self._silent(_message(answer))
        try:
            found = parse_as(answer, Inspected)
            self.identity(found)
        except ValueError:
            raise self._silent("it sent an unexpected response.") from None
        return found

    def _ids(self) -> Iterator[str]:
        status, answer = self._asked_for("images/json?all=1")
        if status != _OK:
            raise self._silent(_message(answer))
        try:
            for image in parse_as(answer, list[Inspected]):
                yield image.id.removeprefix("sha256:")
        except ValueError:
            raise self._silent("it sent an unexpected response.") from None

    def names(self) -> list[str]:
        """Return the names of the images that the daemon has."""
        with contextlib.suppress(EngineError, ValueError):
            images = parse_as(self._asked_for("images/json")[1], list[Inspected])
            tags = [tag for image in images for tag in image.repo_tags or ()]
            return [tag for tag in tags if "<none>" not in tag]
        return []

    @contextlib.contextmanager
    def save(self, image: LocalImage) -> Iterator[ReadableStream]:
        """Yield the image as the stream that `docker save` writes.

        Raises:
            SourceError: The daemon failed on the way.
        """
        with self._asked(f"images/{image.image_id}/get", None) as answer:
            if answer.status != _OK:
                raise save_failed(self.name, image, _message(answer.read()))
            try:
                with read_ahead(_Arriving(answer)) as stream:
                    yield stream
            except ConnectionError as error:
                raise save_failed(self.name, image, reason(error)) from None

    def _asked_for(self, what: str) -> tuple[int, bytes]:
        with self._asked(what, ANSWER_SECONDS) as answer:
            try:
                return answer.status, answer.read()
            except (OSError, HTTPException) as error:
                raise self._silent(f"its daemon at {self._path} fails: {reason(error)}.") from None

    @contextlib.contextmanager
    def _asked(self, what: str, seconds: float | None) -> Iterator[HTTPResponse]:
        """Yield the daemon's answer, in the daemon's API version."""
        with self._answer("/_ping", ANSWER_SECONDS) as pong:
            version = pong.headers.get("Api-Version")
        if not version:
            raise self._silent(f"the service that listens at {self._path} is not Docker's daemon.")
        with self._answer(f"/v{version}/{what}", seconds) as answer:
            yield answer

    @contextlib.contextmanager
    def _answer(self, target: str, seconds: float | None) -> Iterator[HTTPResponse]:
        with socket.socket(socket.AF_UNIX) as way:
            way.settimeout(within_time(seconds))
            try:
                way.connect(str(self._path))
                # a client of HTTP/1.0 gets the bytes as they are, not in chunks
                way.sendall(f"GET {target} HTTP/1.0\r\nHost: docker\r\n\r\n".encode())
                answer = HTTPResponse(way)
                try:
                    answer.begin()
                except BaseException:
                    answer.close()
                    raise
            except (OSError, HTTPException) as error:
                if seconds_left() == 0:
                    raise time_is_over(f"The response of {self.name}'s daemon") from None
                raise self._silent(f"its daemon at {self._path} fails: {reason(error)}.") from None
            try:
                yield answer
            finally:
                with contextlib.suppress(OSError):
                    way.shutdown(socket.SHUT_RDWR)  # ends a pending read
                answer.close()

    def _silent(self, why: str) -> EngineError:
        return EngineError(
            f"{self.name} does not respond: {why}", "Check that it runs, and push again."
        )


class _Arriving:
    """The body of a response as it arrives; the daemon cleans up before it ends it."""

    def __init__(self, answer: HTTPResponse) -> None:
        self._answer = answer

    def read(self, size: int = -1, /) -> bytes:
        """Return up to `size` available bytes; none at the end."""
        return self._answer.read1(size)


def _message(answer: bytes) -> str:
    try:
        return bounded(str(parse_json(answer)["message"]))
    except (ValueError, KeyError, TypeError):
        return bounded(answer.decode(errors="replace"))
