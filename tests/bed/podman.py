"""Rootless podman, as an ordinary account that lives as long as the test session.

dockless itself is run as that account, too, since it is that account's podman it must find. The
account may read neither the checkout nor root's Python, so it gets a copy of dockless.
"""

import contextlib
import importlib.metadata
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

import dockless
from bed.process import output
from bed.tools import crane

# by itself podman takes vfs, which copies every file for every layer
_STORAGE = b'[storage]\ndriver = "overlay"\n'
_SCRIPT = """#!{python}
import sys
from dockless.cli.main import main
sys.exit(main())
"""


@dataclass(frozen=True, slots=True)
class Account:
    """An ordinary user with rootless podman and dockless.

    Attributes:
        name: The user's name.
        home: The user's home, which also holds podman's images.
    """

    name: str
    home: Path

    def run(self, *argv: str | Path, stdin: bytes = b"", timeout: float = 120) -> str:
        """Run a program as the user and return its stdout.

        Raises:
            RuntimeError: It failed.
        """
        return output(self.argv(*argv), stdin=stdin, timeout=timeout)

    def argv(self, *argv: str | Path) -> tuple[str | Path, ...]:
        """Return what runs a program as the user: in its home, with its environment only."""
        environment = (
            f"HOME={self.home}",
            f"XDG_RUNTIME_DIR={self.home / 'run'}",
            f"PYTHONPATH={self.home / 'lib'}",
            f"PATH={self.home / 'bin'}:/usr/sbin:/usr/bin:/sbin:/bin",
        )
        isolated = ("env", f"--chdir={self.home}", "--ignore-environment", *environment)
        return ("runuser", "--user", self.name, "--", *isolated, *argv)

    def give(self, path: Path) -> Path:
        """Copy a file or folder into the user's home; return the copy."""
        copy = self.home / path.name
        if path.is_dir():
            shutil.copytree(path, copy, symlinks=True)
        else:
            shutil.copy(path, copy)
        subprocess.run(("chown", "-R", f"{self.name}:", copy), check=True)
        return copy

    def import_tree(self, tree: Path, reference: str) -> str:
        """Make an image of one layer from a tar of a file tree; return its image ID."""
        return self.run("podman", "import", "--quiet", self.give(tree), reference)

    def build(self, context: Path, reference: str) -> str:
        """Build the context's Dockerfile, a layer a step; return the image ID."""
        return self.run("podman", "build", "-q", "--layers", "-t", reference, self.give(context))

    def save(self, archive: Path, *references: str, form: str = "docker-archive") -> Path:
        """Write an archive of these images to a path of the test's; return the path."""
        saved = self.home / "saved.tar"
        saved.unlink(missing_ok=True)
        several = ("--multi-image-archive",) if len(references) > 1 else ()
        self.run("podman", "save", "-q", *several, "--format", form, "-o", saved, *references)
        return Path(shutil.move(saved, archive))


@contextlib.contextmanager
def account() -> Iterator[Account]:
    """Make an ordinary user, and remove it with everything it has when the block ends."""
    name = f"dockless-{os.getpid()}"
    # the password '*' is one that nobody has, while '!' would keep the account from SSH, too
    subprocess.run(
        ("useradd", "--create-home", "--shell", "/bin/sh", "--password", "*", name), check=True
    )
    entry = pwd.getpwnam(name)
    user = Account(name, Path(entry.pw_dir))
    try:
        user.home.chmod(0o755)
        user.run("mkdir", "--mode=700", "run")
        _install_dockless(user.home)
        user.run("mkdir", "-p", ".config/containers")
        user.run("tee", ".config/containers/storage.conf", stdin=_STORAGE)
        yield user
    finally:
        end_processes(entry.pw_uid)
        shutil.rmtree(user.home, ignore_errors=True)
        subprocess.run(("userdel", name), check=True)


def _install_dockless(home: Path) -> None:
    library = home / "lib"
    for distribution in _needed("dockless"):
        for file in distribution.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                copy = library / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(distribution.locate_file(file)), copy)
    package = Path(dockless.__file__).parent
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(package, library / "dockless", dirs_exist_ok=True, ignore=skip)
    programs = home / "bin"
    programs.mkdir()
    shutil.copy(crane(), programs)
    script = programs / "dockless"
    script.write_text(_SCRIPT.format(python=_public_python()))
    script.chmod(0o755)


def _needed(name: str) -> Collection[importlib.metadata.Distribution]:
    """Return a distribution and all that it requires here."""
    found: dict[str, importlib.metadata.Distribution] = {}
    wanted = [Requirement(name)]
    while wanted:
        requirement = wanted.pop()
        markers = [{"extra": extra} for extra in ("", *requirement.extras)]
        if requirement.name not in found:
            found[requirement.name] = importlib.metadata.distribution(requirement.name)
            further = map(Requirement, found[requirement.name].requires or ())
            wanted += [
                each
                for each in further
                if not each.marker or any(map(each.marker.evaluate, markers))
            ]
    return found.values()


def _public_python() -> Path:
    """Return the interpreter of this version that every account may run."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for folder in ("/usr/bin", "/usr/local/bin"):
        if (python := Path(folder, version)).exists():
            return python
    raise LookupError(f"{version} is in neither /usr/bin nor /usr/local/bin")


def end_processes(uid: int) -> None:
    """End what the account still runs: podman leaves a process that holds its namespace."""
    for process in Path("/proc").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if process.name.isdigit() and process.stat().st_uid == uid:
                os.kill(int(process.name), signal.SIGKILL)
