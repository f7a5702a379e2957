import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from dockless.config.secrets import Secrets
from dockless.errors import UsageError
from dockless.model.secret import Secret

PATH = {"PATH": "/usr/bin:/bin"}


def find(
    folder: Path,
    name: str,
    environment: Mapping[str, str] = PATH,
    destination: str | None = None,
    *,
    allow: bool = False,
) -> str:
    return (
        Secrets(folder=folder, environment=environment, destination=destination)
        .find(name, allow_commands=allow)
        .reveal()
    )


def write(folder: Path, text: str, name: str = "secrets") -> None:
    (folder / ".kamal").mkdir(exist_ok=True)
    (folder / ".kamal" / name).write_text(text)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("A=plain", "plain"),
        ("export A=plain", "plain"),
        ("  A = spaced out  ", "spaced out"),
        ("A: yaml", "yaml"),
        ("A=cut # comment", "cut"),
        ("A='single $B # kept'", "single $B # kept"),
        ('A="double # kept" # cut', "double # kept"),
        ('A="two\nlines"', "two\nlines"),
        (r'A="a \"b\" c"', 'a "b" c'),
        ("A=$B", "bee"),
        ("A=x${B}y", "xbeey"),
        ('A="$B"', "bee"),
        (r"A=\$B", "$B"),
        ("A=old\nA=new", "new"),
        ("A=$C", "see"),
        ("C=own\nA=$C", "own"),
        ("A=$A.x", "outer.x"),
        ("A=first\nA=$A.x", "first.x"),
        ("A=crlf\r\nB=x\r\n", "crlf"),
    ],
)
def test_lines_are_read_as_dotenv_does(tmp_path: Path, line: str, text: str) -> None:
    write(tmp_path, line)
    assert find(tmp_path, "A", {"B": "bee", "C": "see", "A": "outer"}) == text


def test_own_file_stands_above_the_common_one(tmp_path: Path) -> None:
    write(tmp_path, "A=common\nB=common\n", "secrets-common")
    write(tmp_path, "A=own\n")
    assert (find(tmp_path, "A"), find(tmp_path, "B")) == ("own", "common")


def test_destination_has_its_own_file(tmp_path: Path) -> None:
    write(tmp_path, "A=own\n")
    write(tmp_path, "A=staging\n", "secrets.staging")
    assert find(tmp_path, "A", destination="staging") == "staging"


def test_missing_secret_is_refused_with_the_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No secret A is in \.kamal/secrets-common or \.kamal/se"):
        find(tmp_path, "A")


def test_empty_secret_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "A=$UNSET\n")
    with pytest.raises(UsageError, match=r"The secret A of \.kamal/secrets is empty"):
        find(tmp_path, "A")


def test_command_is_run_only_when_allowed(tmp_path: Path) -> None:
    write(tmp_path, "A=$(touch ran; echo hunter2)\n")
    with pytest.raises(UsageError, match="is the output of a command") as caught:
        find(tmp_path, "A")
    assert "--allow-secret-commands" in caught.value.remedy
    assert not (tmp_path / "ran").exists()
    assert find(tmp_path, "A", allow=True) == "hunter2"
    assert (tmp_path / "ran").exists()


def test_only_the_lines_that_are_needed_run(tmp_path: Path) -> None:
    write(tmp_path, "OTHER=$(touch ran)\nA=plain\n")
    assert find(tmp_path, "A", allow=True) == "plain"
    assert not (tmp_path / "ran").exists()


def test_commands_may_use_what_stands_above(tmp_path: Path) -> None:
    write(tmp_path, "ALL=$(echo one two)\nA=<$(echo $ALL | cut -d' ' -f2)>\n")
    assert find(tmp_path, "A", allow=True) == "<two>"


def test_escaped_command_is_text(tmp_path: Path) -> None:
    write(tmp_path, "A='$(date)'\n")
    assert find(tmp_path, "A") == "$(date)"


def test_failing_command_is_refused_without_its_words(tmp_path: Path) -> None:
    write(tmp_path, "A=$(echo hunter2 >&2; exit 3)\n")
    with pytest.raises(UsageError, match=r"secret A of \.kamal/secrets failed \(3\)") as caught:
        find(tmp_path, "A", allow=True)
    assert "hunter2" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="argv is read from /proc")
def test_command_does_not_stand_in_argv(tmp_path: Path) -> None:
    write(tmp_path, "PIN=hunter2\nA=$(tr '\\\\0' ' ' </proc/$$/cmdline; : $PIN)\n")
    assert "hunter2" not in find(tmp_path, "A", allow=True)


def test_nothing_shows_the_environment() -> None:
    assert "hunter2" not in repr(
        Secrets(folder=Path(), environment={"DOCKLESS_PASSWORD": "hunter2"})
    )


@pytest.mark.parametrize("path", ["config/kamal-secrets", "ops/secrets", ".kamal/other"])
@pytest.mark.parametrize("destination", [None, "live"])
def test_the_files_may_be_elsewhere(tmp_path: Path, path: str, destination: str | None) -> None:
    (tmp_path / path).parent.mkdir(exist_ok=True)
    own = f"{path}.{destination}" if destination else path
    (tmp_path / own).write_text("A=1")
    (tmp_path / f"{path}-common").write_text("A=0\nB=2")
    secrets = Secrets(folder=tmp_path, environment=PATH, destination=destination, path=path)
    found = [secrets.find(name, allow_commands=False).reveal() for name in "AB"]
    assert found == ["1", "2"]
    with pytest.raises(UsageError, match=f"{path}-common or {own}"):
        secrets.find("C", allow_commands=False)


@pytest.mark.parametrize("times", [2, 3, 9])
def test_lines_that_repeat_one_another_are_bounded(tmp_path: Path, times: int) -> None:
    lines = ["A0=0123456789"]
    lines += [f"A{number}={f'$A{number - 1}' * times}" for number in range(1, 60)]
    write(tmp_path, "\n".join(lines))
    assert len(find(tmp_path, "A3")) == 10 * times**3
    with pytest.raises(UsageError, match=r"A\d+ of \.kamal/secrets is longer than 1 MiB"):
        find(tmp_path, "A59")


def test_a_long_chain_of_lines_is_said(tmp_path: Path) -> None:
    lines = ["A0=1", *(f"A{number}=$A{number - 1}" for number in range(1, 3000))]
    write(tmp_path, "\n".join(lines))
    with pytest.raises(UsageError, match=r"A2999 of \.kamal/secrets refers to too many lines"):
        find(tmp_path, "A2999")


def test_a_command_that_several_lines_use_is_run_once(tmp_path: Path) -> None:
    write(tmp_path, "A=$(echo x >> ran; echo 1)\nB=$A$A$A")
    assert find(tmp_path, "B", allow=True) == "111"
    assert (tmp_path / "ran").read_text() == "x\n"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("S=$(echo $(echo $(echo deep)))", "deep"),
        ("S=a-$(echo $((1 + (2 * (3 + 4)))))-b", "a-15-b"),
        (r"S=$(printf '%s' \))", ")"),
        ("S=$(echo one)$(echo (two", "one$(echo (two"),
        (r"S=\$(echo (a (b)) c)", "$(echo (a (b)) c)"),
    ],
)
def test_commands_may_be_nested_to_any_depth(tmp_path: Path, line: str, value: str) -> None:
    (tmp_path / ".kamal").mkdir()
    (tmp_path / ".kamal/secrets").write_text(f"{line}\n")
    found = Secrets(folder=tmp_path, environment={"PATH": "/usr/bin:/bin"})
    assert found.find("S", allow_commands=True).reveal() == value


def test_a_key_is_a_secret_unless_it_stands_there_itself(tmp_path: Path) -> None:
    (tmp_path / ".kamal").mkdir()
    (tmp_path / ".kamal/secrets").write_text('KEY="-----BEGIN X-----\nabc\n"\n')
    found = Secrets(folder=tmp_path, environment={})
    assert found.key(Secret("KEY"), allow_commands=False).reveal() == "-----BEGIN X-----\nabc\n"
    own = Secret("-----BEGIN Y-----\nabc")
    assert found.key(own, allow_commands=False) is own
    with pytest.raises(UsageError, match="No secret OTHER"):
        found.key(Secret("OTHER"), allow_commands=False)


@pytest.mark.parametrize("name", ["S3cr3t-1", "hunter2", "!x", "pass word"])
def test_a_password_in_place_of_a_name_is_not_shown(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError) as caught:
        Secrets(folder=tmp_path, environment={}).find(name, allow_commands=False)
    assert name not in str(caught.value)
