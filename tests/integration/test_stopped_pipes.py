"""Pipes whose other end stops: `--timeout` ends the command, and so does a signal."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.failures import PATIENCE, until
from bed.images import Layer
from bed.registry import Registry

pytestmark = pytest.mark.sampled(7)

ENDINGS = pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)


@pytest.fixture
def layout(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    made = images.Layout(tmp_path / "web")
    made.top(made.image(layers[:1], "amd64", **images.named("ghcr.io/acme/web:v1")))
    return made.folder


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A pipe that has a reader, which reads nothing, and no room."""
    os.mkfifo(tmp_path / "full")
    descriptor = os.open(tmp_path / "full", os.O_RDWR | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(descriptor, bytes(4096))
    yield tmp_path / "full"
    os.close(descriptor)


def into(program: Dockless, pipe: Path) -> Dockless:
    """Return dockless with a pipe as its standard output."""
    return replace(program, before=("sh", "-c", f'exec "$0" "$@" >{pipe}'))


def waits(pid: int) -> bool:
    """Whether a process, which has begun, takes no processor time."""
    times = []
    for _ in range(4):
        times.append(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13])
        time.sleep(0.25)
    return times[0] != ["0", "0"] and times.count(times[0]) == len(times)


def arrived(registry: Registry) -> bool:
    tag = "docker/registry/v2/repositories/acme/web/_manifests/tags/v1/current/link"
    return (registry.storage / tag).is_file()


@ENDINGS
@pytest.mark.parametrize("what", ["receipt", "stdout", "digest"])
def test_a_reader_that_stops_keeps_nobody_from_ending(
    program: Dockless,
    own_registry: Registry,
    layout: Path,
    full: Path,
    what: str,
    number: signal.Signals,
    code: int,
) -> None:
    host = own_registry.host
    argv: tuple[str | Path, ...] = ("mirror", layout, "--to", host, "--receipt", full)
    if what == "stdout":
        program, argv = into(program, full), ("mirror", layout, "--to", host, "--format", "json")
    if what == "digest":
        argv = ("push", layout, "--image", f"{host}/acme/web:v1", "--digest-file", full)
    with program.start(*argv) as child:
        until(lambda: arrived(own_registry) or child.poll() is not None)
        child.send_signal(number)
        _, stderr = child.communicate(timeout=PATIENCE)
    assert child.returncode == code, stderr.decode()
    assert "Traceback" not in stderr.decode()


@ENDINGS
@pytest.mark.parametrize("command", ["push", "mirror", "doctor"])
def test_messages_that_nobody_reads_keep_nobody_from_ending(
    program: Dockless,
    own_registry: Registry,
    layout: Path,
    full: Path,
    command: str,
    number: signal.Signals,
    code: int,
) -> None:
    host = own_registry.host
    argv: dict[str, tuple[str | Path, ...]] = {
        "push": ("push", layout, "--image", f"{host}/acme/web:v1"),
        "mirror": ("mirror", layout, "--to", host),
        "doctor": ("doctor",),
    }
    deaf = replace(program, before=("sh", "-c", f'exec "$0" "$@" 2>{full}'))
    with deaf.start(*argv[command]) as child:
        until(lambda: waits(child.pid) or child.poll() is not None)
        child.send_signal(number)
        child.communicate(timeout=PATIENCE)
    assert child.returncode == code or (command == "doctor" and child.returncode in (0, 1))


@pytest.mark.parametrize("what", ["receipt", "stdout", "digest"])
def test_a_reader_that_stops_is_waited_for_until_the_timeout(
    program: Dockless, own_registry: Registry, layout: Path, full: Path, what: str
) -> None:
    host = own_registry.host
    argv: tuple[str | Path, ...] = ("mirror", layout, "--to", host, "--receipt", full)
    if what == "stdout":
        program, argv = into(program, full), ("mirror", layout, "--to", host, "--format", "json")
    if what == "digest":
        argv = ("push", layout, "--image", f"{host}/acme/web:v1", "--digest-file", full)
    done = program.run(*argv, "--timeout", "8s", timeout=PATIENCE)
    assert done.code == 6, done.stderr
    assert "--timeout" in done.stderr


@pytest.mark.parametrize("command", ["push", "mirror", "bundle create"])
@pytest.mark.parametrize("written", [None, 0, 700])
def test_a_writer_that_stops_is_waited_for_until_the_timeout(
    program: Dockless,
    own_registry: Registry,
    layout: Path,
    tmp_path: Path,
    command: str,
    written: int | None,
) -> None:
    images.archive(layout, tmp_path / "whole.tar")
    pipe = tmp_path / "pipe.tar"
    os.mkfifo(pipe)
    options = {
        "push": ("--image", f"{own_registry.host}/acme/web:v1"),
        "mirror": ("--to", own_registry.host),
        "bundle create": ("-o", str(tmp_path / "disk")),
    }[command]
    with contextlib.ExitStack() as stack:
        if written is not None:
            descriptor = os.open(pipe, os.O_RDWR)  # or it would be waited for here
            stack.callback(os.close, descriptor)
            os.write(descriptor, (tmp_path / "whole.tar").read_bytes()[:written])
        argv: tuple[str | Path, ...] = (*command.split(), pipe, *options, "--timeout", "3s")
        done = program.run(*argv, timeout=PATIENCE)
    assert done.code == 6, done.stderr
    assert "--timeout" in done.stderr


@pytest.mark.parametrize("written", [b"", b"p", b"half of a pass"])
def test_a_password_that_does_not_come_is_waited_for_until_the_timeout(
    program: Dockless, tmp_path: Path, written: bytes
) -> None:
    pipe = tmp_path / "password"
    os.mkfifo(pipe)
    descriptor = os.open(pipe, os.O_RDWR)
    os.write(descriptor, written)
    program = replace(
        program,
        before=("sh", "-c", f'exec "$0" "$@" <{pipe}'),
        extra={"DOCKLESS_KEYRING": "kernel"},
    )
    who = ("--username", "me", "--password-stdin", "--timeout", "2s")
    done = program.run("login", "127.0.0.1:1", *who, timeout=PATIENCE)
    os.close(descriptor)
    assert done.code == 6, done.stderr
    assert "--timeout" in done.stderr
    assert "Traceback" not in done.stderr
