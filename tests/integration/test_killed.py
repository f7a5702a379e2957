"""Whatever is killed at any moment leaves nothing behind the next run, and no program running."""

import os
import random
import time
from pathlib import Path

import pytest

from bed import hostile
from bed.dockless import Dockless
from bed.failures import leftovers, store_of, survivors, until
from bed.registry import Registry

_MOMENTS = 10

COMMANDS = {
    "push, crane": ("push", "SOURCE", "--image", "HOST/killed/app:N", "--engine", "crane"),
    "push, skopeo": ("push", "SOURCE", "--image", "HOST/killed/app:N", "--engine", "skopeo"),
    "push": ("push", "SOURCE", "--image", "HOST/killed/app:N", "--digest-file", "OUT/digest"),
    "mirror": (
        *("mirror", "SOURCE", "--to", "HOST/killed-N", "--as", "a/b"),
        *("--receipt", "OUT/receipt.json"),
    ),
    "bundle create": ("bundle", "create", "-o", "OUT/bundle", "SOURCE", "--as", "a/b"),
    "bundle create, tar": ("bundle", "create", "-o", "OUT/bundle.tar", "SOURCE", "--as", "a/b"),
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """An archive with three layers that hardly shrink, large enough to be killed in."""
    noise = (hostile.tar(hostile.file(f"noise{n}", os.urandom(9_000_000))) for n in range(3))
    parts = (hostile.file(f"{n}/layer.tar", data) for n, data in enumerate(noise))
    path = tmp_path / "image.tar"
    path.write_bytes(hostile.tar(*hostile.image(*parts)))
    return path


@pytest.mark.sampled(5)
@pytest.mark.parametrize("argv", COMMANDS.values(), ids=COMMANDS)
def test_what_was_killed_leaves_nothing_after_the_next_run(
    program: Dockless, own_registry: Registry, source: Path, tmp_path: Path, argv: tuple[str, ...]
) -> None:
    out = tmp_path / "out"
    out.mkdir()

    def given(number: int) -> list[str]:
        named = {"SOURCE": str(source), "HOST": own_registry.host, "OUT": str(out)}
        whole = [each.replace("N", str(number)) if "HOST" in each else each for each in argv]
        for name, text in named.items():
            whole = [each.replace(name, text) for each in whole]
        return whole

    began = time.monotonic()
    assert program.run(*given(0)).code == 0
    takes = time.monotonic() - began
    whole = sorted(path.name for path in out.iterdir())
    _forget(program, out)
    chance = random.Random(17)  # noqa: S311 - moments to kill at, not secrets
    killed = 0
    for number in range(1, _MOMENTS + 1):
        child = program.start(*given(number))
        time.sleep(chance.uniform(0.1, takes))
        killed += child.poll() is None
        child.kill()
        child.communicate()
        until(lambda: not survivors(program))
        info = program.run("cache", "info")
        assert (info.code, info.stderr) == (0, "")
        if number % 2:
            _forget(program, out)
    assert killed
    done = program.run(*given(_MOMENTS + 1))
    assert done.code == 0, done.stderr
    assert leftovers(program) == []
    assert sorted(path.name for path in out.iterdir()) == whole
    assert not [path for path in store_of(program).rglob("*") if path.name.startswith(".")]
    assert program.run("cache", "prune", "--all").code == 0
    assert not list(store_of(program).glob("blobs/*/*"))


def _forget(program: Dockless, out: Path) -> None:
    """Let the next run do all of the work again: the store and the bundles are gone."""
    for kind in ("blobs", "layers", "heads"):
        for path in store_of(program).glob(f"{kind}/**/*"):
            if path.is_file():
                path.unlink()
    for name in ("bundle", "bundle.tar"):
        if (out / name).exists():
            os.rename(out / name, program.folder / f"done-{name}-{time.monotonic_ns()}")  # noqa: PTH104 - it may be a folder
