from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import PushError
from dockless.model.endpoint import Endpoint
from dockless.model.options import PushOptions
from dockless.registry import connecting
from dockless.registry.client import RegistryClient
from dockless.registry.connecting import RegistryConnections
from dockless.registry.tokens import refused
from dockless.storage.machine import Machine, bare_machine
from dockless.transport.request_limits import RequestLimits
from fakes.http import StubHttp

MACHINE = bare_machine(Path("/nonexistent"))


class Made:
    """Connections that are made, each to a registry that responds or not."""

    def __init__(self) -> None:
        self.hosts: list[str] = []
        self.endpoints: list[Endpoint] = []
        self.most: list[int] = []
        self.answers = True

    def __call__(
        self, endpoint: Endpoint, environment: Mapping[str, str], until: float | None, most: int
    ) -> StubHttp:
        assert (environment, until) == (MACHINE.environment, 5.0)
        self.hosts.append(endpoint.host)
        self.endpoints.append(endpoint)
        self.most.append(most)
        http = StubHttp()
        if self.answers:
            http.on(f"GET {http.endpoint.url}/v2/")
        return http


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Made:
    made = Made()
    monkeypatch.setattr(connecting, "HttpClient", made)
    return made


def connections(
    options: PushOptions | None = None,
    most: int = 8,
    known: dict[str, RegistryClient] | None = None,
    machine: Machine = MACHINE,
) -> RegistryConnections:
    limits = RequestLimits(until=5.0)
    return RegistryConnections(options or PushOptions(), machine, limits, most, known)


def test_a_registry_is_reached_once(made: Made) -> None:
    work = connections()
    first = work.to("r.io")
    assert work.to("r.io") is first
    assert work.to("ghcr.io") is not first
    assert made.hosts == ["r.io", "ghcr.io"]
    assert first.account() is None


@pytest.mark.parametrize(("asked", "own", "most"), [(None, 3, 3), (2, 8, 2), (5, 3, 3)])
def test_the_smaller_limit_on_connections_holds(
    made: Made, asked: int | None, own: int, most: int
) -> None:
    connections(PushOptions(max_connections=asked), own).to("r.io")
    assert made.most == [most]


def test_what_an_earlier_session_reached_is_not_reached_again(made: Made) -> None:
    known: dict[str, RegistryClient] = {}
    first = connections(known=known).to("r.io")
    assert connections(known=known).to("r.io") is first
    assert made.hosts == ["r.io"]


def test_what_is_no_registry_is_not_known(made: Made) -> None:
    known: dict[str, RegistryClient] = {}
    made.answers = False
    with pytest.raises(PushError, match="does not respond as a registry"):
        connections(known=known).to("r.io")
    assert not known


@pytest.mark.parametrize("host", ["r.io", "registry.inside:5000", "ghcr.io"])
@pytest.mark.parametrize("source", [True, False])
@pytest.mark.parametrize("has_logins", [True, False])
def test_who_reads_no_stored_login_is_not_advised_to_store_one(
    made: Made, host: str, *, source: bool, has_logins: bool
) -> None:
    work = connections(machine=replace(MACHINE, has_logins=has_logins))
    work.source = source
    work.to(host)
    remedy = refused(made.endpoints[0], None, source=source).remedy
    assert remedy.startswith("Log in with") is has_logins
    assert ("Client.from_environment()" in remedy) is not has_logins
    assert host in remedy


@pytest.mark.parametrize("source", [True, False])
def test_a_source_is_told_what_applies_to_sources(made: Made, *, source: bool) -> None:
    work = connections(PushOptions(insecure=True))
    work.source = source
    work.to("r.io")
    [endpoint] = made.endpoints
    assert ("tls-verify" in endpoint.remedies.no_tls) is source
    assert ("--insecure" in endpoint.remedies.uses_tls) is not source
