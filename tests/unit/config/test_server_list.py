from pathlib import Path

import pytest

from dockless.config import server_list
from dockless.config.setting import Setting
from dockless.errors import UsageError
from dockless.model.server import Server

LIST = tuple(Server(address=f"10.0.0.{number}", user="me", role="web") for number in range(1, 6))


def test_text_file_has_blanks_tabs_and_comments(tmp_path: Path) -> None:
    text = "# hosts\n\n10.0.0.1 \t me\n  b.example.com you\t2222  # second\n"
    (tmp_path / "deploy-servers.txt").write_text(text)
    assert server_list.read(tmp_path) == Setting(
        (
            Server(address="10.0.0.1", user="me"),
            Server(address="b.example.com", user="you", port=2222),
        ),
        "deploy-servers.txt",
    )


def test_json_file(tmp_path: Path) -> None:
    text = """{"servers": [{"host": "a", "user": "u"}, {"host": "b", "user": "u", "port": 2222,
        "remoteDir": "/srv", "imageName": "shop"}]}"""
    (tmp_path / "deploy-servers.json").write_text(text)
    assert server_list.read(tmp_path) == Setting(
        (
            Server(address="a", user="u"),
            Server(address="b", user="u", port=2222, remote_dir="/srv", image_name="shop"),
        ),
        "deploy-servers.json",
    )


@pytest.mark.parametrize(
    ("line", "server"),
    [
        ("me@build2:2222", Server(address="build2", user="me", port=2222)),
        ("  me@10.0.0.4  # web", Server(address="10.0.0.4", user="me")),
        ("ci@[2001:db8::2]:22", Server(address="2001:db8::2", user="ci")),
        ("ci@2001:db8::2", Server(address="2001:db8::2", user="ci")),
        ("a@corp@build", Server(address="build", user="a@corp")),
    ],
)
def test_a_line_of_the_text_file_may_be_as_for_the_option(
    tmp_path: Path, line: str, server: Server
) -> None:
    (tmp_path / "deploy-servers.txt").write_text(f"first root\n{line}\n")
    found = server_list.read(tmp_path)
    assert found
    assert found.value == (Server(address="first", user="root"), server)


def test_a_password_in_a_line_of_the_text_file_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "deploy-servers.txt").write_text("me:s3cret@build2\n")
    with pytest.raises(UsageError, match=r"deploy-servers\.txt:1: has a password") as caught:
        server_list.read(tmp_path)
    assert "s3cret" not in str(caught.value)


def test_text_file_comes_before_json(tmp_path: Path) -> None:
    (tmp_path / "deploy-servers.txt").write_text("a b\n")
    (tmp_path / "deploy-servers.json").write_text("not even JSON")
    found = server_list.read(tmp_path)
    assert found
    assert found.origin == "deploy-servers.txt"


def test_no_file_is_none(tmp_path: Path) -> None:
    assert server_list.read(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("@b\n", "is not `host user [port]`"),
        ("u@b:x\n", "deploy-servers.txt:1: 'u@b:x' is not [USER@]HOST[:PORT]"),
        ("a u\n-u@b\n", "deploy-servers.txt:2: '-u@b' is not"),
        ("a u\nb\n", "deploy-servers.txt:2 is not `host user [port]` or `user@host[:port]`"),
        ("a u 22 x\n", "deploy-servers.txt:1"),
        ("a u ssh\n", "`port` in deploy-servers.txt:1 is not a port"),
        ("-a u\n", "a host that begins with '-'"),
        ("a -u\n", "a user that begins with '-'"),
        ("a$(b) u\n", "a host with characters that ssh does not accept"),
        ("a;b u\n", "a host with characters that ssh does not accept"),
        ("a u`id`\n", "a user with characters that ssh does not accept"),
    ],
)
def test_bad_text_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "deploy-servers.txt").write_text(text)
    with pytest.raises(UsageError) as caught:
        server_list.read(tmp_path)
    assert message in caught.value.what


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "deploy-servers.json:1 is not JSON"),
        ("[]", "deploy-servers.json is a list, where a map is needed"),
        ("{}", "has no list `servers`"),
        ('{"servers": {}}', "`servers` in deploy-servers.json is a map, where a list"),
        ('{"servers": [{"user": "u"}]}', "`servers[0]` in deploy-servers.json has no host"),
        ('{"servers": [{"host": "h"}]}', "has no user"),
        ('{"servers": [{"host": 5, "user": "u"}]}', "`servers[0].host`"),
        ('{"servers": [{"host": "-h", "user": "u"}]}', "begins with '-'"),
        ('{"servers": [{"host": "h", "user": "u", "port": "x"}]}', "`servers[0].port`"),
        ('{"servers": [{"host": "h", "user": "u", "remoteDir": 1}]}', "`servers[0].remoteDir`"),
    ],
)
def test_bad_json_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "deploy-servers.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        server_list.read(tmp_path)
    assert message in caught.value.what


@pytest.mark.parametrize(
    ("numbers", "picked"),
    [
        ("1", [1]),
        ("1,3,5", [1, 3, 5]),
        ("2-4", [2, 3, 4]),
        (" 5 , 1-2 ", [5, 1, 2]),
        ("3,1-4,3", [3, 1, 2, 4]),
        ("2-2", [2]),
    ],
)
def test_servers_are_picked_by_number_and_range(numbers: str, picked: list[int]) -> None:
    assert server_list.select(LIST, numbers) == tuple(LIST[number - 1] for number in picked)


@pytest.mark.parametrize(
    "numbers",
    ["", "0", "6", "1,6", "4-6", "4-2", "all", "1,", "-1", "1-", "1.5", "²", "1-999999999"],
)
def test_what_picks_nothing_is_refused_with_the_list(numbers: str) -> None:
    with pytest.raises(
        UsageError, match=r"is not a number|runs backwards|is not from 1 to"
    ) as caught:
        server_list.select(LIST, numbers)
    assert "  1  me@10.0.0.1:22 (web)\n  2  me@10.0.0.2:22 (web)\n" in caught.value.remedy
