"""Many hosts at once: the lines that a person sees of them, and the memory that they take."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.failures import PATIENCE, until
from bed.fixtures import SAMPLE
from bed.fleet import Admin
from bed.hosts import Host
from bed.pushes import access

COUNT = 12
MOST_KIB = 120_000
WAYS = ("invoke", "copy", "relay", "tunnel")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture(scope="module")
def addresses(docker_host: Host) -> Iterator[list[str]]:
    """More addresses of one host, each of which is a host to those who push from it."""
    network = docker_host.address.rpartition(".")[0]
    found = [f"{network}.{150 + number}" for number in range(COUNT)]
    for verb in ("add", "del"):
        docker_host.run("".join(f"ip addr {verb} {each}/32 dev eth0; " for each in found))
        if verb == "add":
            yield found


@pytest.fixture
def hosts(admin: Admin, docker_host: Host, addresses: list[str]) -> list[str]:
    """The options that name all of them."""
    known = (f"{each} {docker_host.key}\n" for each in addresses)
    (admin.ssh / "known_hosts").write_text("".join(known))
    return [part for each in addresses for part in ("--host", f"root@{each}")]


def started(admin: Admin, name: str, *arguments: str) -> "subprocess.Popen[bytes]":
    options, password = access(admin.registry)
    argv = ("push", "--remote", *arguments, "--image", f"{admin.registry.host}/{name}", *options)
    program = admin.program
    child = subprocess.Popen(
        (program.path, *argv),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=program.environment(),
        cwd=program.project,
    )
    if child.stdin:
        child.stdin.write(password)
        child.stdin.close()
        child.stdin = None
    return child


def own(lines: list[str]) -> list[str]:
    """Return the lines without those of a registry that could not keep up."""
    return [line for line in lines if "Retrying in " not in line]


@pytest.mark.parametrize("way", WAYS)
def test_each_host_has_one_line_and_all_have_one(
    admin: Admin, hosts: list[str], addresses: list[str], way: str
) -> None:
    argv = (*hosts, "--source", SAMPLE, "--via", way)
    done = admin.run(f"many/{way}:1", *argv)
    assert done.code == 0, done.stderr
    first, *each, last = own(done.stderr.splitlines())
    assert first == f"Target: {admin.registry.host}/many/{way}:1"
    pattern = re.compile(rf"(\S+) pushed by {way}, .* sent in .*")
    names = [found[1] if (found := pattern.fullmatch(line)) else line for line in each]
    assert sorted(names) == sorted(addresses)
    assert last.startswith(f"{COUNT} hosts: {COUNT} pushed; ")


def memory(pid: int) -> int:
    """Return the most memory that a process had so far, in KiB; 0 once it has ended.

    What wait4(2) tells counts what the test runner had when it started the process, too.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) if found else 0


def test_a_program_that_goes_to_all_hosts_is_not_held_for_each(
    admin: Admin, hosts: list[str]
) -> None:
    argv = (*hosts, "--source", SAMPLE, "--via", "copy", "--parallel", str(COUNT))
    with started(admin, "many/memory:1", *argv) as child:
        most = 0
        while child.poll() is None:
            most = max(most, memory(child.pid))
            time.sleep(0.05)
    assert child.returncode == 0
    assert 0 < most < MOST_KIB


@pytest.mark.parametrize("way", WAYS)
def test_after_an_interrupt_nothing_is_said_of_hosts_that_it_broke_off(
    admin: Admin, docker_host: Host, hosts: list[str], way: str
) -> None:
    with started(
        admin, f"many/interrupt-{way}:1", *hosts, "--source", SAMPLE, "--via", way
    ) as child:
        until(lambda: len(docker_host.connections()) >= COUNT or child.poll() is not None)
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=PATIENCE)
    assert child.returncode == 130, said.decode()
    _, *rest = said.decode().splitlines()
    shown = [line for line in rest if line and " pushed by " not in line]
    assert shown[-1] == "Interrupted. No tag was changed."
    assert len(shown) == 2, shown
    assert re.match(rf"{COUNT} hosts: .*\d+ not done; ", shown[0])


@pytest.mark.parametrize("way", ["invoke", "relay"])
def test_at_a_terminal_each_host_has_a_row_and_all_have_a_line(
    admin: Admin, hosts: list[str], addresses: list[str], way: str
) -> None:
    options, password = access(admin.registry)
    image = f"{admin.registry.host}/many/terminal-{way}:1"
    argv = ("push", "--remote", *hosts, "--source", SAMPLE, "--via", way, "--image", image)
    asks = [each for each in options if each != "--password-stdin"]
    with admin.program.terminal(*argv, *asks) as terminal:
        terminal.screen.expect("Password for ")
        terminal.screen.sendline(password.decode().strip())
        code, shown = terminal.finish()
    assert code == 0, shown
    lines = [line.strip() for line in re.split(r"[\r\n]+", _CONTROL.sub("", shown))]
    rows = {line.split()[0].rstrip(":") for line in lines if line} & set(addresses)
    assert rows == set(addresses)
    (end,) = (n for n, line in enumerate(lines) if line.startswith(f"{COUNT} hosts: {COUNT} push"))
    assert not [line for line in own(lines[:end]) if " pushed by " in line or "sha256:" in line]
    heading, *table = [line for line in lines[end + 1 :] if line]
    assert heading.split()[0] == "HOST"
    assert [line.split()[0] for line in table[:COUNT]] == [f"root@{each}:22" for each in addresses]
    assert len(table) == COUNT + 1, "and the reference, which is what stdout has"
