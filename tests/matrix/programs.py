"""Which versions the programs of the matrix really are."""

import re

from bed.process import output
from matrix.fetch import path
from matrix.versions import Listed

# crane and oras have a command in place of the option
_OPTIONS = {"crane": "version", "oras": "version"}
_NUMBER = re.compile(r"\d+\.\d+\.\d+")


def version(program: Listed) -> str:
    """Return the version that a program tells; where it tells none, that which was fetched.

    Raises:
        RuntimeError: It cannot be run.
    """
    if program.origin == "source" or (program.name == "crane" and program.origin == "tools"):
        return program.version  # Debian's crane does not know its version
    argument = _OPTIONS.get(program.name, "--version")
    found = _NUMBER.search(output((path(program), argument)))
    return found[0] if found else program.version
