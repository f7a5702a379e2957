"""Servers as they are typed."""

import pytest

from dockless.errors import UsageError
from dockless.model.server import Server
from dockless.model.typed_server import parse_host


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("build1", Server(address="build1", user="")),
        ("me@build1", Server(address="build1", user="me")),
        ("me@build1:2222", Server(address="build1", user="me", port=2222)),
        ("ssh://me@build1:2222", Server(address="build1", user="me", port=2222)),
        ("me@example.com@build1", Server(address="build1", user="me@example.com")),
        ("10.0.0.5:22", Server(address="10.0.0.5", user="")),
        ("[10.0.0.5]:22", Server(address="10.0.0.5", user="")),
        ("::1", Server(address="::1", user="")),
        ("me@[fe80::1%eth0]:2222", Server(address="fe80::1%eth0", user="me", port=2222)),
        ("me@fe80::1%eth0", Server(address="fe80::1%eth0", user="me")),
    ],
)
def test_a_host_is_read(text: str, server: Server) -> None:
    assert parse_host(text) == server


@pytest.mark.parametrize(
    "text",
    ["", "me@", "-h", "me@-h", "-l@host", "a b", "me me@host", "host:0", "host:65536", "host:x",
     "host/path", "a\nb"],
)  # fmt: skip
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not \[USER@\]HOST\[:PORT\]"):
        parse_host(text)


@pytest.mark.parametrize("place", ["build1", "127.0.0.1:2222", "[::1]:22"])
@pytest.mark.parametrize("scheme", ["", "ssh://"])
def test_a_password_before_a_host_is_refused_and_not_shown(place: str, scheme: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_host(f"{scheme}me:Passw0rd1@{place}")
    assert "Passw0rd1" not in str(caught.value)


COMMANDS = (
    "x$(>pwned)y", "x`id`", "a;b", "a&b", "a|b", "a>b", "a<b", "(a)", "{a}", 'a"b', "a'b", "$HOME",
)  # fmt: skip


@pytest.mark.parametrize("name", [*COMMANDS, "a\\b"])
@pytest.mark.parametrize("what", ["--host", "The proxy", "ProxyJump"])
def test_a_host_is_nothing_that_a_shell_runs(name: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"{what} .* is not "):
        parse_host(f"root@{name}", what)


@pytest.mark.parametrize("name", [*COMMANDS, "a\\"])
def test_a_user_is_nothing_that_a_shell_runs(name: str) -> None:
    with pytest.raises(UsageError, match=r"is not \[USER@\]HOST"):
        parse_host(f"{name}@build1")


@pytest.mark.parametrize("name", ["CORP\\ada", "ada+ci", "box$", "ada@example.com", "ädä", "a~b"])
def test_a_user_of_a_domain_is_one(name: str) -> None:
    assert parse_host(f"{name}@build1").user == name


@pytest.mark.parametrize(
    "text",
    ["a@h1:22,a@h2:22", "h1,h2", "me@h1,h2", "ssh://me@h1,ssh://h2", "192.0.2.1,192.0.2.2:22"],
)
def test_several_hosts_in_one_text_are_told_as_such(text: str) -> None:
    with pytest.raises(UsageError, match="names several hosts") as caught:
        parse_host(text)
    assert "password" not in caught.value.what
    assert "--host" in caught.value.remedy


@pytest.mark.parametrize("text", ["me:hun,ter2@h1", "me:hunter2@h1,h2", "me:a,b@h1,me:c@h2"])
def test_a_password_with_a_comma_is_not_shown(text: str) -> None:
    with pytest.raises(UsageError, match="password") as caught:
        parse_host(text)
    assert "hun" not in str(caught.value)
