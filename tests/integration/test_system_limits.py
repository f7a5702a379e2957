"""Limits that the system sets to a process: sizes of files, and numbers of threads."""

import json
import random
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from bed.dockless import Dockless
from bed.hostile import file, image, tar
from bed.registry import Registry


def limited(program: Dockless, *limit: str) -> Dockless:
    """Return dockless with a limit; bytecode that is cut by one would stay."""
    return replace(program, before=("prlimit", *limit, "env", "PYTHONDONTWRITEBYTECODE=1"))


def archive(folder: Path, size: int, count: int = 1) -> Path:
    """Return a docker-archive of so many layers, each of this many bytes of noise."""
    noise = (random.Random(number).randbytes(size) for number in range(count))  # noqa: S311 - the same each time
    layers = [file(f"{n}.tar", tar(file("noise", each))) for n, each in enumerate(noise)]
    path = folder / "image.tar"
    path.write_bytes(tar(*image(*layers)))
    return path


@pytest.mark.sampled(5)
@pytest.mark.parametrize("size", [20_000, 300_000])
@pytest.mark.parametrize("command", ["push", "mirror", "bundle"])
def test_a_layer_that_is_larger_than_files_may_be_is_said(
    program: Dockless, own_registry: Registry, tmp_path: Path, command: str, size: int
) -> None:
    source = archive(tmp_path, size)
    argv: dict[str, tuple[str | Path, ...]] = {
        "push": ("push", source, "--image", f"{own_registry.host}/a:1"),
        "mirror": ("mirror", source, "--as", "a:1", "--to", own_registry.host),
        "bundle": ("bundle", "create", "-o", tmp_path / "o.tar", source, "--as", "a:1"),
    }
    result = limited(program, "--fsize=10000").run(*argv[command])
    assert result.code == 1, result.stderr
    assert "larger than files may be" in result.stderr
    assert not (tmp_path / "o.tar").exists()


@pytest.mark.parametrize("count", [3, 5])
def test_a_bundle_that_is_larger_than_files_may_be_can_be_split(
    program: Dockless, tmp_path: Path, count: int
) -> None:
    out = tmp_path / "o.tar"
    create = ("bundle", "create", "-o", out, archive(tmp_path, 15_000, count))
    few = limited(program, "--fsize=30000")
    result = few.run(*create)
    assert result.code == 1, result.stderr
    assert "--split" in result.stderr
    assert not list(tmp_path.glob("o.tar*"))
    result = few.run(*create, "--split", "25k")
    assert result.code == 0, result.stderr
    assert json.loads((tmp_path / "o.tar.parts.json").read_text())["parts"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of archives, each of which has layers of its own."""
    made = tmp_path / "images"
    for number in range(6):
        (made / f"{number}").mkdir(parents=True)
        path = archive(made / f"{number}", 20_000 + number, 3)
        path.write_bytes(path.read_bytes().replace(b"hostile:1", b"host-%02d:1" % number))
    return made


@pytest.mark.sampled(7)
@pytest.mark.parametrize("parallel", [1, 4, 16])
@pytest.mark.parametrize("megabytes", [110, 330, 510])
def test_a_mirror_with_little_memory_ends(
    program: Dockless, own_registry: Registry, folder: Path, megabytes: int, parallel: int
) -> None:
    few = limited(program, f"--as={megabytes}000000")
    sources = [each / "image.tar" for each in folder.iterdir()]
    argv = ("--to", own_registry.host, "--parallel", str(parallel))
    # a C library that gets no memory may crash, and Python may fail to say why: it has to end
    result = few.run("mirror", *sources, *argv)
    assert result.code in (0, 1, 70, -signal.SIGABRT, -signal.SIGSEGV), result.stderr


@pytest.mark.sampled(7)
@pytest.mark.parametrize("files", [6, 7, 9, 11, 12, 14, 18])
@pytest.mark.parametrize("command", ["push", "mirror", "bundle", "verify"])
def test_few_files_that_may_be_open_are_one_clear_error(
    program: Dockless, own_registry: Registry, tmp_path: Path, command: str, files: int
) -> None:
    source = archive(tmp_path, 20_000, 3)
    receipt = tmp_path / "receipt.json"
    argv: dict[str, tuple[str | Path, ...]] = {
        "push": ("push", source, "--image", f"{own_registry.host}/a:1"),
        "mirror": ("mirror", source, "--as", "a:1", "--to", own_registry.host),
        "bundle": ("bundle", "create", "-o", tmp_path / "o.tar", source, "--as", "a:1"),
        "verify": ("verify", receipt),
    }
    if command == "verify":
        made = program.run(*argv["mirror"], "--receipt", receipt)
        assert made.code == 0, made.stderr
    result = limited(program, f"--nofile={files}").run(*argv[command])
    assert result.code in (0, 1), result.stderr
    assert "Traceback" not in result.stderr
    assert not result.code or "Too many open files" in result.stderr
