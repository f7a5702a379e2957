"""The sessions of a mirror, which share the state and the limits of one registry."""

from collections.abc import Sequence
from contextlib import ExitStack

from msgspec.structs import replace

from dockless.client.session import Session
from dockless.client.workspace import Spaces
from dockless.credentials.resolve import FindCredential, shared_account
from dockless.model.options import MirrorOptions
from dockless.oci.reference import Repository
from dockless.usecases.mirror.blob_claims import SharedBlobs
from dockless.usecases.mirror.workers import Bounds, Workers
from dockless.usecases.push.context import PushRequest


class MirrorSessions:
    """The registry that is mirrored to, as a `MirrorTarget`.

    Args:
        stack: Ends the sessions.
        options: How they push.
        find: Finds the credential for the registry.
        asking: A session that asks it first.
        space: Makes a workspace of this name.

    Attributes:
        bounds: What the workers may ask of the registry.
    """

    def __init__(
        self,
        stack: ExitStack,
        options: MirrorOptions,
        find: FindCredential,
        asking: Session,
        space: Spaces,
    ) -> None:
        self.bounds = Bounds(options.parallel, options.max_connections)
        self._stack = stack
        self._options = options
        self._find = find
        self._asking = asking
        self._space = space

    def reach(self, repository: Repository, tags: Sequence[str]) -> None:
        """Find the credential, and choose the compression; see the port."""
        registry = self._asking.adapters.open(repository)
        self._find = shared_account(registry.client.account)
        self._asking.settle(PushRequest(repository=repository, tags=tuple(tags)))

    def team(self) -> Workers:
        """Open the sessions of the workers."""
        options, bounds = self._options, self.bounds
        shared = SharedBlobs()
        spaces = [
            self._stack.enter_context(self._space(f"mirror-{number}"))
            for number in range(bounds.workers)
        ]
        first = spaces[0]
        made = Workers(shared, options.engine, first.limits.until, first.surroundings.moves)
        for each in spaces:
            place = replace(
                each,
                claims=shared.claims(),
                connections=bounds.connections_of_one,
            )
            made.add(self._stack.enter_context(Session(options, self._find, place)))
        return made
