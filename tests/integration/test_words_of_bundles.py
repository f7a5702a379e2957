"""What commands for bundles, and mirrors of them, are said to do: in words that are theirs."""

import os
import signal
from pathlib import Path

import pytest

from bed import images
from bed.dockless import Dockless
from bed.failures import complaint, until
from bed.images import Layer
from bed.registry import Registry

pytestmark = pytest.mark.sampled(7)


@pytest.fixture
def layout(tmp_path: Path, layers: tuple[Layer, ...]) -> Path:
    made = images.Layout(tmp_path / "lay")
    made.top(
        *(
            made.image(layers[: 1 + number], "amd64", **images.named(f"ghcr.io/acme/{number}:v1"))
            for number in range(2)
        )
    )
    return made.folder


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("command", ["bundle create", "bundle verify"])
def test_a_stop_at_the_very_beginning_says_nothing_of_tags(
    program: Dockless, tmp_path: Path, command: str, number: signal.Signals
) -> None:
    source = tmp_path / "source.tar"
    os.mkfifo(source)
    argv: tuple[str | Path, ...] = (*command.split(), source)
    if command == "bundle create":
        argv = (*argv, "-o", tmp_path / "out")
    with program.start(*argv) as child:
        handled = Path(f"/proc/{child.pid}/status")

        def caught() -> bool:
            """Whether it handles signals: that of its clock is the last that it asks for."""
            (line,) = (x for x in handled.read_text().splitlines() if x.startswith("SigCgt"))
            return bool(int(line.split()[1], 16) >> (signal.SIGALRM - 1) & 1)

        until(caught)
        child.send_signal(number)
        _, said = child.communicate(timeout=120)
    assert child.returncode == (130 if number == signal.SIGINT else 143), said.decode()
    assert b"tag" not in said.lower()


@pytest.mark.parametrize("part", [0, 1])
def test_a_damaged_part_is_not_counted_as_an_image(
    program: Dockless, registry: Registry, layout: Path, tmp_path: Path, part: int
) -> None:
    out, to = tmp_path / "disk.tar", f"{registry.host}/{tmp_path.name.lower()}"
    done = program.run("bundle", "create", "-o", out, layout, "--split", "200K")
    assert done.code == 0, done.stderr
    damaged = sorted(tmp_path.glob("disk.tar.0*"))[-1 if part else 1]
    data = bytearray(damaged.read_bytes())
    data[-1 if part else len(data) // 2] ^= 1
    damaged.write_bytes(data)
    done = program.run("mirror", f"{out}.parts.json", "--to", to)
    assert done.code == 8, done.stderr
    assert "of 3 images" not in done.stderr
    assert ("2 of 2 images arrived, but the sources have 1 fault." in done.stderr) or (
        "1 of 2 images did not arrive." in done.stderr
    )


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("number", [0, 1, -1])
@pytest.mark.parametrize(
    "command",
    [
        "push {} --image R/a/b",
        "push oci-archive:{} --image R/a/b",
        "push {} --all --to R/a",
        "mirror {} --to R/a",
        "bundle verify {}",
        "bundle list {}",
        "bundle create -o {}.new/ {}",
        "bundle create -o {}.new/ --since {} L",
    ],
)
def test_a_part_alone_is_told_from_a_bundle(
    program: Dockless,
    registry: Registry,
    layout: Path,
    tmp_path: Path,
    command: str,
    number: int,
    *,
    listed: bool,
) -> None:
    out = tmp_path / "disk.tar"
    done = program.run("bundle", "create", "-o", out, layout, "--split", "200K")
    assert done.code == 0, done.stderr
    parts = sorted(tmp_path.glob("disk.tar.0*"))
    listing = Path(f"{out}.parts.json")
    if not listed:
        listing.unlink()
    filled = command.replace("{}", str(parts[number])).replace("R/", f"{registry.host}/")
    argv = (layout if each == "L" else each for each in filled.split())
    said = complaint(program.run(*argv), 2 if "--since" in command else 3)
    part = f"{parts[number]} is only part {parts.index(parts[number]) + 1} of {len(parts)} of a"
    assert (part in said) == listed
    assert (listing.name if listed else "parts") in said


@pytest.mark.parametrize("prefix", ["layC", "a/layC", "a/", "a:1"])
def test_a_wrong_target_is_named_as_it_was_typed(
    program: Dockless, layout: Path, prefix: str
) -> None:
    said = complaint(program.run("mirror", layout, "--to", f"127.0.0.1:1/{prefix}"), 2)
    assert f"'{prefix}' is not a repository name" in said
    assert f"{prefix}/x" not in said


@pytest.mark.parametrize("form", ["folder", "tar", "parts"])
def test_what_is_only_read_is_checked_and_not_staged(
    program: Dockless, layout: Path, tmp_path: Path, form: str
) -> None:
    out = tmp_path / ("disk" if form == "folder" else "disk.tar")
    more = ("--split", "200K") if form == "parts" else ()
    assert program.run("bundle", "create", "-o", out, layout, *more).code == 0
    source = f"{out}.parts.json" if form == "parts" else out
    done = program.run("bundle", "verify", source)
    assert done.code == 0, done.stderr
    assert "checking" in done.stderr
    assert "staging" not in done.stderr
