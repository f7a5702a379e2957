"""What mirrors, bundles and receipts are said to have done: nothing else, and in good grammar."""

import json
import re
import signal
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bed import images
from bed.dockless import Dockless
from bed.failures import until
from bed.faults import Fault, FaultyRegistry, Hang
from bed.images import Layer
from bed.registry import Registry

pytestmark = pytest.mark.sampled(5)

_ALWAYS = 1_000
_DEAD = "127.0.0.1:1"
_SCHEMA = Path(__file__).parents[2] / "docs" / "receipt.schema.json"
_DRY_RUN = _SCHEMA.with_name("mirror-dry-run.schema.json")
_WRONG = re.compile(r"\b1 (?:images|parts|references|blobs|problems|files)\b|\bof no \w+s\b")


@pytest.fixture
def layouts(tmp_path: Path, layers: tuple[Layer, ...]) -> list[Path]:
    made = []
    for number in (1, 2, 3):
        layout = images.Layout(tmp_path / "images" / f"app{number}")
        layout.top(layout.image(layers[:number], **images.named(f"ghcr.io/acme/app{number}:v1")))
        made.append(layout.folder)
    return made


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--engine", "direct")])
def test_a_registry_that_is_down_is_said_once_and_stands_in_the_json_and_the_receipt(
    program: Dockless, layouts: list[Path], tmp_path: Path, count: int, more: tuple[str, ...]
) -> None:
    path = tmp_path / "receipt.json"
    argv: tuple[str | Path, ...]
    argv = ("mirror", *layouts[:count], "--to", _DEAD, "--retries", "0", "--receipt", path)
    done = program.run(*argv, "--format", "json", *more)
    assert done.code == 6, done.stderr
    assert done.stderr.count("Error: ") == 1
    assert done.stderr.count("cannot be reached") <= 1
    document = json.loads(done.stdout)
    assert (document["images"], document["pending"]) == ([], [])
    assert [each["error"]["kind"] for each in document["failures"]] == ["network"] * count
    assert all(each["references"] for each in document["failures"])
    if more == ("--dry-run",):
        Draft202012Validator(json.loads(_DRY_RUN.read_text())).validate(document)
    else:
        Draft202012Validator(json.loads(_SCHEMA.read_text())).validate(document)
        assert json.loads(path.read_text())["failures"] == document["failures"]
        assert program.run("verify", path, "--retries", "0").code == 8


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("command", ["bundle create", "verify"])
def test_a_command_that_moves_no_tag_says_nothing_of_tags(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    layouts: list[Path],
    tmp_path: Path,
    command: str,
    number: signal.Signals,
) -> None:
    host, path = faulty_registry.host, tmp_path / "receipt.json"
    done = program.run("mirror", layouts[0], "--to", host, "--receipt", path)
    assert done.code == 0, done.stderr
    argv: tuple[str | Path, ...] = (
        "bundle",
        "create",
        "-o",
        tmp_path / "b",
        f"docker://{host}/acme/app1:v1",
    )
    if command == "verify":
        argv = ("verify", path)
    faulty_registry.faults.append(Fault("GET", "/v2/", Hang(), _ALWAYS))
    before = len(faulty_registry.requests)
    with program.start(*argv) as child:
        until(lambda: any(each.status == 0 for each in faulty_registry.requests[before:]))
        child.send_signal(number)
        _, said = child.communicate(timeout=120)
    assert child.returncode == (130 if number == signal.SIGINT else 143), said.decode()
    assert "tag" not in said.decode().lower()


@pytest.mark.parametrize("command", ["verify", "mirror"])
def test_time_that_is_over_is_said_of_what_was_asked(
    program: Dockless,
    faulty_registry: FaultyRegistry,
    layouts: list[Path],
    tmp_path: Path,
    command: str,
) -> None:
    host, path = faulty_registry.host, tmp_path / "receipt.json"
    assert program.run("mirror", layouts[0], "--to", host, "--receipt", path).code == 0
    faulty_registry.faults.append(Fault("HEAD", "/", Hang(), _ALWAYS))
    argv: tuple[str | Path, ...] = ("mirror", layouts[0], "--to", host)
    if command == "verify":
        argv = ("verify", path)
    done = program.run(*argv, "--timeout", "1s")
    assert done.code == 6, done.stderr
    assert "--timeout" in done.stderr
    assert "The push" not in done.stderr


@pytest.mark.parametrize("left", [1, 2])
def test_what_a_bundle_lacks_is_counted_in_good_grammar(
    program: Dockless, layouts: list[Path], tmp_path: Path, left: int
) -> None:
    missing = [tmp_path / f"missing{number}.tar" for number in range(left)]
    argv: tuple[str | Path, ...]
    argv = ("bundle", "create", "-o", tmp_path / "b", layouts[0], *missing, "--keep-going")
    done = program.run(*argv)
    assert done.code == 8, done.stderr
    said = "lacks 1 image that was asked" if left == 1 else "lacks 2 images that were asked"
    assert said in done.stderr
    assert not _WRONG.search(done.stderr)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_would_be_done_and_was_done_is_counted_in_good_grammar(
    program: Dockless, own_registry: Registry, layouts: list[Path], tmp_path: Path, count: int
) -> None:
    path, host = tmp_path / "receipt.json", own_registry.host
    argv: tuple[str | Path, ...] = ("mirror", *layouts[:count], "--to", host)
    said = [program.run(*argv, "--dry-run")]
    said.append(program.run(*argv, tmp_path / "missing.tar", "--receipt", path))
    assert "did not arrive" in said[-1].stderr
    said.append(program.run("verify", path))
    said.append(program.run(*argv, "--dry-run"))
    said.append(program.run(*argv, "--receipt", path))
    said.append(program.run("verify", path))
    assert [each.code for each in said] == [0, 8, 8, 0, 0, 0]
    for each in said:
        assert not _WRONG.search(each.stdout + each.stderr), each


def test_a_dry_run_of_nothing_says_so(
    program: Dockless, own_registry: Registry, tmp_path: Path
) -> None:
    argv = ("mirror", tmp_path / "missing.tar", "--to", own_registry.host, "--dry-run")
    done = program.run(*argv)
    assert (done.code, done.stdout) == (3, "No image would be pushed.\n"), done.stderr


def test_an_error_before_the_first_question_is_one_document(program: Dockless) -> None:
    done = program.run("mirror", "x.tar", "--to", "Not A Host", "--format", "json")
    assert done.code == 2
    error = json.loads(done.stdout)["error"]
    assert (error["kind"], error["exitCode"]) == ("usage", 2)
    assert "--to" in error["message"] + error["remedy"]
    assert "--to" in done.stderr
