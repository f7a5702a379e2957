"""Files that go to a host over SFTP."""

import contextlib
import hashlib
import io
import shlex
from pathlib import Path
from typing import IO

from dockless.errors import EngineError, HostLostError, PushError
from dockless.model.printable import bounded
from dockless.model.reasons import reason
from dockless.ports import Task
from dockless.ssh.executor import BROKEN, RemoteShell

_CHUNK = 1024 * 1024
_OPEN_SECONDS = 60.0


def put(shell: RemoteShell, data: bytes, path: str, mode: int) -> None:
    """Write a file on a host.

    Raises:
        EngineError: The host has no SFTP, or the file cannot be written there.
        HostLostError: The connection broke.
    """
    _write(shell, io.BytesIO(data), path, mode)


def _write(
    shell: RemoteShell, data: IO[bytes], path: str, mode: int, task: Task | None = None
) -> None:
    try:
        sftp = shell.sessions.sftp(_OPEN_SECONDS)
    except (*BROKEN, OSError):
        sftp = None
    if sftp is None:
        if not shell.transport.is_active():
            raise HostLostError(f"The connection to {shell.host} broke.")
        raise EngineError(f"{shell.host} offers no SFTP.", "Push with --via relay.")
    with contextlib.closing(sftp):
        try:
            with sftp.open(path, "wb") as file:
                file.set_pipelined(True)
                while chunk := data.read(_CHUNK):
                    file.write(chunk)
                    if task:
                        task.advance(len(chunk))
            sftp.chmod(path, mode)
        except (*BROKEN, OSError) as error:
            channel = sftp.get_channel()
            if isinstance(error, BROKEN) or not channel or channel.closed:
                raise HostLostError(f"The connection to {shell.host} broke.") from None
            with contextlib.suppress(*BROKEN, OSError):
                sftp.remove(path)
            why = reason(error)
            raise EngineError(
                f"{path} cannot be written on {shell.host}: {why}.",
                "Check the free space there, or push with --via relay.",
            ) from None


def read(shell: RemoteShell, path: str) -> bytes:
    """Return a small file of a host.

    Raises:
        PushError: It cannot be read.
    """
    done = shell.run(("cat", path))
    if done.code:
        raise PushError(f"{path} cannot be read on {shell.host}: {bounded(done.stderr)}")
    return done.stdout


def send_program(shell: RemoteShell, program: Path, path: str, task: Task) -> None:
    """Copy a program to a host, and verify its checksum before it may run.

    Raises:
        EngineError: The host has no SFTP, cannot hash, or has other bytes than were sent.
    """
    with program.open("rb") as file:
        _write(shell, file, path, 0o600, task)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if not is_same(shell, path, digest):
        raise EngineError(
            f"{program.name} did not arrive at {shell.host} intact, or no program there can "
            "compute its SHA-256.",
            "Push with --via relay.",
        )
    shell.script(f"chmod 700 {shlex.quote(path)}")


def is_same(shell: RemoteShell, path: str, digest: str) -> bool:
    """Whether a file of a host has this SHA-256, in hexadecimal digits."""
    quoted = shlex.quote(path)
    done = shell.script(
        f"if command -v sha256sum >/dev/null; then sha256sum {quoted}; "
        f"else shasum -a 256 {quoted}; fi"
    )
    return done.stdout.decode(errors="replace").split(" ")[0] == digest
