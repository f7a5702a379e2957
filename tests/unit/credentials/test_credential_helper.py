"""The exchange of docker's own documentation, and what other tools look for, to the byte."""

import json
from pathlib import Path
from typing import Never

import pytest

from dockless.credentials.credential_helper import HelperKeyrings, Reply, handle, server_url
from dockless.credentials.keyring_logins import KeyringLogins
from dockless.credentials.token_source import TokenSource
from dockless.errors import AuthError
from dockless.model.secret import Credential, Secret
from fakes.keyring_logins import memory_vault


@pytest.fixture
def keyring_logins(tmp_path: Path) -> KeyringLogins:
    return memory_vault(tmp_path)


def call(keyring_logins: KeyringLogins, *arguments: str, stdin: str = "") -> tuple[int, str]:
    code, output = handle(
        arguments,
        stdin.encode(),
        HelperKeyrings(all=[keyring_logins], preferred=lambda: keyring_logins),
        "1.2.3",
    )
    return code, output.reveal()


def test_the_exchange_of_docker_s_documentation(keyring_logins: KeyringLogins) -> None:
    # docs.docker.com, docker login, "Credential helper protocol"
    payload = """{
      "ServerURL": "https://index.docker.io/v1",
      "Username": "david",
      "Secret": "passw0rd1"
    }"""
    server = "https://index.docker.io/v1"
    assert call(keyring_logins, "store", stdin=payload) == (0, "")
    assert call(keyring_logins, "get", stdin=server) == (
        0,
        '{"ServerURL":"https://index.docker.io/v1","Username":"david","Secret":"passw0rd1"}\n',
    )
    assert call(keyring_logins, "list") == (0, '{"https://index.docker.io/v1/":"david"}\n')
    assert call(keyring_logins, "erase", stdin=server) == (0, "")
    assert call(keyring_logins, "get", stdin=server) == (
        1,
        "credentials not found in native keychain\n",
    )


@pytest.mark.parametrize(
    ("arguments", "stdin", "output"),
    [
        (("get",), "nobody.example", "credentials not found in native keychain\n"),
        (("get",), "", "no credentials server URL\n"),
        (("get",), " \n", "no credentials server URL\n"),
        (("erase",), "", "no credentials server URL\n"),
        (("store",), '{"Username":"me","Secret":"x"}', "no credentials server URL\n"),
        (("store",), '{"ServerURL":"a.example","Secret":"x"}', "no credentials username\n"),
        (("steal",), "", "Unknown credential action `steal`\n"),
        ((), "", "Usage: docker-credential-dockless <store|get|erase|list|version>\n"),
        (("get", "x"), "", "Usage: docker-credential-dockless <store|get|erase|list|version>\n"),
    ],
)
def test_what_fails_says_so_on_stdout_in_the_known_words(
    keyring_logins: KeyringLogins, arguments: tuple[str, ...], stdin: str, output: str
) -> None:
    assert call(keyring_logins, *arguments, stdin=stdin) == (1, output)


@pytest.mark.parametrize(
    "stdin", ["", "{", "[]", "null", '{"ServerURL":1,"Username":"u"}', "x" * 99]
)
def test_what_is_no_login_is_refused_and_not_quoted(
    keyring_logins: KeyringLogins, stdin: str
) -> None:
    code, output = call(keyring_logins, "store", stdin=stdin)
    assert code == 1
    assert "xxx" not in output
    assert call(keyring_logins, "list") == (0, "{}\n")


def test_the_version_is_told(keyring_logins: KeyringLogins) -> None:
    assert call(keyring_logins, "version") == (0, "docker-credential-dockless (dockless) 1.2.3\n")


@pytest.mark.parametrize(
    "server",
    [
        "Host.Example:5000",
        "https://host.example:5000",
        "host.example:5000/",
        "https://host.example:5000/v2/",
    ],
)
def test_a_server_is_known_by_every_way_to_write_it(
    keyring_logins: KeyringLogins, server: str
) -> None:
    keyring_logins.put("host.example:5000", Credential(username="me", password=Secret("pw")))
    code, output = call(keyring_logins, "get", stdin=f"{server}\n")
    assert code == 0
    assert json.loads(output) == {"ServerURL": server, "Username": "me", "Secret": "pw"}


def test_docker_hub_s_names_are_one_and_its_token_entries_are_apart(
    keyring_logins: KeyringLogins,
) -> None:
    login = {"ServerURL": "https://index.docker.io/v1/", "Username": "me", "Secret": "pw"}
    token = login | {"ServerURL": "https://index.docker.io/v1/access-token", "Secret": "token"}
    for one in (login, token):
        assert call(keyring_logins, "store", stdin=json.dumps(one)) == (0, "")
    for server in ("docker.io", "index.docker.io", "https://index.docker.io/v1/"):
        assert json.loads(call(keyring_logins, "get", stdin=server)[1])["Secret"] == "pw"
    assert json.loads(call(keyring_logins, "get", stdin=token["ServerURL"])[1])["Secret"] == "token"
    assert json.loads(call(keyring_logins, "list")[1]) == {
        "https://index.docker.io/v1/": "me",
        "https://index.docker.io/v1/access-token": "me",
    }


def test_a_namespace_s_login_serves_no_other(keyring_logins: KeyringLogins) -> None:
    keyring_logins.put("host.example/team", Credential(username="me", password=Secret("pw")))
    assert call(keyring_logins, "get", stdin="host.example/team")[0] == 0
    for server in ("host.example", "host.example/other", "host.example/team/sub"):
        assert call(keyring_logins, "get", stdin=server)[0] == 1


def test_an_identity_token_comes_back_under_its_name(keyring_logins: KeyringLogins) -> None:
    login = {"ServerURL": "host.example", "Username": "<token>", "Secret": "refresh"}
    assert call(keyring_logins, "store", stdin=json.dumps(login)) == (0, "")
    found = keyring_logins.get("host.example")
    assert found
    assert found.identity_token == Secret("refresh")
    code, output = call(keyring_logins, "get", stdin="host.example")
    assert code == 0
    # as Go's encoder writes it
    assert "\\u003ctoken\\u003e" in output
    assert json.loads(output) == login


def test_any_secret_comes_back_as_it_was(keyring_logins: KeyringLogins) -> None:
    secret = 'quotes"\\, <html> & tøp\u2028秘密'
    login = {"ServerURL": "host.example", "Username": "me", "Secret": secret}
    assert call(keyring_logins, "store", stdin=json.dumps(login)) == (0, "")
    assert json.loads(call(keyring_logins, "get", stdin="host.example")[1]) == login


def test_a_kind_s_own_source_is_asked_when_the_keyring_has_nothing(
    keyring_logins: KeyringLogins,
) -> None:
    asked = []

    def ask() -> Credential | str:
        asked.append("aws")
        return Credential(username="AWS", password=Secret("token"), expires=4e9)

    found = HelperKeyrings(
        all=[keyring_logins],
        preferred=lambda: keyring_logins,
        token_sources=lambda host: (
            [TokenSource("gone", "gone is not installed", ask), TokenSource("aws", "", ask)]
            if host == "ecr.example"
            else []
        ),
    )
    answers = [handle(("get",), b"ecr.example", found, "") for _ in range(2)]
    assert [json.loads(output.reveal())["Secret"] for _, output in answers] == ["token"] * 2
    # the second time the token was in the keyring
    assert asked == ["aws"]
    assert handle(("get",), b"other.example", found, "").code == 1


def test_a_keyring_that_cannot_answer_is_an_error_without_a_traceback(
    keyring_logins: KeyringLogins,
) -> None:
    class Locked(KeyringLogins):
        def get(self, scope: str, username: str = "") -> Credential | None:
            raise AuthError(f"It is locked for {scope}{username}.", "Unlock it.")

    locked = Locked("memory", keyring_logins._open, keyring_logins._lock)
    reply = handle(
        ("get",), b"host.example", HelperKeyrings(all=[locked], preferred=lambda: locked), ""
    )
    assert reply == Reply(1, Secret("It is locked for host.example. Unlock it.\n"))


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        ("docker.io", "https://index.docker.io/v1/"),
        ("docker.io/v1/refresh-token", "https://index.docker.io/v1/refresh-token"),
        ("ghcr.io", "ghcr.io"),
        ("host.example:5000/team", "host.example:5000/team"),
    ],
)
def test_a_scope_is_listed_as_docker_names_it(scope: str, url: str) -> None:
    assert server_url(scope) == url


def _closed() -> KeyringLogins:
    def refuse() -> Never:
        raise AuthError("No Secret Service responds.", "Unlock it.")

    return KeyringLogins("secret-service", refuse, Path("/"))


@pytest.mark.parametrize(
    "server", ["host.example", "localhost:5000", "https://index.docker.io/v1/"]
)
def test_a_keyring_that_fails_does_not_hide_the_login_in_another(
    keyring_logins: KeyringLogins, server: str
) -> None:
    payload = json.dumps({"ServerURL": server, "Username": "me", "Secret": "pw"})
    assert call(keyring_logins, "store", stdin=payload) == (0, "")
    found = HelperKeyrings(all=[_closed(), keyring_logins], preferred=_closed)
    assert handle(("get",), server.encode(), found, "").code == 0
    code, said = handle(("get",), b"other.example", found, "")
    assert (code, said.reveal()) == (1, "No Secret Service responds. Unlock it.\n")
