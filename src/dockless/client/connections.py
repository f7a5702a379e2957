"""The registries of one session: each is contacted once, each repository opened once."""

import contextlib
import functools
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from dockless.client.workspace import Workspace
from dockless.credentials import repository_creation
from dockless.credentials.account import Account
from dockless.credentials.resolve import FindCredential
from dockless.model.options import PROGRAMS, PushOptions
from dockless.model.secret import Credential
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.direct import Direct
from dockless.registry.uploader import HttpUploader
from dockless.retry import RetryPolicy
from dockless.transport.endpoints import reach
from dockless.transport.http import HttpClient
from dockless.transport.trust import find_trust
from dockless.usecases.push.early_uploads import EarlyUploads
from dockless.usecases.push.streaming import StreamedUploads, Watch

if TYPE_CHECKING:
    from dockless.registry.referrers import ReferrersLists


class OpenRegistry(Struct, frozen=True, kw_only=True):
    """A registry that responds, with the credential for one of its repositories.

    Attributes:
        client: Reads it.
        streamed: Uploads layers while they are staged; None where the writer uploads them.
        early: The early uploads, before the writer starts.
        direct: Writes to it without a program.
    """

    client: RegistryClient
    streamed: StreamedUploads | None
    early: EarlyUploads
    direct: Direct


class Registries:
    """Opens the registry of a repository with the options of one command line."""

    def __init__(
        self,
        options: PushOptions,
        find: FindCredential,
        space: Workspace,
        retry_policy: RetryPolicy,
        begun: Callable[[], None],
    ) -> None:
        self._options = options
        self._find = find
        self._space = space
        self._retry_policy = retry_policy
        self._begun = begun
        self._clients = {} if space.known is None else space.known
        self._opened: dict[tuple[Repository, bool], OpenRegistry] = {}
        self._asked: dict[Repository, tuple[str, ...]] = {}
        self._uploads = contextlib.ExitStack()
        self._referrers: list[ReferrersLists] = []

    def close(self) -> None:
        """Stop the early uploads."""
        self._uploads.close()

    def settle(self) -> None:
        """Check, at the end, that the referrers tags still list what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """
        for each in self._referrers:
            self._retry_policy.call(each.settle)

    def open(self, repository: Repository, *, reading: bool = False) -> OpenRegistry:
        """Return the registry of a repository, once it responds; prompt for a credential if needed.

        Args:
            repository: The repository.
            reading: Whether it is only read, for which a token service may need no credential.

        Raises:
            AuthError: It requires a credential, and no prompt is possible.
            NetworkError: It does not respond.
        """
        key = (repository, reading)
        if key not in self._opened:
            work = self._open_to_read if reading else self._open
            self._opened[key] = self._retry_policy.call(lambda: work(repository))
        return self._opened[key]

    def _open_to_read(self, repository: Repository) -> OpenRegistry:
        client = self._greeted(repository.host).known_to(self._account(repository), "pull")
        if not client.has_tokens_for_guests():
            client = self._with_credential(client, repository)
        _, direct = self._writing(client)
        return OpenRegistry(client=client, streamed=None, early=EarlyUploads(), direct=direct)

    def _writing(
        self, client: RegistryClient, until: float | None = None
    ) -> tuple[HttpUploader, Direct]:
        """Return what writes to a registry: single blobs and manifests, and whole images."""
        meter = self._space.throughput.meter(client.http.endpoint.host)
        uploader = HttpUploader(client, self._space.rate_limiter, meter, until)
        lists = functools.cache(partial(self._lists, client))
        return uploader, Direct(client, uploader, lists)

    def _with_credential(self, client: RegistryClient, repository: Repository) -> RegistryClient:
        """Return a client with a credential where the registry requires one; prompt if needed."""
        if not client.wants_credential() or client.account() is not None:
            return client
        self._tell_who_was_asked(repository)
        asked = self._space.surroundings.ask(repository.host, client.refusal())
        return client.known_to(lambda: asked)

    def _open(self, repository: Repository) -> OpenRegistry:
        options, space = self._options, self._space
        client = self._greeted(repository.host).known_to(self._account(repository))
        client = self._with_credential(client, repository)
        repository_creation.create(
            options, repository, space.machine.environment, space.progress.note
        )
        until = self._retry_policy.deadline
        uploader, direct = self._writing(client, until)
        if options.engine in PROGRAMS:
            return OpenRegistry(client=client, streamed=None, early=EarlyUploads(), direct=direct)
        if space.claims:
            from dockless.usecases.mirror.mounts import Mounts  # noqa: PLC0415 - for mirrors

            return OpenRegistry(
                client=client,
                streamed=None,
                early=Mounts(repository, uploader, space.claims, until),
                direct=direct,
            )
        hold = space.shared_backoff.hold
        watch = Watch(until=until, stall=options.stall_timeout, note=space.progress.note, hold=hold)
        streamed = self._uploads.enter_context(
            StreamedUploads(repository, client, uploader, watch, self._begun)
        )
        return OpenRegistry(client=client, streamed=streamed, early=streamed, direct=direct)

    def _lists(self, client: RegistryClient) -> "ReferrersLists":
        from dockless.registry.referrers import ReferrersLists  # noqa: PLC0415 - rare

        made = ReferrersLists(client, turn=self._space.staging.store.turn)
        self._referrers.append(made)
        return made

    def _greeted(self, host: str) -> RegistryClient:
        """Return a client of a registry that responds; all repositories share its connections."""
        if host not in self._clients:
            options, machine = self._options, self._space.machine
            trust = find_trust(host, options.ca_file, options.cert_dir, machine.home)
            until = self._retry_policy.deadline
            endpoint = reach(host, insecure=options.insecure, trust=trust, until=until)
            endpoint = replace(endpoint, insecure_realms=options.insecure_realms)
            http = HttpClient(endpoint, machine.environment, until, self._space.connections)
            client = RegistryClient(http, lambda: None)
            client.ping()
            self._clients[host] = client
        return self._clients[host]

    def _account(self, repository: Repository) -> Account:
        # helpers are not started, nor keyrings opened, for a registry that wants no login
        return Account(partial(self._credential, repository))

    def _tell_who_was_asked(self, repository: Repository) -> None:
        """Show the reason of every place that gave no credential."""
        for place in self._asked.get(repository, ()):
            if not place.endswith(": nothing"):
                self._space.progress.note(f"No credential from {place}")

    def _credential(self, repository: Repository) -> Credential | None:
        found = self._find(repository)
        self._asked[repository] = found.asked
        for trouble in found.troubles:
            self._space.progress.note(f"Warning: {trouble}")
        return found.credential
