"""The test bed as pytest fixtures. Daemons start once a session; what a test may spoil is its own.

`tests/conftest.py` loads them, so that the contract and the integration tests share the daemons.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed import images, keyrings
from bed.certificates import Certificates, make
from bed.docker import Docker, docker
from bed.dockless import Dockless, dockless
from bed.faults import FaultyRegistry, faulty
from bed.images import Layer
from bed.keyrings import SecretService
from bed.podman import Account, account
from bed.registry import Login, Registry, crane_registry, docker_registry
from bed.tokens import TokenService, token_service
from bed.tools import modern_dockerd

SAMPLE = "sample:1"


@pytest.fixture(scope="session")
def login() -> Login:
    """An account whose password looks different in every encoding, and in every run of tests."""
    return Login("pusher", f'tøp+secret/"%\\pass=word{os.getpid()}')


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """docker-registry on plain HTTP, open to everyone. Push to repositories of your own."""
    with docker_registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture
def own_registry(tmp_path: Path) -> Iterator[Registry]:
    """docker-registry on plain HTTP, for one test: empty, and its access log is the test's."""
    folder = tmp_path / "own-registry"
    folder.mkdir()
    with docker_registry(folder) as running:
        yield running


@pytest.fixture(scope="session")
def locked_registry(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates, login: Login
) -> Iterator[Registry]:
    """docker-registry with TLS of the bed's authority, and one account."""
    folder = tmp_path_factory.mktemp("locked-registry")
    with docker_registry(folder, login=login, certificates=certificates) as running:
        yield running


@pytest.fixture(scope="session")
def mutual_registry(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[Registry]:
    """docker-registry with TLS that wants to see a client certificate."""
    folder = tmp_path_factory.mktemp("mutual-registry")
    with docker_registry(folder, certificates=certificates, client_certificate=True) as running:
        yield running


@pytest.fixture(scope="session")
def embedded_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The registry inside crane."""
    with crane_registry(tmp_path_factory.mktemp("crane-registry")) as running:
        yield running


@pytest.fixture
def faulty_registry(own_registry: Registry) -> Iterator[FaultyRegistry]:
    """The proxy in front of `own_registry`; a test appends to its `faults`."""
    with faulty(own_registry.host) as proxy:
        yield proxy


@pytest.fixture(scope="session")
def old_docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """Debian 12's daemon, with `sample:1` built in it."""
    folder = tmp_path_factory.mktemp("docker")
    with docker(folder) as running:
        images.built(running, folder, SAMPLE)
        yield running


@pytest.fixture(scope="session")
def new_docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """A daemon from 25 on, with `sample:1` built in it."""
    folder = tmp_path_factory.mktemp("docker")
    with docker(folder, modern_dockerd()) as running:
        images.built(running, folder, SAMPLE)
        yield running


@pytest.fixture(scope="session")
def containerd_docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Docker]:
    """A daemon with containerd's image store, as is usual from 29 on, with `sample:1` built."""
    folder = tmp_path_factory.mktemp("docker")
    with docker(folder, modern_dockerd(), ["containerd-snapshotter"]) as running:
        images.built(running, folder, SAMPLE)
        yield running


@pytest.fixture(scope="session")
def rootless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An ordinary user with rootless podman and dockless, and `sample:1` built there."""
    folder = tmp_path_factory.mktemp("podman")
    with account() as user:
        images.built(user, folder, SAMPLE)
        yield user


@pytest.fixture(scope="session")
def layers(tmp_path_factory: pytest.TempPathFactory) -> tuple[Layer, ...]:
    """Three layers of real files, a few megabytes in all."""
    return images.layers(tmp_path_factory.mktemp("layers"))


@pytest.fixture(scope="session")
def packed(layers: tuple[Layer, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCI archive of two `layers`, tagged `1`."""
    folder = tmp_path_factory.mktemp("packed")
    made = images.Layout(folder / "layout")
    made.top(made.image(layers[:2], **images.named("1")))
    return images.archive(made.folder, folder / "packed.tar")


@pytest.fixture(scope="session")
def old_archive(old_docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`docker save` of `sample:1`, the layout before Docker 25."""
    return old_docker.save(tmp_path_factory.mktemp("archives") / "old.tar", SAMPLE)


@pytest.fixture(scope="session")
def hybrid_archive(new_docker: Docker, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`docker save` of `sample:1`, docker-archive and OCI layout in one."""
    return new_docker.save(tmp_path_factory.mktemp("archives") / "hybrid.tar", SAMPLE)


@pytest.fixture(scope="session")
def podman_archive(rootless: Account, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`podman save` of `sample:1`."""
    return rootless.save(tmp_path_factory.mktemp("archives") / "podman.tar", SAMPLE)


@pytest.fixture(scope="session")
def oci_layout(old_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OCI layout that skopeo made of `sample:1`, its layers gzipped; tagged `1`."""
    folder = tmp_path_factory.mktemp("layouts") / "sample"
    images.skopeo_copy(f"docker-archive:{old_archive}", f"oci:{folder}:1")
    return folder


@pytest.fixture(scope="session")
def oci_archive(oci_layout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`oci_layout` as the OCI archive that skopeo writes."""
    path = tmp_path_factory.mktemp("archives") / "oci.tar"
    images.skopeo_copy(f"oci:{oci_layout}:1", f"oci-archive:{path}:1")
    return path


@pytest.fixture(scope="session")
def multi_platform(layers: tuple[Layer, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout tagged `1`: an index of amd64 and arm64/v8, which share one of their two layers."""
    layout = images.Layout(tmp_path_factory.mktemp("layouts") / "platforms")
    parts = {"amd64": layers[:2], "arm64/v8": layers[::2]}
    return layout.top(layout.platforms(parts, **images.named("1")))


@pytest.fixture(scope="session")
def nested_index(layers: tuple[Layer, ...], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A layout tagged `1`: an index of an index of amd64 and arm64/v8, and an image for s390x."""
    layout = images.Layout(tmp_path_factory.mktemp("layouts") / "nested")
    inner = layout.platforms({"amd64": layers[:2], "arm64/v8": layers[::2]})
    platform = {"os": "linux", "architecture": "s390x"}
    single = layout.image(layers[:1], "s390x", platform=platform)
    return layout.top(layout.index(inner, single, **images.named("1")))


@pytest.fixture(scope="session")
def desktop() -> Iterator[SecretService]:
    """gnome-keyring, unlocked, on a bus of its own."""
    # in a short folder: the path of a socket has at most 108 bytes
    with (
        tempfile.TemporaryDirectory(prefix="bus-") as folder,
        keyrings.secret_service(Path(folder)) as running,
    ):
        yield running


@pytest.fixture
def tokens(tmp_path: Path, certificates: Certificates, login: Login) -> Iterator[TokenService]:
    """A token service with TLS, and the account of `login`."""
    with token_service(tmp_path, login, certificates) as running:
        yield running


@pytest.fixture
def token_registry(
    tmp_path: Path, certificates: Certificates, login: Login, tokens: TokenService
) -> Iterator[Registry]:
    """docker-registry with TLS that takes the tokens of `tokens`."""
    folder = tmp_path / "token-registry"
    folder.mkdir()
    with docker_registry(
        folder, login=login, certificates=certificates, auth=tokens.settings()
    ) as running:
        yield running


@pytest.fixture
def program(tmp_path: Path) -> Dockless:
    """The console script as a whole process, with folders of its own."""
    return dockless(tmp_path / "dockless")
