"""The registries of one session: each is contacted once, each repository opened once."""

import contextlib
from collections.abc import Callable

from msgspec import Struct, field

from dockless.client.workspace import Workspace
from dockless.credentials import repository_creation
from dockless.credentials.account import Accounts
from dockless.credentials.prompting import until_accepted
from dockless.credentials.resolve import FindCredential
from dockless.model.options import PROGRAMS, PushOptions
from dockless.model.secret import Credential
from dockless.oci.reference import Repository
from dockless.registry.client import RegistryClient
from dockless.registry.connecting import RegistryConnections
from dockless.registry.direct import Direct
from dockless.registry.writing import RegistryWriting
from dockless.retry import RetryPolicy
from dockless.usecases.push.early_uploads import EarlyUploads
from dockless.usecases.push.streaming import EarlyLimits, StreamedUploads


class OpenRegistry(Struct, frozen=True, kw_only=True):
    """A registry that responds, with the credential for one of its repositories.

    Attributes:
        client: Reads it.
        direct: Writes to it without a program.
        streamed: Uploads layers while they are staged; None where the writer uploads them.
        early: The early uploads, before the writer starts.
    """

    client: RegistryClient
    direct: Direct
    streamed: StreamedUploads | None = None
    early: EarlyUploads = field(default_factory=EarlyUploads)


class Registries:
    """Opens the registry of a repository with the options of one command line.

    Args:
        options: How images are pushed.
        find: Finds the credential for a registry.
        space: Where the session works.
        retry_policy: The retries of each step.
        begun: Called whenever an early upload starts.
    """

    def __init__(
        self,
        options: PushOptions,
        find: FindCredential,
        space: Workspace,
        retry_policy: RetryPolicy,
        begun: Callable[[], None],
    ) -> None:
        self._options = options
        self._accounts = Accounts(find, space.progress.note)
        self._space = space
        self._retry_policy = retry_policy
        self._begun = begun
        limits = space.limits
        self._connections = RegistryConnections(
            options, space.machine, limits, space.connections, space.known
        )
        self._connections.source = space.source
        self._opened: dict[tuple[Repository, bool], OpenRegistry] = {}
        self._uploads = contextlib.ExitStack()
        turn = space.staging.store.turn
        self._writing = RegistryWriting(limits.rate_limiter, space.throughput, turn)

    def close(self) -> None:
        """Stop the early uploads."""
        self._uploads.close()

    def settle_referrers(self) -> None:
        """Check, at the end, that the referrers tags still list what was written to them.

        Raises:
            NetworkError: Other clients overwrite one of them repeatedly.
        """
        self._writing.settle(self._retry_policy)

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
        client = self._connections.to(repository.host)
        client = client.known_to(self._accounts.of(repository), "pull")
        if not client.has_tokens_for_guests():
            client = self._with_credential(client, repository)
        _, direct = self._writing.to(client)
        return OpenRegistry(client=client, direct=direct)

    def _with_credential(self, client: RegistryClient, repository: Repository) -> RegistryClient:
        """Return a client with a credential where the registry requires one; prompt if needed."""
        if not client.wants_credential() or client.account() is not None:
            return client
        host, around = repository.host, self._space.surroundings
        if known := around.accepted.get(host):
            return client.known_to(lambda: known)
        self._accounts.tell_asked(repository)

        def accept(typed: Credential) -> RegistryClient:
            known = client.known_to(lambda: typed)
            known.check()
            around.accepted[host] = typed
            return known

        refusal = self._accounts.refusal(repository, client.refusal())
        username = self._accounts.username(repository)
        return until_accepted(lambda: around.ask(host, refusal, username), accept, around.warning)

    def _open(self, repository: Repository) -> OpenRegistry:
        options, space = self._options, self._space
        repository_creation.check(options, repository)
        client = self._connections.to(repository.host).known_to(self._accounts.of(repository))
        client = self._with_credential(client, repository)
        repository_creation.create(
            options, repository, space.machine.environment, space.progress.note
        )
        until = self._retry_policy.deadline
        uploader, direct = self._writing.to(client, until)
        if options.engine in PROGRAMS:
            return OpenRegistry(client=client, direct=direct)
        if space.claims:
            from dockless.usecases.mirror.mounts import Mounts  # noqa: PLC0415 - for mirrors

            mounts = Mounts(repository, uploader, space.claims, until)
            return OpenRegistry(client=client, direct=direct, early=mounts)
        hold = space.limits.shared_backoff.hold
        limits = EarlyLimits(
            until=until, stall=options.stall_timeout, note=space.progress.note, hold=hold
        )
        streamed = self._uploads.enter_context(
            StreamedUploads(repository, client, uploader, limits, self._begun)
        )
        return OpenRegistry(client=client, streamed=streamed, early=streamed, direct=direct)
