"""The sessions of a mirror, which share the state and the limits of one registry."""

import contextlib
import time
from collections.abc import Iterator

from msgspec.structs import replace

from dockless.client.session import Session
from dockless.client.workspace import Spaces
from dockless.credentials.resolve import FindCredential
from dockless.model.options import PushOptions
from dockless.transport.rate_limit import RateLimiter
from dockless.usecases.mirror.blob_claims import SharedBlobs
from dockless.usecases.mirror.workers import Bounds, Workers


@contextlib.contextmanager
def workers(
    options: PushOptions, find: FindCredential, space: Spaces, bounds: Bounds
) -> Iterator[Workers]:
    """Yield the workers of one command line.

    Args:
        options: How they push.
        find: Finds the credential for the registry.
        space: Makes a workspace of this name.
        bounds: What they may ask of the registry.
    """
    shared, rate_limiter = SharedBlobs(), RateLimiter(bounds.rate)
    until = None if options.timeout is None else time.monotonic() + options.timeout
    with contextlib.ExitStack() as stack:
        spaces = [
            stack.enter_context(space(f"mirror-{number}")) for number in range(bounds.workers)
        ]
        made = Workers(shared, options.engine, until, spaces[0].surroundings.moves)
        for each in spaces:
            place = replace(
                each,
                claims=shared.claims(),
                rate_limiter=rate_limiter,
                connections=bounds.connections_of_one,
            )
            session = Session(options, find, place)
            made.add(stack.enter_context(session))
        yield made
