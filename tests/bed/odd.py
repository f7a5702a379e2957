"""Accounts with login shells that are anything but a quiet sh."""

import contextlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bed.podman import end_processes

_SHELLS = {
    "fish": ("/usr/bin/fish", ".config/fish/config.fish", "echo 'Welcome, friend'\n"),
    "tcsh": ("/usr/bin/tcsh", ".cshrc", "echo 'Welcome, friend'\n"),
    "bash": (
        "/bin/bash",
        ".bashrc",
        "echo 'Welcome, friend'; echo 'Mind the gap' >&2; set -e; export LC_ALL=de_DE.UTF-8\n",
    ),
}
KINDS = tuple(_SHELLS)


@dataclass(frozen=True, slots=True)
class Odd:
    """An account.

    Attributes:
        name: The user's name.
        home: Its home.
    """

    name: str
    home: Path


@contextlib.contextmanager
def odd(kind: str) -> Iterator[Odd]:
    """Make an account whose shell is of this kind and greets everybody; remove it afterwards."""
    shell, file, text = _SHELLS[kind]
    name = f"dl{kind}-{os.getpid()}"
    argv = ("useradd", "--create-home", "--shell", shell, "--password", "*", name)
    subprocess.run(argv, check=True)
    made = Odd(name, Path("/home", name))
    try:
        greeting = made.home / file
        greeting.parent.mkdir(parents=True, exist_ok=True)
        greeting.write_text(text)
        subprocess.run(("chown", "-R", f"{name}:", made.home), check=True)
        yield made
    finally:
        end_processes(pwd.getpwnam(name).pw_uid)
        shutil.rmtree(made.home, ignore_errors=True)
        subprocess.run(("userdel", "--force", name), check=True, capture_output=True)
