"""Registries on loopback: Debian's docker-registry, and the one inside crane."""

import base64
import contextlib
import json
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml

from bed.certificates import Certificates
from bed.process import output, running
from bed.tools import crane

_ACCESS = re.compile(
    r'^\S+ - \S+ \[[^]]+\] "(?P<method>[A-Z]+) (?P<path>\S+) HTTP/[\d.]+" (?P<status>\d{3}) ',
    re.MULTILINE,
)
_WRITE = re.compile(
    r'"(?:POST|PUT|PATCH|DELETE) (?P<path>\S+) HTTP/[\d.]+" \d{3} \d+ "[^"]*" "(?P<agent>[^"/ ]*)'
)


class Login(NamedTuple):
    """An account of a registry."""

    username: str
    password: str


class Request(NamedTuple):
    """One request as the registry's access log has it."""

    method: str
    path: str
    status: int


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry that is running.

    Attributes:
        host: `127.0.0.1:port`.
        storage: The folder that holds its blobs.
        log: What it wrote.
        folder: Holds `config.json`, which logs in there, for `DOCKER_CONFIG` or `--authfile`.
        login: The one account; None when everyone may do everything.
        certificates: The certificates for TLS; None for plain HTTP.
        tells_requests: Whether its log is an access log.
    """

    host: str
    storage: Path
    log: Path
    folder: Path
    login: Login | None = None
    certificates: Certificates | None = None
    tells_requests: bool = True

    @property
    def ca_file(self) -> Path:
        """The authority's certificate.

        Raises:
            LookupError: The registry uses plain HTTP.
        """
        if self.certificates is None:
            raise LookupError(f"{self.host} speaks plain HTTP")
        return self.certificates.ca

    def requests(self) -> tuple[Request, ...]:
        """Return every request so far; one that has just been answered may still be missing.

        Raises:
            LookupError: This registry keeps no access log.
        """
        if not self.tells_requests:
            raise LookupError(f"{self.host} keeps no access log")
        found = _ACCESS.finditer(self.log.read_text(errors="replace"))
        return tuple(Request(line["method"], line["path"], int(line["status"])) for line in found)

    def writers(self, path: str = "") -> frozenset[str]:
        """Return who has sent requests that write, by the first word of the User-Agent.

        Args:
            path: A regular expression that is searched in the path of the request.
        """
        found = _WRITE.finditer(self.log.read_text(errors="replace"))
        return frozenset(line["agent"] for line in found if re.search(path, line["path"]))

    def skopeo_options(self, side: Literal["src", "dest"]) -> tuple[str, ...]:
        """Return what `skopeo copy` needs to speak to it, never a password."""
        options = [f"--{side}-authfile={self.folder / 'config.json'}"]
        if self.certificates is None:
            options.append(f"--{side}-tls-verify=false")
        else:
            options.append(f"--{side}-cert-dir={self.certificates.folder}")
        return tuple(options)

    def crane_environment(self) -> dict[str, str]:
        """Return the environment in which crane can speak to it; client certificates it cannot."""
        environment = {"HOME": str(self.folder), "DOCKER_CONFIG": str(self.folder)}
        if self.certificates is not None:
            environment["SSL_CERT_FILE"] = str(self.certificates.ca)
        return environment


@contextlib.contextmanager
def docker_registry(
    folder: Path,
    *,
    login: Login | None = None,
    certificates: Certificates | None = None,
    client_certificate: bool = False,
    auth: Mapping[str, Any] | None = None,
    address: str = "127.0.0.1",
    readonly: bool = False,
    program: str | Path = "docker-registry",
) -> Iterator[Registry]:
    """Run Debian's docker-registry for as long as the block lasts.

    Args:
        folder: A folder that exists, for its storage, configuration and log.
        login: The one account that may use it.
        certificates: Makes it speak TLS.
        client_certificate: Whether a client must show a certificate of the same authority.
        auth: The registry's `auth` section, in place of a file with the login.
        readonly: Whether it takes nothing new.
        program: The registry; another version of it, or Debian's.
        address: The address that it listens on, on a free port unless it names one.
    """
    bound = address if ":" in address else f"{address}:0"
    http: dict[str, Any] = {"addr": bound, "secret": "the same for every upload"}
    if certificates:
        http["tls"] = {"certificate": str(certificates.server), "key": str(certificates.server_key)}
        if client_certificate:
            http["tls"]["clientcas"] = [str(certificates.ca)]
    storage = folder / "storage"
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": False}},
        "storage": {"filesystem": {"rootdirectory": str(storage)}, "delete": {"enabled": True}},
        "http": http,
    }
    if readonly:
        settings["storage"]["maintenance"] = {"readonly": {"enabled": True}}
    if auth:
        settings["auth"] = dict(auth)
    elif login:
        passwords = folder / "htpasswd"
        argv = ("htpasswd", "-Bin", login.username)
        passwords.write_text(output(argv, stdin=login.password.encode()) + "\n")
        settings["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
    configuration = folder / "registry.yml"
    configuration.write_text(yaml.safe_dump(settings))
    with running((program, "serve", configuration), folder / "registry.log") as daemon:
        host = daemon.wait_for(rf"listening on ({re.escape(address.partition(':')[0])}:\d+)")[1]
        _write_login(folder, host, login)
        yield Registry(host, storage, daemon.log, folder, login, certificates)


@contextlib.contextmanager
def crane_registry(folder: Path) -> Iterator[Registry]:
    """Run the registry inside crane: plain HTTP, open to everyone, one binary."""
    storage = folder / "storage"
    storage.mkdir()
    argv = (crane(), "registry", "serve", "--address", "127.0.0.1:0", "--disk", storage)
    with running(argv, folder / "registry.log") as daemon:
        host = "127.0.0.1:" + daemon.wait_for(r"serving on port (\d+)")[1]
        _write_login(folder, host, None)
        yield Registry(host, storage, daemon.log, folder, tells_requests=False)


def empty(registry: Registry) -> None:
    """Forget everything that was pushed; docker-registry notices at once."""
    shutil.rmtree(registry.storage, ignore_errors=True)
    registry.storage.mkdir()


def _write_login(folder: Path, host: str, login: Login | None) -> None:
    pair = ":".join(login) if login else ""
    auths = {host: {"auth": base64.b64encode(pair.encode()).decode()}} if login else {}
    (folder / "config.json").write_text(json.dumps({"auths": auths}))
