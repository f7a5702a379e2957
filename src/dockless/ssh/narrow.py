"""What is said of a host that lets an account in, but runs no commands for it."""

import re

from dockless.errors import EngineError
from dockless.model.printable import bounded, printable

_WINDOWS = re.compile(
    r"is not recognized as (?:an internal or external command|the name of a cmdlet)|CmdletNotFound",
    re.IGNORECASE,
)
_SFTP = re.compile(r"allows sftp connections only|bad message from", re.IGNORECASE)
_LONGEST = 200


def runs_nothing(host: str, command: str, stdout: bytes, stderr: bytes) -> EngineError:
    """Return the error for a host that ends without having run a command.

    Args:
        host: Its name.
        command: The command line, which may be part of what it said.
        stdout: What it wrote there.
        stderr: What it wrote there.
    """
    said = f"{stdout.decode(errors='replace')}\n{stderr.decode(errors='replace')}"
    if _WINDOWS.search(said):
        return EngineError(
            f"{host} has PowerShell or cmd.exe as its login shell, in which no push can run.",
            "Use an account with a POSIX shell, such as one of WSL, or push the image from there.",
        )
    if _SFTP.search(said):
        return EngineError(
            f"{host} allows this account SFTP only, and no commands.", "Use another account there."
        )
    lines = [line.strip() for line in said.replace(command, "…").splitlines()]
    told = next((line for line in reversed(lines) if line), "")
    words = f" It says: {bounded(printable(told), _LONGEST)}" if told else ""
    return EngineError(
        f"{host} runs no commands for this account.{words.rstrip('.')}{'.' if words else ''}",
        "Use an account there that has a shell, and may run commands.",
    )
