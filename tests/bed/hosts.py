"""Hosts: sshd in network namespaces, each with an address, folders and programs of its own.

The namespaces share the machine's file system, but for what a host must not share: its `/tmp`,
`/var/tmp`, `/run` and root's home are memory of its own, and programs that it lacks are covered.
"""

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bed.process import output, running

_NETWORKS = 250
_MOUNTS = """\
set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd /run/host
cp {folder}/* /run/host/
for s in {sockets}; do touch /run/docker.sock; mount --bind "$s" /run/docker.sock; done
mount --bind {programs} /usr/local/sbin
for p in {hidden}; do [ ! -e "$p" ] || mount --bind /dev/null "$p"; done
mount -t tmpfs -o mode=1777{noexec}{size} tmpfs /var/tmp
mount -t tmpfs -o mode=700 tmpfs /root
cd /
mount -t tmpfs -o mode=1777{noexec}{size} tmpfs /tmp
ip link set lo up
exec /usr/sbin/sshd -D -e -f /run/host/sshd_config
"""
_SSHD = """\
Port 22
HostKey /run/host/host_key
PidFile /run/host/sshd.pid
AuthorizedKeysFile /run/host/authorized_keys
UsePAM no
StrictModes no
PermitRootLogin yes
MaxStartups 100
MaxSessions 100
Subsystem sftp internal-sftp
{more}
"""


@dataclass(frozen=True, slots=True)
class Network:
    """A bridge between this machine and the hosts.

    Attributes:
        bridge: Its name.
        near: This machine's address there, which every host reaches.
        far: Another one of this machine, to which only some hosts have a route.
    """

    bridge: str
    near: str
    far: str

    def address(self, number: int) -> str:
        """Return a host's address."""
        return f"{self.near.rpartition('.')[0]}.{10 + number}"

    def address6(self, number: int) -> str:
        """Return a host's IPv6 address; number 0 is the first host's."""
        return f"fd13:{os.getpid() % 65536:x}::{10 + number:x}"


@dataclass(frozen=True, slots=True)
class Traits:
    """What a host is like.

    Attributes:
        user: The account that is logged in to.
        routed: Whether it reaches the far address.
        docker: The socket of its Docker daemon.
        programs: A folder of programs that it has beside the machine's.
        hidden: Programs of the machine that it lacks.
        noexec: Whether nothing may be run from its temporary folders.
        size: Bytes in its `/tmp` and its `/var/tmp`; 0 for no limit.
        sshd: More lines of its sshd's configuration.
    """

    user: str = "root"
    routed: bool = True
    docker: Path | None = None
    programs: Path | None = None
    hidden: Sequence[str] = ()
    noexec: bool = False
    size: int = 0
    sshd: str = ""


@dataclass(frozen=True, slots=True)
class Host:
    """A host that is running.

    Attributes:
        name: Its network namespace.
        address: Its address.
        address6: The same for IPv6.
        user: The account.
        key: The host's public key, as it stands in known_hosts.
        log: What its sshd wrote.
        pid: Its sshd.
    """

    name: str
    address: str
    address6: str
    user: str
    key: str
    log: Path
    pid: int = field(compare=False)

    @property
    def target(self) -> str:
        """What `--host` takes."""
        return f"{self.user}@{self.address}"

    def known(self) -> str:
        """Return its line for known_hosts."""
        return f"{self.address} {self.key}\n"

    def run(self, script: str) -> str:
        """Run a script there as root, without SSH; return its stdout."""
        inside = ("nsenter", "--target", str(self.pid), "--mount", "--net")
        return output((*inside, "sh", "-c", script))

    def write(self, path: str, data: bytes) -> None:
        """Write a file there, which everybody may read."""
        inside = ("nsenter", "--target", str(self.pid), "--mount")
        output((*inside, "sh", "-c", 'cat >"$0" && chmod 644 "$0"', path), stdin=data)

    def logins(self) -> list[str]:
        """Return the addresses from which somebody was let in, in order."""
        return re.findall(r"Accepted publickey for \S+ from (\S+) ", self.log.read_text())

    def connections(self) -> list[int]:
        """Return the processes of its sshd that serve somebody."""
        return [pid for pid in _children(self.pid) if _name(pid) == "sshd"]

    def cut(self) -> int:
        """End every connection to it that is there; return how many there were."""
        children = self.connections()
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return len(children)


@contextlib.contextmanager
def network() -> Iterator[Network]:
    """Make the bridge, with addresses that no other run has; it goes with the block."""
    made = _bridge()
    try:
        _ip("addr", "add", f"{made.near}/24", "dev", made.bridge)
        _ip("addr", "add", f"{made.far}/32", "dev", made.bridge)
        _ip("-6", "addr", "add", f"{made.address6(-9)}/64", "dev", made.bridge, "nodad")
        _ip("link", "set", made.bridge, "up")
        yield made
    finally:
        _ip("link", "del", made.bridge)


def _bridge() -> Network:
    """Make a bridge whose name, which can be taken once only, holds the number of its network."""
    first = os.getpid()
    for number in (each % _NETWORKS for each in range(first, first + _NETWORKS)):
        made = Network(f"dlbr{number}", f"10.213.{number}.1", f"10.214.{number}.1")
        with contextlib.suppress(RuntimeError):
            _ip("link", "add", made.bridge, "type", "bridge")
            return made
    raise RuntimeError(f"no bridge can be made, or all {_NETWORKS} are in use")


@contextlib.contextmanager
def host(folder: Path, on: Network, number: int, traits: Traits, authorized: str) -> Iterator[Host]:
    """Run a host for as long as the block lasts.

    Args:
        folder: A folder that is made, for its keys and log.
        on: The network.
        number: Its number there, from 0.
        traits: What it is like.
        authorized: The public keys that may log in.
    """
    folder.mkdir()
    name, cable = f"{on.bridge}-{number}", f"v{on.bridge[2:]}-{number}"
    key = folder / "host_key"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), check=True)
    (folder / "authorized_keys").write_text(authorized)
    (folder / "sshd_config").write_text(_SSHD.format(more=traits.sshd))
    programs = traits.programs or folder.with_suffix(".programs")
    programs.mkdir(exist_ok=True)
    hidden = [found for each in traits.hidden if (found := shutil.which(each))]
    script = _MOUNTS.format(
        folder=folder,
        sockets=traits.docker or "",
        programs=programs,
        hidden=" ".join(hidden),
        noexec=",noexec" if traits.noexec else "",
        size=f",size={traits.size}" if traits.size else "",
    )
    _ip("netns", "add", name)
    try:
        _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        _ip("link", "set", cable, "master", on.bridge, "up")
        _ip("-n", name, "addr", "add", f"{on.address(number)}/24", "dev", "eth0")
        _ip("-n", name, "-6", "addr", "add", f"{on.address6(number)}/64", "dev", "eth0", "nodad")
        _ip("-n", name, "link", "set", "eth0", "up")
        if traits.routed:
            _ip("-n", name, "route", "add", on.far, "via", on.near)
        argv = ("ip", "netns", "exec", name, "unshare", "--mount", "sh", "-c", script)
        with running(argv, folder.with_suffix(".log")) as daemon:
            daemon.wait_for("Server listening on 0.0.0.0")
            words = key.with_suffix(".pub").read_text().split()
            made = Host(
                name,
                on.address(number),
                on.address6(number),
                traits.user,
                f"{words[0]} {words[1]}",
                daemon.log,
                daemon.child.pid,
            )
            try:
                yield made
            finally:
                made.cut()
    finally:
        # a namespace that something still runs in goes later, and must not keep its name
        for what in (("link", "del", cable), ("netns", "del", name)):
            with contextlib.suppress(RuntimeError):
                _ip(*what)
        shutil.rmtree(folder)


def _ip(*arguments: str) -> None:
    output(("ip", *arguments))


def _children(pid: int) -> list[int]:
    """Return the processes that a process started, and these in turn."""
    tasks = Path(f"/proc/{pid}/task/{pid}/children")
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        direct = [int(child) for child in tasks.read_text().split()]
        return [*direct, *(below for child in direct for below in _children(child))]
    return []


def _name(pid: int) -> str:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/comm").read_text().rstrip()
    return ""
