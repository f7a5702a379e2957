from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.model.endpoint import Endpoint, Trust
from dockless.model.registry_access import RegistryAccess
from dockless.transport import endpoints
from dockless.transport.endpoints import endpoint_of

HOST = "registry.example.com"


@pytest.mark.parametrize(
    ("host", "insecure", "plain"),
    [(HOST, False, False), (HOST, True, True), ("[::1]:5", True, True)],
)
def test_tls_is_spoken_unless_told_otherwise(
    tmp_path: Path,
    host: str,
    insecure: bool,  # noqa: FBT001 - a table
    plain: bool,  # noqa: FBT001 - a table
) -> None:
    found = endpoint_of(host, RegistryAccess(insecure=insecure), tmp_path)
    assert found == Endpoint(host=host, plain_http=plain)


def test_a_loopback_registry_with_certificates_speaks_tls(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    assert endpoint_of("localhost:5000", RegistryAccess(ca_file=ca_file), tmp_path) == Endpoint(
        host="localhost:5000", plain_http=False, trust=Trust((ca_file,))
    )


@pytest.mark.parametrize("speaks_tls", [True, False])
def test_a_loopback_registry_is_asked_which_it_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, speaks_tls: bool
) -> None:
    monkeypatch.setattr(endpoints, "_speaks_tls", lambda *_: speaks_tls)
    found = endpoint_of("localhost:5000", RegistryAccess(), tmp_path)
    assert found.plain_http != speaks_tls


@pytest.mark.parametrize(
    "access",
    [
        RegistryAccess(),
        RegistryAccess(insecure=True),
        RegistryAccess(insecure_realms=("tokens.example.com:8080",)),
    ],
)
def test_a_registry_is_reached_as_the_options_say(tmp_path: Path, access: RegistryAccess) -> None:
    assert endpoint_of(HOST, access, tmp_path) == Endpoint(
        host=HOST, plain_http=access.insecure, insecure_realms=access.insecure_realms
    )


def test_the_certificates_of_the_options_are_trusted(tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    ca_file.touch()
    found = endpoint_of(HOST, RegistryAccess(ca_file=ca_file), tmp_path)
    assert found.trust == Trust((ca_file,))
    with pytest.raises(UsageError, match="does not exist"):
        endpoint_of(HOST, RegistryAccess(ca_file=tmp_path / "none"), tmp_path)
