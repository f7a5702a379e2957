from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.model.endpoint import Endpoint, Trust, is_loopback
from dockless.model.registry_access import RegistryAccess
from dockless.transport import endpoints
from dockless.transport.endpoints import as_source, endpoint_of

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
    found = endpoint_of("localhost:5000", RegistryAccess(ca_file=ca_file), tmp_path)
    assert (found.plain_http, found.trust) == (False, Trust((ca_file,)))


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


@pytest.mark.parametrize("host", [HOST, "10.9.9.9:5610", "localhost:5000", "[::1]:5"])
def test_certificates_in_the_options_exclude_plain_http_in_what_is_advised(
    tmp_path: Path, host: str
) -> None:
    (tmp_path / "ca.pem").touch()
    found = endpoint_of(host, RegistryAccess(ca_file=tmp_path / "ca.pem"), tmp_path).remedies
    assert "leave out --ca-file and --cert-dir" in found.no_tls
    assert ("and use --insecure" in found.no_tls) != is_loopback(host)
    assert f"{tmp_path}/.config/containers/certs.d" in found.no_tls
    assert f"{tmp_path}/.config/containers/certs.d/{host} " in found.untrusted


@pytest.mark.parametrize("host", [HOST, "10.9.9.9:5610", "[::1]:5"])
def test_the_options_for_a_target_are_not_advised_for_a_source(tmp_path: Path, host: str) -> None:
    endpoint = as_source(endpoint_of(host, RegistryAccess(insecure=True), tmp_path), tmp_path)
    found = endpoint.remedies
    assert "`tls-verify: false`" in found.no_tls
    assert "tls-verify" in found.uses_tls
    assert f"{tmp_path}/.config/containers/certs.d/{host} " in found.untrusted
    # what is advised has an effect
    folder = tmp_path / ".config/containers/certs.d" / host
    folder.mkdir(parents=True)
    (folder / "ca.crt").touch()
    again = endpoint_of(host, RegistryAccess(), tmp_path)
    assert again.trust == Trust((folder / "ca.crt",))
