"""`make bench-remote`: pushes from hosts beside what a shell with OpenSSH does.

The hosts are sshd instances in network namespaces of this machine. Each time is the median of
several runs of whole processes, which alternate.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bed.docker import Docker, docker
from bed.dockless import Dockless, dockless
from bed.hosts import Host, Network, Traits, host, network
from bed.registry import Registry, docker_registry, empty
from bed.tools import crane, tools_folder
from benchmarks.images import MB, base_layers, image
from benchmarks.machine import heading, machine, versions
from benchmarks.measure import Contender, alternate, median
from benchmarks.rows import Row, table
from dockless.model.server import Server
from dockless.report.progress import QuietTask
from dockless.ssh import config, connection, executor, files, keys, workdir

_HOSTS = 32
_BIG = "bench:1"


@dataclass(frozen=True, slots=True)
class Lab:
    """Everything that is measured with."""

    folder: Path
    registry: Registry
    program: Dockless
    daemon: Docker
    hosts: Sequence[Host]
    key: Path
    rounds: int

    @property
    def environment(self) -> dict[str, str]:
        """What dockless sees."""
        return self.program.environment()

    @property
    def store(self) -> Path:
        """What dockless keeps of layers."""
        return self.folder / "store"

    def fresh(self) -> None:
        """Empty registry and store."""
        empty(self.registry)
        shutil.rmtree(self.store, ignore_errors=True)

    def ssh(self) -> tuple[str, ...]:
        """Return how OpenSSH is called."""
        known = self.program.home / ".ssh" / "known_hosts"
        return ("-i", str(self.key), "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes")

    def push(self, hosts: Sequence[Host], *arguments: str | Path) -> tuple[str | Path, ...]:
        """Return the argv of a push from these hosts."""
        chosen = tuple(part for each in hosts for part in ("--host", each.target))
        target = ("--image", f"{self.registry.host}/team/app:1", "--insecure")
        return (self.program.path, "push", "--remote", *chosen, *target, *arguments)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.remote")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each program")
    asked = parser.parse_args()
    with _lab(asked.rounds) as lab:
        rows = [
            *_many(lab),
            *_same(lab),
            _relay(lab),
            _copy(lab),
        ]
        print(f"\n{heading(machine(), versions(lab.environment))}\n\n{table(rows)}")


@contextmanager
def _lab(rounds: int) -> Iterator[Lab]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        folder.chmod(0o755)
        bridge = stack.enter_context(network())
        (folder / "registry").mkdir()
        registry = stack.enter_context(docker_registry(folder / "registry", address=bridge.far))
        (folder / "docker").mkdir()
        daemon = stack.enter_context(docker(folder / "docker"))
        program = dockless(folder / "dockless", DOCKLESS_CACHE_DIR=str(folder / "store"))
        ssh = program.home / ".ssh"
        ssh.mkdir(mode=0o700)
        key = ssh / "id_ed25519"
        subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key), check=True)
        hosts = [
            stack.enter_context(_host(folder, bridge, number, daemon, key))
            for number in range(_HOSTS)
        ]
        (ssh / "known_hosts").write_text("".join(each.known() for each in hosts))
        print(f"Making {_HOSTS} small images, and one of about 500 MB from the files of /usr.")
        for number in range(_HOSTS):
            _small(folder, daemon, number)
        archive = image(folder, "big", base_layers(folder / "base"), "a note\n")
        daemon.run("load", "--input", archive.path)
        yield Lab(folder, registry, program, daemon, hosts, key, rounds)


@contextmanager
def _host(folder: Path, bridge: Network, number: int, daemon: Docker, key: Path) -> Iterator[Host]:
    traits = Traits(docker=daemon.socket, programs=tools_folder())
    public = key.with_suffix(".pub").read_text()
    with host(folder / f"host-{number}", bridge, number, traits, public) as made:
        yield made


def _small(folder: Path, daemon: Docker, number: int) -> None:
    """Make an image of a few real files, one of them like no other image's."""
    tree = folder / f"small-{number}"
    tree.mkdir()
    (tree / "number").write_text(f"{number}\n")
    for name in ("passwd", "services", "protocols"):
        if Path("/etc", name).exists():
            shutil.copy(f"/etc/{name}", tree)
    archive = folder / f"small-{number}.tar"
    subprocess.run(("tar", "-C", tree, "-cf", archive, "."), check=True)
    daemon.run("import", archive, f"small:{number}")


def _many(lab: Lab) -> Iterator[Row]:
    """Time distinct small images from all hosts, beside a shell loop with `&`."""
    project = lab.program.project
    servers = [
        {"host": each.address, "user": each.user, "imageName": f"small:{number}"}
        for number, each in enumerate(lab.hosts)
    ]
    (project / "deploy-servers.json").write_text(json.dumps({"servers": servers}))
    loop = lab.folder / "loop.sh"
    options = " ".join(lab.ssh())
    loop.write_text(
        "".join(
            f"ssh {options} {each.target} 'docker save small:{number} >/tmp/i.tar && "
            f"crane push --insecure /tmp/i.tar {lab.registry.host}/team/loop:{number} && "
            f"rm /tmp/i.tar' &\n"
            for number, each in enumerate(lab.hosts)
        )
        + "wait\n"
    )
    target = ("--image", f"{lab.registry.host}/team/app:1", "--insecure")
    more = ("--via", "invoke", "--allow-different", "--parallel", str(_HOSTS))
    start = ("env", "-C", project, lab.program.path)
    ours = (*start, "push", "--remote", *target, *more)
    runs = alternate(
        [
            Contender("dockless", ours, lab.environment, lab.fresh),
            Contender("loop", ("sh", loop), lab.environment, lab.fresh),
        ],
        lab.rounds,
    )
    _print("32 distinct images by invoke", runs)
    peaks = [
        _memory(lab, lab.push(hosts, "--source", "small:0", *more)) / MB
        for hosts in (lab.hosts[:1], lab.hosts)
    ]
    print(f"memory: {peaks[0]:.0f} MB for one host, {peaks[1]:.0f} MB for {_HOSTS}")
    yield Row(
        "32 hosts, invoke",
        median(runs["dockless"]),
        "s",
        1.5,
        "ssh loop with &",
        median(runs["loop"]),
        relative=True,
    )
    yield Row("its memory more than for one host", peaks[1] - peaks[0], "MB", 60)


def _memory(lab: Lab, argv: Sequence[str | Path]) -> float:
    """Return the most bytes of memory that a program itself had."""
    lab.fresh()
    most = 0
    with subprocess.Popen(
        argv,
        env=lab.environment,
        cwd=lab.program.project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as child:
        while child.poll() is None:
            status = Path(f"/proc/{child.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+) kB", status)
            most = max(most, int(found[1]) * 1024 if found else 0)
            time.sleep(0.02)
    return most


def _same(lab: Lab) -> Iterator[Row]:
    """Count how often each blob of one image crosses to the registry, from all hosts."""
    lab.fresh()
    before = len(lab.registry.requests())
    argv = lab.push(lab.hosts, "--source", "small:0", "--via", "relay", "--parallel", str(_HOSTS))
    began = time.perf_counter()
    subprocess.run(
        argv, env=lab.environment, cwd=lab.program.project, check=True, capture_output=True
    )
    print(f"32 hosts, one image by relay: {time.perf_counter() - began:.2f} s")
    sent = [
        each
        for each in lab.registry.requests()[before:]
        if each.method == "PUT" and "/blobs/uploads/" in each.path and each.status == 201  # noqa: PLR2004 - created
    ]
    blobs = {re.search(r"digest=([^&]+)", each.path)[1] for each in sent}  # type: ignore[index]
    yield Row("32 hosts, relay: uploads a blob", len(sent) / len(blobs), "times", 1)


def _relay(lab: Lab) -> Row:
    """Time a cold relay of a large image, beside the same bytes through ssh alone."""
    first = lab.hosts[0]
    plain = lab.folder / "plain.sh"
    options = " ".join(lab.ssh())
    plain.write_text(f"ssh {options} {first.target} docker save {_BIG} | cat >/dev/null\n")
    runs = alternate(
        [
            Contender(
                "dockless",
                lab.push([first], "--source", _BIG, "--via", "relay"),
                lab.environment,
                lab.fresh,
            ),
            Contender("ssh", ("sh", plain), lab.environment, lab.fresh),
        ],
        lab.rounds,
    )
    _print("relay of 500 MB", runs)
    return Row(
        "relay, 500 MB",
        median(runs["dockless"]),
        "s",
        round(1 / 0.7, 2),
        "ssh docker save | cat",
        median(runs["ssh"]),
        relative=True,
    )


def _copy(lab: Lab) -> Row:
    """Time crane over SFTP, connection included, beside scp."""
    first, program = lab.hosts[0], crane()
    environment = lab.environment
    made = connection.Ssh(
        find_route=lambda server: config.find_route(server, environment),
        keys=keys.KeyFiles(lambda _: None),
        accept_new=False,
        note=print,
    )

    def ours() -> None:
        with (
            connection.connect(Server(address=first.address, user=first.user), made) as transport,
            workdir.workdir(executor.RemoteShell(transport, first.address, 30)) as place,
        ):
            files.send_program(place.shell, program, f"{place.facts.folder}/crane", QuietTask())

    def theirs() -> None:
        argv: tuple[str | Path, ...] = (
            "scp",
            "-q",
            *lab.ssh(),
            program,
            f"{first.target}:/tmp/crane",
        )
        subprocess.run(argv, check=True, env=environment)

    taken: dict[str, list[float]] = {"dockless": [], "scp": []}
    for _ in range(lab.rounds):
        for name, step in (("dockless", ours), ("scp", theirs)):
            taken[name].append(_seconds(step))
    print("crane by SFTP", {name: [f"{each:.2f}" for each in all_] for name, all_ in taken.items()})
    mine, scp = (statistics.median(taken[name]) for name in ("dockless", "scp"))
    return Row("crane to a host", mine, "s", round(1 / 0.7, 2), "scp", scp, relative=True)


def _seconds(step: Callable[[], None]) -> float:
    os.sync()
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def _print(what: str, runs: dict[str, list[float]]) -> None:
    print(f"\n{what}")
    for name, each in runs.items():
        print(f"   {name:<9} {'  '.join(f'{one:.2f}' for one in each)} s")


if __name__ == "__main__":
    main()
