"""Numbers that would be worked with for ever are refused, and long ones are not repeated."""

import os
import select
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from dockless.cli.mirror import mirror
from dockless.cli.param_types import POSITIVE_SECONDS, SECONDS
from dockless.cli.push import push
from dockless.errors import UsageError
from dockless.model.options import PushOptions
from dockless.storage.receipt_file import ReceiptFile

LONG = "7" * 900


@pytest.mark.parametrize("many", ["1025", "99999999999999", "0", "-1", LONG])
def test_connections_have_an_upper_bound(many: str) -> None:
    done = CliRunner().invoke(
        mirror, ["x", "--to", "registry.example.com", "--max-connections", many]
    )
    assert done.exit_code == 2
    assert "--max-connections" in done.output


@pytest.mark.parametrize("many", ["1025", "0", "-1", LONG])
def test_a_push_may_have_a_single_connection(many: str) -> None:
    done = CliRunner().invoke(push, ["x", "--max-connections", many])
    assert done.exit_code == 2
    assert "--max-connections" in done.output
    for least in (1, 2, 1024):
        PushOptions(max_connections=least, rate=1).check()
    for wrong in (PushOptions(max_connections=0), PushOptions(rate=0), PushOptions(rate=-1)):
        with pytest.raises(UsageError, match="must be"):
            wrong.check()


@pytest.mark.parametrize("given", ["0", "0s", "0.0", "0h0m0s", "0.000"])
@pytest.mark.parametrize("command", [push, mirror])
def test_no_time_is_no_time_to_stall(command: object, given: str) -> None:
    asked = ["x", "--to", "registry.example.com"] if command is mirror else ["x"]
    done = CliRunner().invoke(command, [*asked, "--stall-timeout", given])  # type: ignore[arg-type] # click's
    assert done.exit_code == 2
    assert "is not a time limit" in done.output


def test_a_time_is_one() -> None:
    assert POSITIVE_SECONDS.convert("0.5s", None, None) == 0.5
    assert SECONDS.convert("0", None, None) == 0


@pytest.mark.parametrize(
    "option",
    [("--rate", LONG), ("--rate", f"{LONG}M"), ("--timeout", LONG), ("--shard", "0/" + LONG)],
)
def test_what_is_much_too_long_is_not_repeated(option: tuple[str, str]) -> None:
    done = CliRunner().invoke(mirror, ["x", "--to", "registry.example.com", *option])
    said = str(done.exception) if isinstance(done.exception, UsageError) else done.output
    assert option[0] in said
    assert "777..." in said
    assert LONG not in said


@pytest.mark.timeout(30)
def test_a_pipe_that_nobody_reads_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    file = ReceiptFile(tmp_path / "pipe", "--merge")
    with pytest.raises(UsageError, match="cannot be written"):
        file.write("{}")
    file.close()


@pytest.mark.timeout(30)
def test_a_pipe_that_is_read_has_all_of_it(tmp_path: Path) -> None:
    path, text = tmp_path / "pipe", "x" * 300_000
    read: list[str] = []
    os.mkfifo(path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)

    def take() -> None:
        with os.fdopen(descriptor) as pipe:
            read.append(pipe.read())

    file = ReceiptFile(path, "--merge")
    reader = threading.Thread(target=take)
    writer = threading.Thread(target=file.write, args=(text,))
    writer.start()
    # who reads before anybody writes would see an end at once
    select.select([descriptor], [], [], 20)
    reader.start()
    writer.join(20)
    reader.join(20)
    assert read == [text]
