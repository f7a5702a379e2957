"""A signal during the imports, which are most of a short run, ends it without a traceback."""

import os
import signal
import subprocess
import sys

import pytest

# Raises a signal when a module is about to be imported.
_PROGRAM = """
import os, signal, sys
number, at, started = int(sys.argv[1]), sys.argv[2], sys.argv[3]
class Finder:
    def find_spec(self, name, *_):
        if name == at:
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Finder())
sys.argv[1:] = sys.argv[4:]
import dockless.__main__
getattr(dockless.__main__, started)()
"""


def run(number: signal.Signals, at: str, *arguments: str, start: str = "main") -> tuple[int, str]:
    """Return the exit code and stderr of a run that gets a signal at an import."""
    done = subprocess.run(
        (sys.executable, "-c", _PROGRAM, str(int(number)), at, start, *arguments),
        env={**os.environ},
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 143)]
)
@pytest.mark.parametrize(
    "at",
    ["dockless.cli.main", "click", "click.core", "dockless.processes.stops", "dockless.cli.push"],
)
def test_a_signal_during_the_imports_shows_no_traceback(
    number: signal.Signals, code: int, at: str
) -> None:
    ended, said = run(number, at, "push", "--help")
    assert ended == code
    assert "Traceback" not in said
    assert "bug" not in said


@pytest.mark.parametrize(
    "at", ["dockless.credentials.user_keyrings", "json", "dockless.credentials.credential_helper"]
)
def test_the_credential_helper_is_as_quiet(at: str) -> None:
    ended, said = run(signal.SIGINT, at, "list", start="credential_helper")
    assert (ended, said) == (130, "")
