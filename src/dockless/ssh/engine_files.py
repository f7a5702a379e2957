"""What an engine needs on a host: its program, certificates, and skopeo's files."""

import hashlib
import shlex
from collections.abc import Sequence
from pathlib import Path

from dockless.ports import Progress
from dockless.ssh import files
from dockless.ssh.workdir import Workdir

_POLICIES = ("{home}/.config/containers/policy.json", "/etc/containers/policy.json")
_ENGINE = "crane"  # the only one that runs without anything else
_KEPT = ".cache/dockless/engines"


def send_engine(place: Workdir, program: Path, progress: Progress, *, keep: bool) -> str:
    """Copy a program to a host, unless a kept copy of the same bytes is there; return its path.

    Args:
        place: The host.
        program: The program, a file of this machine.
        progress: Where the transfer is shown.
        keep: Whether it goes to a folder of the account there, which stays, and not to ours.

    Raises:
        EngineError: It cannot be written there, or did not arrive intact.
        HostLostError: The connection broke.
    """
    shell, folder = place.shell, place.facts.folder
    if keep:
        digest = hashlib.sha256(program.read_bytes()).hexdigest()
        folder = f"{place.facts.home}/{_KEPT}/{digest}"
        shell.script(f"mkdir -p {shlex.quote(folder)}")
        if files.is_same(shell, f"{folder}/{_ENGINE}", digest):
            return f"{folder}/{_ENGINE}"
    task = progress.start(f"sending {_ENGINE}", program.stat().st_size)
    try:
        files.send_program(shell, program, f"{folder}/{_ENGINE}", task)
        task.complete()
    finally:
        task.finish()
    return f"{folder}/{_ENGINE}"


def send_certificates(place: Workdir, authorities: Sequence[Path]) -> str:
    """Copy certificates into our folder on a host; return their folder, empty for none."""
    if not authorities:
        return ""
    folder = f"{place.facts.folder}/certificates"
    place.shell.script(f"mkdir -p {shlex.quote(folder)}")
    for number, path in enumerate(authorities):
        files.put(place.shell, path.read_bytes(), f"{folder}/{number}.crt", 0o600)
    return folder


def send_settings(place: Workdir, path: str, content: bytes) -> None:
    """Write a file for our account alone, in a folder that is made for it."""
    place.shell.script(f"mkdir -p {shlex.quote(str(Path(path).parent))}")
    files.put(place.shell, content, path, 0o600)


def signature_policy(place: Workdir) -> Path | None:
    """Return the signature policy that skopeo obeys on a host; None where it has none."""
    paths = [path.format(home=place.facts.home) for path in _POLICIES]
    return next((Path(path) for path in paths if place.shell.is_file(path)), None)
