"""The registries that one call leaves to the next."""

import pytest

from dockless.model.options import PushOptions
from dockless.registry.client import RegistryClient
from dockless.registry.pool import RegistryPool
from fakes.http import StubHttp

OPTIONS = PushOptions()


class Closing(StubHttp):
    """Connections that can be closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


def reached(pool: RegistryPool, options: PushOptions = OPTIONS, *, keep: bool = True) -> Closing:
    """Reach a registry in one call."""
    http = Closing()
    with pool.lent(options, keep=keep) as clients:
        clients["registry.example.com"] = RegistryClient(http, lambda: None)
    return http


def test_the_next_call_has_what_the_last_one_reached() -> None:
    pool = RegistryPool()
    http = reached(pool)
    with pool.lent(PushOptions(), keep=True) as clients:
        assert clients["registry.example.com"].http is http
    with pool.lent(PushOptions(insecure=True), keep=True) as clients:
        assert not clients


def test_two_calls_at_once_share_nothing() -> None:
    pool = RegistryPool()
    reached(pool)
    with pool.lent(OPTIONS, keep=True) as one, pool.lent(OPTIONS, keep=True) as other:
        assert one
        assert not other


def test_what_a_limit_of_time_was_for_is_not_kept() -> None:
    pool = RegistryPool()
    reached(pool, keep=False)
    with pool.lent(OPTIONS, keep=True) as clients:
        assert not clients


def test_what_a_call_that_failed_had_is_not_lent_again() -> None:
    pool = RegistryPool()
    reached(pool)

    def fail() -> None:
        with pool.lent(OPTIONS, keep=True):
            raise ConnectionError

    with pytest.raises(ConnectionError):
        fail()
    with pool.lent(OPTIONS, keep=True) as clients:
        assert not clients


def test_every_connection_is_closed_once() -> None:
    pool = RegistryPool()
    kept, other = reached(pool), reached(pool, PushOptions(insecure=True))
    pool.close()
    pool.close()
    assert (kept.closed, other.closed) == (1, 1)
