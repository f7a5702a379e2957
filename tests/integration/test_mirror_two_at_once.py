"""Two runs at the same time that want the same receipt, bundle, tag or login file."""

import json
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless, Result
from bed.failures import complaint, until
from bed.faults import Fault, FaultyRegistry, Hang
from bed.images import Layer
from bed.pushes import Pusher
from bed.registry import Registry

pytestmark = pytest.mark.sampled(5)

_ALWAYS = 1_000


@pytest.fixture
def layouts(tmp_path: Path, layers: tuple[Layer, ...]) -> tuple[Path, Path]:
    """Two images of one name."""
    made = []
    for number, parts in enumerate((layers[:1], layers[1:])):
        layout = images.Layout(tmp_path / "images" / str(number))
        made.append(layout.top(layout.image(parts, "amd64", **images.named("ghcr.io/a/web:v1"))))
    return made[0], made[1]


def ended(child: subprocess.Popen[bytes]) -> Result:
    stdout, stderr = child.communicate(timeout=120)
    return Result(child.returncode, stdout.decode(), stderr.decode())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_receipt_belongs_to_one_mirror_until_that_ends(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    layouts: tuple[Path, Path],
    tmp_path: Path,
    number: signal.Signals,
) -> None:
    path = tmp_path / "receipt.json"
    faulty_registry.faults.append(Fault("PUT", "/manifests/v1$", Hang(), _ALWAYS))
    argv = ("--to", faulty_registry.host, "--receipt", path)
    with program.start("mirror", layouts[0], *argv) as child:
        until(lambda: any(each.status == 0 for each in faulty_registry.requests))
        before = path.read_text()
        other = program.run("mirror", layouts[1], *argv)
        assert f"Another run is writing the receipt {path}" in complaint(other, 2)
        assert path.read_text() == before
        child.send_signal(number)
        child.communicate(timeout=120)
    faulty_registry.faults.clear()
    done = program.run("mirror", layouts[1], *argv)
    assert done.code == 0, done.stderr
    assert json.loads(path.read_text())["finished"]
    assert not [*tmp_path.glob(".receipt*")]


@pytest.mark.parametrize("out", ["disk", "disk.tar"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_bundle_belongs_to_one_run_until_that_ends(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    layouts: tuple[Path, Path],
    tmp_path: Path,
    out: str,
    number: signal.Signals,
) -> None:
    host = faulty_registry.host
    assert program.run("mirror", layouts[0], "--to", host).code == 0
    faulty_registry.faults.append(Fault("GET", "/blobs/", Hang(), _ALWAYS))
    target = tmp_path / out
    with program.start("bundle", "create", "-o", target, f"docker://{host}/a/web:v1") as child:
        until(lambda: any(each.status == 0 for each in faulty_registry.requests))
        other = program.run("bundle", "create", "-o", target, layouts[1])
        assert f"Another run is writing the bundle {target}" in complaint(other, 2)
        child.send_signal(number)
        child.communicate(timeout=120)
    if target.is_dir():  # what a killed one leaves is for its user to remove
        shutil.rmtree(target)
    done = program.run("bundle", "create", "-o", target, layouts[1])
    assert done.code == 0, done.stderr
    assert program.run("bundle", "verify", target).code == 0


@pytest.mark.parametrize("run", range(3))
@pytest.mark.parametrize("immutable", [(), ("--immutable",)])
def test_two_pushes_to_one_tag_are_both_right_about_it(
    program: Dockless,
    own_registry: Registry,
    layouts: tuple[Path, Path],
    tmp_path: Path,
    immutable: tuple[str, ...],
    run: int,
) -> None:
    name = f"{own_registry.host}/web{run}:v1"
    argv = ("--image", name, *immutable)
    with (
        program.start("push", layouts[0], *argv) as one,
        program.start("push", layouts[1], *argv) as other,
    ):
        results = [ended(one), ended(other)]
    codes = sorted(each.code for each in results)
    assert codes == ([0, 5] if immutable else [0, 0]), results
    digest = Pusher(program, own_registry, tmp_path).digest(f"web{run}:v1")
    good = [each.stdout for each in results if each.code == 0]
    assert any(digest in each for each in good)


def test_two_logins_at_once_leave_a_file_that_can_be_read(
    program: Dockless, own_registry: Registry
) -> None:
    argv = ("--registry", "private", "--namespace")
    children = [
        program.start("login", own_registry.host, *argv, f"team-{number}" * 40)
        for number in range(4)
    ]
    results = [ended(child) for child in children]
    assert {each.code for each in results} <= {0, 2, 4}, results
    path = program.project / "docker-config.json"
    if path.exists():
        assert json.loads(path.read_text())
    assert not [*program.project.glob(".docker-config*")]
