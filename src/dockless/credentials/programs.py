"""External programs that issue a token, each with a time limit."""

from collections.abc import Mapping
from typing import Any

from dockless.errors import EngineError
from dockless.model.printable import bounded
from dockless.model.secret import Secret
from dockless.oci.untrusted_json import parse_json
from dockless.processes.run import run
from dockless.processes.search import find_program

_PATIENCE_SECONDS = 30.0


def missing(program: str, environment: Mapping[str, str]) -> str:
    """Return why a program cannot be run; empty when it can."""
    there = find_program(program, environment.get("PATH"))
    return "" if there else f"{program} is not installed"


def ask(argv: tuple[str, ...], environment: Mapping[str, str]) -> Secret | str:
    """Return a program's stdout, or why it is not usable.

    The reason never contains its stdout, but the first line of its stderr.
    """
    program = argv[0]
    try:
        done = run(argv, environment, timeout=_PATIENCE_SECONDS)
    except EngineError as error:
        return error.what
    if done.code != 0:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        said = bounded(lines[0]) if lines else "no message"
        return f"{program} ended with status {done.code}: {said}"
    try:
        return Secret(done.stdout.decode().strip())
    except UnicodeDecodeError:
        return f"{program} printed something that is not text"


def members(answer: Secret) -> dict[str, Any] | None:
    """Return a program's JSON object; None for anything else."""
    try:
        found = parse_json(answer.reveal())
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_token(secret: Secret) -> bool:
    """Whether this can be a token: one word of printable ASCII."""
    text = secret.reveal()
    return bool(text) and text.isascii() and text.isprintable() and " " not in text
