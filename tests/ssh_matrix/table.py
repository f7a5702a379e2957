"""All set-ups, in the order of the page."""

from ssh_matrix import host_keys, keys, logins, servers
from ssh_matrix.setup import Setup

EVERY = 5
"""`make test` runs one set-up of so many."""

SETUPS: tuple[Setup, ...] = (
    *keys.SETUPS,
    *logins.SETUPS,
    *host_keys.SETUPS,
    *servers.SETUPS,
)


def is_sampled(setup: Setup) -> bool:
    """Whether `make test` runs a set-up."""
    return SETUPS.index(setup) % EVERY == 0
