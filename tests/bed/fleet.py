"""Hosts of every kind, and dockless with a key that opens them."""

import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed import certificates as authorities
from bed.certificates import Certificates
from bed.docker import Docker
from bed.dockless import Dockless, Result, dockless
from bed.hosts import Host, Network, Traits, host, network
from bed.podman import Account
from bed.pushes import Pusher, access
from bed.registry import Login, Registry, docker_registry
from bed.tokens import TokenService, token_service
from bed.tools import crane

_ENGINES = ("crane", "skopeo")
_TOOLS = ("docker", "podman", "nerdctl", "buildah", "curl", "wget", "docker-compose")


PASSPHRASE = "open sesame"


@dataclass(frozen=True, slots=True)
class Key:
    """Keys of every kind, all of which every host lets in.

    Attributes:
        folder: Holds `id_ed25519`, `id_ecdsa`, `id_rsa` and `id_locked`, whose passphrase is
            `PASSPHRASE`; each public one stands beside it.
    """

    folder: Path

    @property
    def public(self) -> str:
        """The public keys, as they stand in authorized_keys."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.pub")))

    def give(self, home: Path, name: str = "id_ed25519") -> Path:
        """Put a key into the `.ssh` of a home; return it."""
        ssh = home / ".ssh"
        ssh.mkdir(mode=0o700, exist_ok=True)
        for suffix in ("", ".pub"):
            shutil.copy(self.folder / f"{name}{suffix}", ssh)
        return ssh / name


@dataclass(frozen=True, slots=True)
class Admin:
    """Somebody who pushes from hosts.

    Attributes:
        program: dockless, whose home has a key and the hosts' keys.
        registry: Where to.
        folder: Where what comes back is put.
    """

    program: Dockless
    registry: Registry
    folder: Path

    @property
    def ssh(self) -> Path:
        """Its `~/.ssh`."""
        return self.program.home / ".ssh"

    def knows(self, *hosts: Host) -> None:
        """Put the hosts' keys into known_hosts."""
        with (self.ssh / "known_hosts").open("a") as file:
            file.writelines(each.known() for each in hosts)

    def check(self, *arguments: str) -> Result:
        """Look at hosts."""
        return self.program.run("hosts", "--check", "--format", "json", *arguments)

    def run(self, name: str, *arguments: str | Path, timeout: float = 120) -> Result:
        """Push to `repository:tag` from hosts, with the password on stdin."""
        options, password = access(self.registry)
        image = ("--image", f"{self.registry.host}/{name}")
        argv = ("push", "--remote", *arguments, *image, *options)
        return self.program.run(*argv, stdin=password, timeout=timeout)

    def pusher(self) -> Pusher:
        """Return what looks at the registry."""
        return Pusher(self.program, self.registry, self.folder)


@pytest.fixture(scope="session")
def bridge() -> Iterator[Network]:
    """The network of all hosts."""
    with network() as made:
        yield made


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """The keys that every host lets in."""
    folder = tmp_path_factory.mktemp("keys")
    for name, kind, passphrase in (
        ("id_ed25519", "ed25519", ""),
        ("id_ecdsa", "ecdsa", ""),
        ("id_rsa", "rsa", ""),
        ("id_locked", "ed25519", PASSPHRASE),
    ):
        argv = ("ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", folder / name)
        subprocess.run(argv, check=True)
    return Key(folder)


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Numbers for hosts that live for one test; used twice, the network would mix them up."""
    return itertools.count(20)


@pytest.fixture(scope="session")
def host_folder() -> Iterator[Path]:
    """Where the hosts' files are."""
    with tempfile.TemporaryDirectory(prefix="hosts-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def crane_folder(host_folder: Path) -> Path:
    """A folder with crane, for hosts that have it."""
    folder = host_folder / "crane"
    folder.mkdir()
    shutil.copy(crane(), folder / "crane")
    return folder


@pytest.fixture(scope="session")
def docker_host(
    host_folder: Path, bridge: Network, key: Key, old_docker: Docker, crane_folder: Path
) -> Iterator[Host]:
    """A host with docker and crane that reaches the registry."""
    traits = Traits(docker=old_docker.socket, programs=crane_folder, hidden=("skopeo", "podman"))
    with host(host_folder / "docker", bridge, 0, traits, key.public) as made:
        yield made


@pytest.fixture(scope="session")
def skopeo_host(host_folder: Path, bridge: Network, key: Key, new_docker: Docker) -> Iterator[Host]:
    """A host with a new docker and skopeo."""
    with host(
        host_folder / "skopeo", bridge, 1, Traits(docker=new_docker.socket), key.public
    ) as made:
        yield made


@pytest.fixture(scope="session")
def containerd_host(
    host_folder: Path, bridge: Network, key: Key, containerd_docker: Docker, crane_folder: Path
) -> Iterator[Host]:
    """A host with crane and a docker whose store is containerd's."""
    traits = Traits(docker=containerd_docker.socket, programs=crane_folder, hidden=("skopeo",))
    with host(host_folder / "containerd", bridge, 7, traits, key.public) as made:
        yield made


@pytest.fixture(scope="session")
def containerd_skopeo_host(
    host_folder: Path, bridge: Network, key: Key, containerd_docker: Docker
) -> Iterator[Host]:
    """A host with skopeo and a docker whose store is containerd's."""
    traits = Traits(docker=containerd_docker.socket)
    with host(host_folder / "containerd-skopeo", bridge, 8, traits, key.public) as made:
        yield made


@pytest.fixture(scope="session")
def bare_host(host_folder: Path, bridge: Network, key: Key, old_docker: Docker) -> Iterator[Host]:
    """A host with docker and no engine."""
    traits = Traits(docker=old_docker.socket, hidden=_ENGINES)
    with host(host_folder / "bare", bridge, 2, traits, key.public) as made:
        yield made


@pytest.fixture(scope="session")
def island(host_folder: Path, bridge: Network, key: Key, old_docker: Docker) -> Iterator[Host]:
    """A host without an engine and without a route to the registry."""
    traits = Traits(docker=old_docker.socket, routed=False, hidden=_ENGINES)
    with host(host_folder / "island", bridge, 3, traits, key.public) as made:
        yield made


@pytest.fixture(scope="session")
def equipped_island(
    host_folder: Path, bridge: Network, key: Key, old_docker: Docker, crane_folder: Path
) -> Iterator[Host]:
    """A host with crane and without a route to the registry."""
    traits = Traits(docker=old_docker.socket, routed=False, programs=crane_folder)
    with host(host_folder / "equipped", bridge, 4, traits, key.public) as made:
        yield made


@pytest.fixture(scope="session")
def podman_host(host_folder: Path, bridge: Network, key: Key, rootless: Account) -> Iterator[Host]:
    """A host with nothing but a shell and rootless podman, for a user who is not root."""
    lacks = [each for each in (*_TOOLS, *_ENGINES) if each != "podman"]
    traits = Traits(rootless.name, hidden=(*lacks, str(rootless.home / "bin" / "crane")))
    with host(host_folder / "podman", bridge, 5, traits, key.public) as made:
        wake_podman(made)
        yield made


@pytest.fixture(scope="session")
def noexec_host(host_folder: Path, bridge: Network, key: Key, rootless: Account) -> Iterator[Host]:
    """A host whose user is not root, and where nothing runs from `/tmp`."""
    hidden = ("docker", "skopeo", str(rootless.home / "bin" / "crane"))
    traits = Traits(rootless.name, hidden=hidden, noexec=True)
    with host(host_folder / "noexec", bridge, 6, traits, key.public) as made:
        wake_podman(made)
        yield made


@pytest.fixture(scope="session")
def sudo_host(
    host_folder: Path,
    bridge: Network,
    key: Key,
    rootless: Account,
    old_docker: Docker,
    crane_folder: Path,
) -> Iterator[Host]:
    """A host where docker is root's alone; its user may run it with sudo, and nothing else."""
    traits = Traits(
        rootless.name,
        docker=old_docker.socket,
        programs=crane_folder,
        hidden=("podman", "buildah", "skopeo"),
    )
    with host(host_folder / "sudo", bridge, 9, traits, key.public) as made:
        made.run(
            "mount -t tmpfs -o mode=750 tmpfs /etc/sudoers.d; "
            f"echo '{made.user} ALL=(root) NOPASSWD: /usr/bin/docker, /usr/local/bin/docker'"
            " >/etc/sudoers.d/docker"
        )
        yield made


def wake_podman(made: Host) -> None:
    """Let podman make its own folders in the host's /tmp, as it does when it builds an image."""
    made.run(
        f"cd / && runuser --user {made.user} -- env -u XDG_RUNTIME_DIR -u TMPDIR "
        f"HOME=/home/{made.user} podman images"
    )


@pytest.fixture(scope="session")
def far_certificates(tmp_path_factory: pytest.TempPathFactory, bridge: Network) -> Certificates:
    """Certificates for the far address."""
    return authorities.make(tmp_path_factory.mktemp("far-certificates"), bridge.far)


@pytest.fixture(scope="session")
def far_tokens(
    tmp_path_factory: pytest.TempPathFactory, login: Login, far_certificates: Certificates
) -> Iterator[TokenService]:
    """The token service of `far_registry`, which no host reaches."""
    with token_service(tmp_path_factory.mktemp("tokens"), login, far_certificates) as running:
        yield running


@pytest.fixture(scope="session")
def far_registry(
    tmp_path_factory: pytest.TempPathFactory,
    bridge: Network,
    login: Login,
    far_certificates: Certificates,
    far_tokens: TokenService,
) -> Iterator[Registry]:
    """docker-registry with TLS and tokens, at an address to which only some hosts have a route."""
    folder = tmp_path_factory.mktemp("far-registry")
    with docker_registry(
        folder,
        login=login,
        certificates=far_certificates,
        auth=far_tokens.settings(),
        address=bridge.far,
    ) as running:
        yield running


@pytest.fixture(scope="session")
def far_open_registry(
    tmp_path_factory: pytest.TempPathFactory, bridge: Network
) -> Iterator[Registry]:
    """docker-registry on plain HTTP, open to everyone, at the far address."""
    folder = tmp_path_factory.mktemp("far-open-registry")
    with docker_registry(folder, address=bridge.far) as running:
        yield running


@pytest.fixture(scope="session")
def far_locked_registry(
    tmp_path_factory: pytest.TempPathFactory,
    bridge: Network,
    login: Login,
    far_certificates: Certificates,
) -> Iterator[Registry]:
    """docker-registry with TLS and a password, at the far address."""
    folder = tmp_path_factory.mktemp("far-locked-registry")
    with docker_registry(
        folder, login=login, certificates=far_certificates, address=bridge.far
    ) as running:
        yield running


@pytest.fixture
def admin(tmp_path: Path, key: Key, far_registry: Registry) -> Admin:
    """Dockless with the key in its home, and `far_registry`."""
    program = dockless(tmp_path / "admin")
    key.give(program.home)
    return Admin(program, far_registry, tmp_path)
