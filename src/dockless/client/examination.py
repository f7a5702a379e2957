"""The checks of `dockless doctor`, put together from the command line and this machine."""

import contextlib
import os
import platform
import pwd
import time
from collections.abc import Iterator
from functools import cached_property, partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dockless.client import accounts
from dockless.client.options import CommandOptions
from dockless.client.prompter import given
from dockless.config.cascade import Settings
from dockless.config.registries import login_target
from dockless.config.setting import Setting
from dockless.credentials import keyrings
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.credentials.prompting import Prompter
from dockless.credentials.resolve import FoundCredential
from dockless.credentials.user_keyrings import CHOSEN, open_keyring_logins
from dockless.diagnosis import (
    cache,
    certificates,
    clock,
    connection,
    containers,
    engines,
    keyring,
    logins,
    proxies,
    registry,
    upload,
)
from dockless.diagnosis.page import Check, Lane
from dockless.engines.find import own_folder
from dockless.engines.probe import trust_policy
from dockless.engines.probe_records import probe_records
from dockless.engines.probe_result import ProbeResult
from dockless.errors import DocklessError, UsageError
from dockless.model import kinds
from dockless.model.endpoint import Endpoint, Trust
from dockless.model.finding import Finding
from dockless.oci.reference import Name, Repository
from dockless.registry import peer
from dockless.registry.client import RegistryClient
from dockless.storage.user_folders import data_folder, home_folder
from dockless.storage.user_store import cache_limit, store
from dockless.transport.endpoints import reach
from dockless.transport.http import HttpClient
from dockless.transport.proxy import Proxy, proxy
from dockless.transport.trust import find_trust
from dockless.version import __version__

# together less than the seconds of one check, so that a silent registry is named by its own check
_TLS_SECONDS, _HTTP_SECONDS = 3.0, 6.0
_SYSTEM = "system"
_NAMED_BY_ACCOUNT = (kinds.DOCKERHUB, kinds.GHCR)


DEFAULT_NAME = "dockless-doctor"
"""The last part of the repository for the trial upload when none is given."""


class Asked(Struct, frozen=True):
    """The registry to check.

    Attributes:
        repository: The repository in it.
        named: Whether it was named, and not only the registry.
    """

    repository: Repository
    named: bool


class Examination:
    """What is checked, and with what.

    Args:
        options: How the registry is reached, and as whom.
        asked: The registry; None for this machine alone.
        prompter: Asks the user.
        write: Whether what can only be tried by writing is tried.
    """

    def __init__(
        self, options: CommandOptions, asked: "Asked | None", prompter: Prompter, *, write: bool
    ) -> None:
        self._options = options
        self._asked = asked
        self._write = write
        self._prompter = prompter
        self._terminal = prompter.at_terminal()
        self._home = home_folder()
        self._settings = _settings(options)
        # here, since a password may be asked for or read from standard input
        self._given = given(prompter, options, self._settings)
        self._found = FoundCredential(None, ())

    def lanes(self) -> Iterator[Lane]:
        """Yield the checks; checks that depend on one another share a lane."""
        environment = os.environ
        own = own_folder(environment, data_folder())
        yield (Check(area=_SYSTEM, subject="dockless", look=_system),)
        look = partial(engines.check, environment, own, _last_probe)
        yield (Check(area=engines.AREA, subject="engines", look=look),)
        look_at_tools = partial(containers.check, environment, self._home)
        yield (Check(area=containers.AREA, subject="tools", look=look_at_tools),)
        yield (Check(area=keyring.AREA, subject="keyring", look=self._keyring),)
        look_at_files = partial(logins.check_files, environment, self._home)
        read = partial(accounts.project_settings, self._options.username)
        yield (
            Check(area=logins.AREA, subject="files", look=look_at_files),
            Check(area=logins.AREA, subject="project", look=partial(logins.check_project, read)),
        )
        yield (Check(area=cache.AREA, subject="folder", look=self._cache),)
        yield (Check(area=proxies.AREA, subject="proxy", look=self._proxies),)
        system = partial(certificates.check_environment, environment)
        yield (Check(area=certificates.AREA, subject="authorities", look=system),)
        if self._asked:
            yield tuple(self._registry(self._asked))
        yield (Check(area=clock.AREA, subject="time", look=self._clock),)

    def repository(self) -> Repository:
        """Return the repository that is looked at: the named one, or one of the account found."""
        if self._asked is None:
            raise LookupError("no registry was given")
        repository = self._asked.repository
        if self._asked.named:
            return repository
        namespace = self._settings.namespace.value if self._settings.namespace else ""
        credential = self._found.credential
        if not namespace and credential and kinds.infer(repository.host) in _NAMED_BY_ACCOUNT:
            namespace = credential.username.lower()
        name = repository.path.rpartition("/")[2]
        with contextlib.suppress(ValueError):  # not every username is a namespace
            return Repository.of(repository.host, f"{namespace}/{name}" if namespace else name)
        return repository

    def _registry(self, asked: "Asked") -> Iterator[Check]:
        host = asked.repository.host
        area, subject = certificates.AREA, host
        why = "its certificates cannot be used"
        yield Check(area=area, subject=subject, look=self._folders, needed=True, failure=why)
        area, why = connection.AREA, "the host name could not be resolved"
        yield Check(area=area, subject="name", look=self._name, needed=True, failure=why)
        why = "no connection could be made"
        yield Check(area=area, subject="port", look=self._port, needed=True, failure=why)
        area, why = connection.TLS, "no trusted TLS connection could be made"
        yield Check(area=area, subject=host, look=self._tls, needed=True, failure=why)
        area, why = registry.AREA, "the registry does not answer"
        yield Check(area=area, subject="/v2/", look=self._challenge, needed=True, failure=why)
        yield Check(area=area, subject="login", look=self._login)
        yield Check(area=area, subject="referrers", look=self._referrers)
        if self._write:
            yield Check(area=upload.AREA, subject="upload", look=self._upload)

    def _keyring(self) -> Iterator[Finding]:
        chosen = os.environ.get(CHOSEN, "")
        look = partial(keyring.look, os.environ, chosen, terminal=self._terminal)

        def backend(choice: str) -> keyrings.Backend:
            return keyrings.backend(choice, os.environ, ask=accounts.prompt(self._prompter))

        yield from keyring.check(look, backend, write=self._write, terminal=self._terminal)

    def _cache(self) -> Iterator[Finding]:
        limit = partial(cache_limit, os.environ)
        yield from cache.check(store(os.environ), limit, write=self._write)

    def _proxies(self) -> Iterator[Finding]:
        host = self._asked.repository.host if self._asked else ""
        url = Endpoint(host, plain_http=self._options.insecure).url if host else ""
        yield from proxies.check(os.environ, url)

    @cached_property
    def _trust(self) -> Trust:
        options = self._options
        return find_trust(self._host, options.ca_file, options.cert_dir, self._home)

    @cached_property
    def _endpoint(self) -> Endpoint:
        insecure = self._options.insecure
        found = reach(self._host, insecure=insecure, trust=self._trust, seconds=_TLS_SECONDS)
        return replace(found, insecure_realms=self._options.insecure_realms)

    @property
    def _host(self) -> str:
        return self._asked.repository.host if self._asked else ""

    @property
    def _target(self) -> peer.PeerAddress:
        return peer.target_of(self._endpoint.url)

    @property
    def _via(self) -> Proxy | None:
        return proxy(self._endpoint.url, os.environ)

    def _client(self) -> RegistryClient:
        """Return a client for one check, as the account that was found."""
        until = time.monotonic() + _HTTP_SECONDS
        http = HttpClient(self._endpoint, os.environ, until, by_option=False)
        return RegistryClient(http, lambda: self._found.credential)

    def _folders(self) -> Iterator[Finding]:
        yield from certificates.check_folders(
            self._host, self._trust, self._home, self._options.cert_dir
        )

    def _name(self) -> Iterator[Finding]:
        yield from connection.check_name(self._target, self._via)

    def _port(self) -> Iterator[Finding]:
        yield from connection.check_port(self._target, self._via)

    def _tls(self) -> Iterator[Finding]:
        yield from connection.check_tls(self._endpoint, self._via)

    def _challenge(self) -> Iterator[Finding]:
        yield from registry.check_challenge(self._client())

    def _clock(self) -> Iterator[Finding]:
        date, age, before = "", "", time.time()
        if self._asked:
            with contextlib.suppress(DocklessError):  # why it does not answer stands elsewhere
                answer = self._client().http.ask("GET", f"{self._endpoint.url}/v2/")
                date, age = answer.headers.get("Date", ""), answer.headers.get("Age", "")
        yield from clock.judge((before + time.time()) / 2, date, age, self._host)

    def _login(self) -> Iterator[Finding]:
        self._found = self._search()(self.repository())
        yield from registry.check_login(self._client(), self._found, self.repository())

    def _referrers(self) -> Iterator[Finding]:
        yield from registry.check_referrers(self._client(), self.repository())

    def _upload(self) -> Iterator[Finding]:
        named = self._asked is not None and self._asked.named
        yield from upload.check(self._client(), self.repository(), named=named)

    def _search(self) -> logins.Search:
        return logins.Search(
            given=self._given,
            sources=accounts.sources(self._prompter, self._host, self._settings),
            keyrings=tuple(self._open_keyrings()),
            terminal=self._terminal,
            write=self._write,
        )

    def _open_keyrings(self) -> Iterator[KeyringLogins]:
        """Yield the keyrings that can be asked without a dialog, and without starting one."""
        chosen = os.environ.get(CHOSEN, "")
        for choice in (chosen,) if chosen else keyrings.available(os.environ):
            if not keyring.why_hidden(choice, os.environ, terminal=self._terminal):
                yield open_keyring_logins(choice, os.environ, accounts.prompt(self._prompter))


def _last_probe(name: str, path: Path) -> ProbeResult | None:
    """Return what the last push probe of an engine found, as far as that is remembered."""
    policy = trust_policy(os.environ) if name == "skopeo" else None
    with contextlib.suppress(DocklessError):  # without a folder for the store nothing is remembered
        return probe_records(os.environ).of(path, time.time(), policy)
    return None


def _settings(options: CommandOptions) -> Settings:
    """Return the project's settings for credentials; none where it cannot be read."""
    with contextlib.suppress(DocklessError, OSError):
        return accounts.project_settings(options.username)
    account = Setting(options.username, "--username") if options.username else None
    return replace(Settings(project=lambda: Setting("", "")), username=account)


def _system() -> Iterator[Finding]:
    """Report the version, the system and the user."""
    user = os.geteuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = ""
    what = f"{__version__} on {platform.system()} {platform.machine()}, Python "
    what += f"{platform.python_version()}, as {name or f'uid {user}, which has no name here'}"
    yield Finding(
        area=_SYSTEM,
        subject="dockless",
        state="ok",
        what=what,
        facts={"version": __version__, "user": name or None, "uid": user},
    )
    home = home_folder()
    if home == Path("/"):
        why = "is not set, or is the root folder, and this user has no other home"
    elif not _is_there(home):
        why = f"{home} does not exist, or is not accessible to this user"
    else:
        return
    yield Finding(
        area=_SYSTEM,
        subject="HOME",
        state="note",
        what=f"{why}: settings and logins in it are not found",
        remedy="Set HOME to a folder that belongs to this user.",
    )


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir() and os.access(folder, os.X_OK)
    except OSError:
        return False


def asked_of(text: str) -> Asked:
    """Return the registry of the argument HOST[:PORT][/REPOSITORY[:TAG]].

    Raises:
        UsageError: It is none.
    """
    registry, slash, path = text.strip().removeprefix("https://").strip("/").partition("/")
    if slash and not text.lower().startswith("http://"):  # which is refused below
        try:
            path = Name.parse(f"{registry}/{path}").path
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not a registry or a repository: {error}.",
                "Give it as HOST, HOST:PORT or HOST/REPOSITORY.",
            ) from None
        text = f"{registry}/{path}"
    target = login_target(text, Settings(project=lambda: Setting("", "")))
    path = target.scope.removeprefix(target.host).lstrip("/")
    return Asked(Repository.of(target.host, path or DEFAULT_NAME), named=bool(path))
