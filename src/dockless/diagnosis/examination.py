"""The checks of `dockless doctor`, for a registry and for this machine."""

import contextlib
import time
from collections.abc import Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path

from dockless.credentials import keyrings
from dockless.credentials.keyring_logins import KeyringLogins
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
    system,
    upload,
)
from dockless.diagnosis.asked_registry import Asked
from dockless.diagnosis.page import Check, Lane
from dockless.diagnosis.user_logins import UserLogins
from dockless.engines.find import own_folder
from dockless.engines.probe import trust_policy
from dockless.engines.probe_records import probe_records
from dockless.engines.probe_result import ProbeResult
from dockless.errors import DocklessError
from dockless.model import kinds
from dockless.model.endpoint import Endpoint, Trust
from dockless.model.finding import Finding
from dockless.model.registry_access import RegistryAccess, path_of
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.storage.user_folders import data_folder, home_folder
from dockless.storage.user_store import cache_limit, store
from dockless.transport import peer
from dockless.transport.endpoints import endpoint_of
from dockless.transport.http import HttpClient
from dockless.transport.proxy import Proxy, proxy
from dockless.transport.trust import find_trust

# together less than the seconds of one check, so that a silent registry is named by its own check
_TLS_SECONDS, _HTTP_SECONDS = 3.0, 6.0
_NAMED_BY_ACCOUNT = (kinds.DOCKERHUB, kinds.GHCR)


class Examination:
    """What is checked, and with what.

    Args:
        access: How the registry is reached.
        asked: The registry; None for this machine alone.
        user: Where logins come from.
        environment: The environment.
        write: Whether what can only be tried by writing is tried.
    """

    def __init__(
        self,
        access: RegistryAccess,
        asked: Asked | None,
        user: UserLogins,
        environment: Mapping[str, str],
        *,
        write: bool,
    ) -> None:
        self._access = access
        self._asked = asked
        self._user = user
        self._environment = environment
        self._write = write
        self._home = home_folder()
        self._found = FoundCredential(credential=None, asked=())

    def lanes(self) -> Iterator[Lane]:
        """Yield the checks; checks that depend on one another share a lane."""
        environment = self._environment
        own = own_folder(environment, data_folder())
        yield (Check(area=system.AREA, subject="dockless", look=system.check),)
        look = partial(engines.check, environment, own, self._last_probe)
        yield (Check(area=engines.AREA, subject="engines", look=look),)
        look_at_tools = partial(containers.check, environment, self._home)
        yield (Check(area=containers.AREA, subject="tools", look=look_at_tools),)
        yield (Check(area=keyring.AREA, subject="keyring", look=self._keyring),)
        look_at_files = partial(logins.check_files, environment, self._home)
        yield (
            Check(area=logins.AREA, subject="files", look=look_at_files),
            Check(
                area=logins.AREA,
                subject="project",
                look=partial(logins.check_project, self._user.read_settings),
            ),
        )
        yield (Check(area=cache.AREA, subject="folder", look=self._cache),)
        yield (Check(area=proxies.AREA, subject="proxy", look=self._proxies),)
        authorities = partial(certificates.check_environment, environment)
        yield (Check(area=certificates.AREA, subject="authorities", look=authorities),)
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
        settings = self._user.settings
        namespace = settings.namespace.value if settings.namespace else ""
        credential = self._found.credential
        if not namespace and credential and kinds.infer(repository.host) in _NAMED_BY_ACCOUNT:
            namespace = credential.username.lower()
        name = repository.path.rpartition("/")[2]
        with contextlib.suppress(ValueError):  # not every username is a namespace
            return Repository.of(repository.host, f"{namespace}/{name}" if namespace else name)
        return repository

    def _registry(self, asked: Asked) -> Iterator[Check]:
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
        chosen = self._environment.get(CHOSEN, "")
        look = partial(keyring.look, self._environment, chosen, terminal=self._user.terminal)

        def backend(choice: str) -> keyrings.Backend:
            return keyrings.backend(choice, self._environment, ask=self._user.prompt)

        yield from keyring.check(look, backend, write=self._write, terminal=self._user.terminal)

    def _cache(self) -> Iterator[Finding]:
        limit = partial(cache_limit, self._environment)
        yield from cache.check(store(self._environment), limit, write=self._write)

    def _proxies(self) -> Iterator[Finding]:
        host = self._asked.repository.host if self._asked else ""
        url = Endpoint(host=host, plain_http=self._access.insecure).url if host else ""
        yield from proxies.check(self._environment, url)

    @cached_property
    def _trust(self) -> Trust:
        options = self._access
        return find_trust(
            self._host, path_of(options.ca_file), path_of(options.cert_dir), self._home
        )

    @cached_property
    def _endpoint(self) -> Endpoint:
        return endpoint_of(self._host, self._access, self._home, seconds=_TLS_SECONDS)

    @property
    def _host(self) -> str:
        return self._asked.repository.host if self._asked else ""

    @property
    def _target(self) -> peer.PeerAddress:
        return peer.target_of(self._endpoint.url)

    @property
    def _via(self) -> Proxy | None:
        return proxy(self._endpoint.url, self._environment)

    def _client(self) -> RegistryClient:
        """Return a client for one check, as the account that was found."""
        until = time.monotonic() + _HTTP_SECONDS
        http = HttpClient(self._endpoint, self._environment, until, by_option=False)
        return RegistryClient(http, lambda: self._found.credential)

    def _folders(self) -> Iterator[Finding]:
        yield from certificates.check_folders(
            self._host, self._trust, self._home, path_of(self._access.cert_dir)
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
            given=self._user.given,
            sources=self._user.sources(self._host),
            keyrings=tuple(self._open_keyrings()),
            terminal=self._user.terminal,
            write=self._write,
        )

    def _open_keyrings(self) -> Iterator[KeyringLogins]:
        """Yield the keyrings that can be asked without a dialog, and without starting one."""
        chosen = self._environment.get(CHOSEN, "")
        for choice in (chosen,) if chosen else keyrings.available(self._environment):
            if not keyring.why_hidden(choice, self._environment, terminal=self._user.terminal):
                yield open_keyring_logins(choice, self._environment, self._user.prompt)

    def _last_probe(self, name: str, path: Path) -> ProbeResult | None:
        """Return what the last push probe of an engine found, as far as that is remembered."""
        policy = trust_policy(self._environment) if name == "skopeo" else None
        with contextlib.suppress(
            DocklessError
        ):  # without a folder for the store nothing is remembered
            return probe_records(self._environment).of(path, time.time(), policy)
        return None
