"""Registries of every kind, each open, with a login, and with a token service."""

import contextlib
import itertools
import re
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from bed.process import running
from bed.registry import Login, docker_registry
from bed.tokens import TokenService, token_service
from matrix.fetch import path
from matrix.front import Front, Guard, Logged, basic, bearer, everyone, front
from matrix.versions import Listed

Access = Literal["open", "basic", "token", "token elsewhere"]
ACCESSES: tuple[Access, ...] = ("open", "basic", "token", "token elsewhere")
ELSEWHERE = "127.0.0.9"
"""The token service's address for `token elsewhere`; for `token` it is known by a name."""

_MARK_SECONDS = 20.0
_POLL_SECONDS = 0.02
_ACCESS_LOG = re.compile(
    r'^\S+ - \S+ \[[^]]+\] "(?P<method>[A-Z]+) (?P<path>[^\s?]+)\S* HTTP/[\d.]+" (?P<status>\d{3}) '
    r'\S+ "[^"]*" "(?P<agent>[^"]*)"',
    re.MULTILINE,
)
_marks = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A registry that is running.

    Attributes:
        host: `127.0.0.1:port`.
        access: Who may use it.
        login: The one account; None when it is open.
        realm: The token service; empty where there is none.
        read_log: Returns every request so far.
    """

    host: str
    access: Access
    login: Login | None
    realm: str
    read_log: Callable[[], tuple[Logged, ...]]

    def writes(self, repository: str) -> tuple[Logged, ...]:
        """Return every request that changed a repository, or was to.

        Raises:
            TimeoutError: The log does not show a request that has been answered.
        """
        mark = f"mark/{next(_marks)}"
        request = urllib.request.Request(f"http://{self.host}/v2/", headers={"User-Agent": mark})
        with contextlib.suppress(OSError):  # it may say 401, and is in the log then, too
            urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()
        deadline = time.monotonic() + _MARK_SECONDS
        log = self.read_log()
        while not any(logged.agent == mark for logged in log):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.host} does not log what it was asked")
            time.sleep(_POLL_SECONDS)
            log = self.read_log()
        return tuple(
            logged
            for logged in log
            if logged.path.startswith(f"/v2/{repository}/") and logged.method not in {"GET", "HEAD"}
        )


@contextlib.contextmanager
def server(program: Listed, access: Access, folder: Path, login: Login) -> Iterator[Server]:
    """Run a registry for as long as the block lasts; `folder` exists, and is its own."""
    with contextlib.ExitStack() as stack:
        tokens = None
        if access.startswith("token"):
            address = ELSEWHERE if access == "token elsewhere" else "127.0.0.1"
            tokens = stack.enter_context(token_service(folder, login, address=address))
            if access == "token":
                tokens.realm = tokens.realm.replace(address, "localhost", 1)
        if program.name in {"docker-registry", "registry"}:
            host, log = stack.enter_context(_distribution(program, access, folder, login, tokens))
        else:
            fronted = stack.enter_context(_fronted(program, folder, _guard(access, login, tokens)))
            host, log = fronted.host, lambda: tuple(fronted.log)
        yield Server(
            host=host,
            access=access,
            login=None if access == "open" else login,
            realm=tokens.realm if tokens else "",
            read_log=log,
        )


@contextlib.contextmanager
def _distribution(
    program: Listed, access: Access, folder: Path, login: Login, tokens: TokenService | None
) -> Iterator[tuple[str, Callable[[], tuple[Logged, ...]]]]:
    auth: Mapping[str, Any] | None = tokens.settings() if tokens else None
    with docker_registry(
        folder,
        login=login if access == "basic" else None,
        auth=auth,
        program=path(program),
    ) as running_registry:
        yield running_registry.host, lambda: _read(running_registry.log)


def _read(log: Path) -> tuple[Logged, ...]:
    found = _ACCESS_LOG.finditer(log.read_text(errors="replace"))
    return tuple(
        Logged(line["method"], line["path"], int(line["status"]), line["agent"]) for line in found
    )


def _guard(access: Access, login: Login, tokens: TokenService | None) -> Guard:
    if tokens:
        return bearer(tokens)
    return basic(login) if access == "basic" else everyone


@contextlib.contextmanager
def _fronted(program: Listed, folder: Path, guard: Guard) -> Iterator[Front]:
    """Run a registry that knows no accounts and keeps no access log, and a front that does."""
    storage = folder / "storage"
    storage.mkdir()
    argv: tuple[str | Path, ...]
    if program.name == "crane":
        argv = ("registry", "serve", "--address", "127.0.0.1:0", "--disk", storage)
        said = r"serving on port (\d+)"
    else:
        argv, said = ("--address", "127.0.0.1:0"), r"listening on 127\.0\.0\.1:(\d+)"
    with running((path(program), *argv), folder / "registry.log") as daemon:
        upstream = "127.0.0.1:" + daemon.wait_for(said)[1]
        with front(upstream, guard) as fronted:
            yield fronted


def token_path(realm: str) -> tuple[str, str]:
    """Return the `host:port` and the path of a token service."""
    parts = urlsplit(realm)
    return parts.netloc, parts.path
