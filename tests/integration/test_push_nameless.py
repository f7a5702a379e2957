"""Users of whom the machine knows nothing, as in many containers: no name, and no home."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bed import hostile
from bed.dockless import Dockless
from bed.registry import Registry
from bed.tools import crane

pytestmark = pytest.mark.sampled(7)

_USER = "54321"  # has no entry in /etc/passwd
Runs = Callable[..., subprocess.CompletedProcess[str]]
HOMES = pytest.mark.parametrize("home", ["", "/", "/nonexistent", "/proc/1", "own"])


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files that another user can reach, which pytest's are not."""
    folder = Path(tempfile.mkdtemp(prefix="nameless-"))
    folder.chmod(0o1777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def runs(program: Dockless, temporary: Path) -> Runs:
    """Run dockless as a user without a name; `before` goes in front of it."""

    def run(
        *arguments: str, home: str = "", before: tuple[str, ...] = (), stdin: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        if home == "own":
            home = str(temporary / "home")
            Path(home).mkdir(exist_ok=True)
            os.chown(home, int(_USER), 0)
        environment = {"PATH": f"{Path(crane()).parent}:{os.defpath}", "TMPDIR": str(temporary)}
        user = ("setpriv", "--reuid", _USER, "--regid", "0", "--clear-groups")
        done = subprocess.run(
            (*before, *user, program.path, *arguments),
            env=environment | ({"HOME": home} if home else {}),
            cwd="/",
            input=stdin,
            capture_output=True,
            check=False,
            timeout=120,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return run


ARCHIVE = hostile.tar(*hostile.image(hostile.file("layer.tar", hostile.LAYER)))


@HOMES
@pytest.mark.parametrize("engine", ["auto", "crane", "direct"])
def test_an_image_is_pushed(runs: Runs, registry: Registry, home: str, engine: str) -> None:
    target = f"{registry.host}/nameless/{engine}:1"
    done = runs("push", "-", "--image", target, "--engine", engine, home=home, stdin=ARCHIVE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{registry.host}/nameless/{engine}@sha256:")


@HOMES
def test_every_other_command_works(
    runs: Runs, registry: Registry, home: str, temporary: Path
) -> None:
    archive, receipt = temporary / "image.tar", temporary / "receipt.json"
    archive.write_bytes(ARCHIVE)
    archive.chmod(0o644)
    host = registry.host
    for arguments in (
        ("mirror", str(archive), "--as", "nameless/shop", "--to", host, "--receipt", str(receipt)),
        ("verify", str(receipt)),
        ("bundle", "create", str(archive), "--as", "shop", "-o", str(temporary / "bundle.tar")),
        ("bundle", "verify", str(temporary / "bundle.tar")),
        ("whoami",),
        ("logout", host),
        ("tools", "list"),
        ("cache", "info"),
        ("cache", "prune"),
    ):
        done = runs(*arguments, home=home)
        assert done.returncode == 0, (arguments, done.stderr)


def test_a_push_is_the_first_process_of_a_container(runs: Runs, registry: Registry) -> None:
    target = f"{registry.host}/nameless/first:1"
    before = ("unshare", "--pid", "--fork", "--mount-proc")
    done = runs("push", "-", "--image", target, "--engine", "crane", before=before, stdin=ARCHIVE)
    assert done.returncode == 0, done.stderr
