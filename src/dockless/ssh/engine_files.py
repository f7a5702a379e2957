"""What an engine needs on a host: its program, certificates, and skopeo's files."""

import hashlib
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from dockless.model.endpoint import Endpoint
from dockless.ports import Progress
from dockless.processes.run import Finished
from dockless.ssh import files, reach
from dockless.ssh.workdir import Workdir

_POLICIES = ("{home}/.config/containers/policy.json", "/etc/containers/policy.json")
_ENGINE = "crane"  # the only one that runs without anything else
_KEPT = ".cache/dockless/engines"


class EngineFiles:
    """A host and our folder there, as `engines.host_engines.EngineHost`.

    Args:
        place: The host.

    Attributes:
        facts: What the host reports.
        programs: Its programs and files.
    """

    def __init__(self, place: Workdir) -> None:
        self.facts = place.facts
        self.programs = place.shell
        self._shell = place.shell

    def run(self, argv: Sequence[str], *, stdin: bytes, environment: Mapping[str, str]) -> Finished:
        """Run a program that may take long."""
        return self._shell.work(argv, stdin=stdin, environment=environment)

    def read(self, path: str) -> bytes:
        """Return a file of the host."""
        return files.read(self._shell, path)

    def send_engine(self, program: Path, progress: Progress, *, keep: bool) -> str:
        """Copy a program to the host, unless a kept copy of the same bytes is there.

        Args:
            program: The program, a file of this machine.
            progress: Where the transfer is shown.
            keep: Whether it goes to a folder of the account there, which stays, and not to ours.

        Returns:
            Its path there.

        Raises:
            EngineError: It cannot be written there, or did not arrive intact.
            HostLostError: The connection broke.
        """
        shell, folder = self._shell, self.facts.folder
        if keep:
            with program.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            folder = f"{self.facts.home}/{_KEPT}/{digest}"
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

    def send_certificates(self, authorities: Sequence[Path]) -> str:
        """Copy certificates into our folder; return their folder there, empty for none."""
        if not authorities:
            return ""
        folder = f"{self.facts.folder}/certificates"
        self._shell.script(f"mkdir -p {shlex.quote(folder)}")
        for number, path in enumerate(authorities):
            files.put(self._shell, path.read_bytes(), f"{folder}/{number}.crt", 0o600)
        return folder

    def send_settings(self, path: str, content: bytes) -> None:
        """Write a file for our account alone, in a folder that is made for it."""
        self._shell.script(f"mkdir -p {shlex.quote(str(Path(path).parent))}")
        files.put(self._shell, content, path, 0o600)

    def signature_policy(self) -> Path | None:
        """Return the signature policy that skopeo obeys there; None where it has none."""
        paths = [path.format(home=self.facts.home) for path in _POLICIES]
        return next((Path(path) for path in paths if self._shell.is_file(path)), None)

    def reaches(self, endpoint: Endpoint) -> bool | None:
        """Whether the host gets a response of a registry; None when no program there can tell."""
        return reach.reaches(self._shell, endpoint)
