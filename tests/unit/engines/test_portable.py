import struct
from pathlib import Path

import pytest

from dockless.engines.portable import Needs, misfit, needs


def elf(path: Path, machine: int = 62, *, dynamic: bool = False, tail: bytes = b"") -> Path:
    """Write a program that is nothing but its headers."""
    header = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01", 2, machine, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0,
    )  # fmt: skip
    segment = struct.pack("<IIQQQQQQ", 3 if dynamic else 1, 0, 0, 0, 0, 0, 0, 0)
    path.write_bytes(header + segment + tail)
    return path


def test_a_static_program_needs_its_processor_only(tmp_path: Path) -> None:
    program = elf(tmp_path / "static", tail=b"\0GLIBC_2.40\0")
    assert needs(program) == Needs(("x86_64", "amd64"), None)
    assert misfit(program, "Linux", "x86_64", "") == ""


def test_a_dynamic_program_needs_the_newest_glibc_that_it_names(tmp_path: Path) -> None:
    names = b"\0GLIBC_2.9\0GLIBC_2.34\0GLIBC_2.3\0"
    program = elf(tmp_path / "dynamic", 183, dynamic=True, tail=names)
    assert needs(program) == Needs(("aarch64", "arm64"), (2, 34))
    assert misfit(program, "Linux", "aarch64", "2.36") == ""
    assert "needs glibc 2.34, it has 2.31" in misfit(program, "Linux", "aarch64", "2.31")
    assert "it has none" in misfit(program, "Linux", "aarch64", "")


@pytest.mark.parametrize(
    ("system", "machine"), [("Linux", "aarch64"), ("Darwin", "x86_64"), ("Linux", "")]
)
def test_another_machine_does_not_run_it(tmp_path: Path, system: str, machine: str) -> None:
    program = elf(tmp_path / "program")
    assert f"is not for {system} on {machine}" in misfit(program, system, machine, "2.36")


def test_a_script_runs_nowhere_else(tmp_path: Path) -> None:
    program = tmp_path / "script"
    program.write_text("#!/bin/sh\n")
    assert misfit(program, "Linux", "x86_64", "2.36")


def test_this_machines_own_shell_runs_here() -> None:
    found = needs(Path("/bin/sh").resolve())
    assert found.machines
    assert found.glibc is None or found.glibc >= (2, 0)
