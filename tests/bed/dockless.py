"""dockless as its users run it: a whole process, with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from pexpect import EOF
from pexpect.fdpexpect import fdspawn

from bed.tools import tools_folder

SCRIPT = Path(sys.executable).parent / "dockless"


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended.

    Attributes:
        code: The exit status; negative for the signal that ended it.
        stdout: What it wrote there.
        stderr: What it wrote there.
    """

    code: int
    stdout: str
    stderr: str


class Terminal:
    """dockless at a terminal of its own, which is its controlling terminal.

    Attributes:
        screen: What the terminal shows, as a pexpect object: `expect`, `sendline`, `sendintr`.
    """

    def __init__(self, argv: tuple[str, ...], environment: Mapping[str, str], cwd: Path) -> None:
        ours, theirs = os.openpty()
        # setsid makes the terminal the controlling one, without code between fork and exec.
        self._child = subprocess.Popen(
            ("setsid", "--ctty", *argv),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment,
            cwd=cwd,
        )
        os.close(theirs)
        self.screen = fdspawn(ours, timeout=60, encoding="utf-8", codec_errors="replace")

    def finish(self) -> tuple[int, str]:
        """Wait for the end; return the exit status and what was shown since the last match."""
        self.screen.expect(EOF)
        return self._child.wait(timeout=120), self.screen.before or ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.screen.close()
        self._child.kill()
        self._child.wait()


@dataclass(frozen=True, slots=True)
class Dockless:
    """The console script, with a home, a project folder and XDG folders that nobody else uses.

    Attributes:
        folder: Holds all of them.
        extra: Environment beside that.
        before: A program that starts it, such as `ip netns exec NAME`.
        name: Which of our scripts it is.
    """

    folder: Path
    extra: Mapping[str, str]
    before: tuple[str, ...] = ()
    name: str = "dockless"

    @property
    def path(self) -> Path:
        """The script."""
        return SCRIPT.with_name(self.name)

    def script(self, name: str) -> "Dockless":
        """Return another of our scripts, in the same folders."""
        return replace(self, name=name)

    @property
    def project(self) -> Path:
        """The folder in which it runs."""
        return self.folder / "project"

    @property
    def home(self) -> Path:
        """The home it sees."""
        return self.folder / "home"

    def environment(self) -> dict[str, str]:
        """Return its whole environment."""
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.folder / "cache"),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_DATA_HOME": str(self.folder / "data"),
            "XDG_RUNTIME_DIR": str(self.folder / "run"),
            "TMPDIR": str(self.folder / "tmp"),
            "DOCKLESS_TOOLS_DIR": str(tools_folder()),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
            **self.extra,
        }

    def run(self, *arguments: str | Path, stdin: bytes = b"", timeout: float = 120) -> Result:
        """Run it to its end, whatever the end is."""
        done = subprocess.run(
            (*self.before, self.path, *arguments),
            input=stdin,
            capture_output=True,
            env=self.environment(),
            cwd=self.project,
            timeout=timeout,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    def start(self, *arguments: str | Path) -> subprocess.Popen[bytes]:
        """Start it, to be interrupted or killed; its stdout and stderr are pipes."""
        return subprocess.Popen(
            (*self.before, self.path, *arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment(),
            cwd=self.project,
        )

    def terminal(self, *arguments: str | Path) -> Terminal:
        """Start it at a terminal; use it as a context manager."""
        argv = tuple(map(str, (*self.before, self.path, *arguments)))
        return Terminal(argv, self.environment(), self.project)


def dockless(folder: Path, **extra: str) -> Dockless:
    """Make the folders under `folder` and return dockless in them, with this environment added."""
    for name in ("home", "project", "cache", "config", "data", "tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "run").mkdir(mode=0o700)
    return Dockless(folder, extra)
