import os
import pwd
import socket
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.model.secret import Secret
from dockless.model.server import Server
from dockless.ssh import ssh_program
from dockless.ssh.config import find_route

OWN = pwd.getpwuid(os.getuid()).pw_dir


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / ".ssh").mkdir()
    return {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}


def configured(environment: dict[str, str], text: str) -> None:
    Path(environment["HOME"], ".ssh", "config").write_text(text)


def test_without_a_config_the_entry_is_the_way(environment: dict[str, str]) -> None:
    found = find_route(Server(address="build1", user="me", port=2222), environment)
    assert (found.address, found.user, found.port) == ("build1", "me", 2222)
    assert found.known_as == "[build1]:2222"
    ssh = Path(environment["HOME"], ".ssh")
    assert ssh / "id_ed25519" in found.identities
    assert found.known_hosts[0] == ssh / "known_hosts"
    assert (found.jumps, found.proxy_command, found.agent) == ((), "", "")


def test_the_config_fills_in_what_the_entry_does_not_say(environment: dict[str, str]) -> None:
    configured(
        environment,
        "Host build\n  HostName 10.0.0.5\n  User ci\n  Port 2200\n  IdentityFile ~/.ssh/%r\n"
        "  IdentitiesOnly yes\n  UserKnownHostsFile ~/known\n  ConnectTimeout 3\n"
        "  ServerAliveInterval 7\n  HashKnownHosts yes\n",
    )
    home = Path(environment["HOME"])
    found = find_route(Server(address="build", user=""), environment)
    assert (found.address, found.user, found.port) == ("10.0.0.5", "ci", 2200)
    assert found.identities == (home / ".ssh/ci",)
    assert found.known_hosts == (home / "known",)
    assert (found.identities_only, found.hashes) == (True, True)
    assert (found.connect_seconds, found.alive_seconds) == (3.0, 7)
    own = find_route(Server(address="build", user="me", port=22), environment)
    assert own.user == "me"


def test_keys_of_the_entry_come_first_and_may_be_the_only_ones(
    environment: dict[str, str],
) -> None:
    server = Server(address="build", user="me", keys=("~/deploy",))
    home = Path(environment["HOME"])
    assert find_route(server, environment).identities[0] == home / "deploy"
    only = find_route(
        Server(address="build", user="me", keys=("~/deploy",), keys_only=True), environment
    )
    assert (only.identities, only.identities_only) == ((home / "deploy",), True)


def test_jumps_and_proxies_come_from_the_entry_or_the_config(environment: dict[str, str]) -> None:
    configured(
        environment,
        "Host far\n  ProxyJump a@one:2200,two\nHost odd\n  ProxyCommand nc %h %p\n",
    )
    far = find_route(Server(address="far", user="me"), environment)
    assert far.jumps == (Server(address="one", user="a", port=2200), Server(address="two", user=""))
    assert find_route(Server(address="odd", user="me"), environment).proxy_command == "nc odd 22"
    own = find_route(Server(address="far", user="me", proxy="root@gate"), environment)
    assert own.jumps == (Server(address="gate", user="root"),)


def test_an_alias_is_the_name_that_the_key_is_known_by(environment: dict[str, str]) -> None:
    configured(environment, "Host build\n  HostKeyAlias farm\n  Port 2222\n")
    assert find_route(Server(address="build", user=""), environment).known_as == "farm"


def test_the_agent_is_the_environments_unless_the_config_names_another(
    environment: dict[str, str],
) -> None:
    environment["SSH_AUTH_SOCK"] = "/run/agent"
    assert find_route(Server(address="build", user=""), environment).agent == "/run/agent"
    configured(environment, "IdentityAgent none\n")
    assert find_route(Server(address="build", user=""), environment).agent == ""
    configured(environment, "IdentityAgent /run/other\n")
    assert find_route(Server(address="build", user=""), environment).agent == "/run/other"


def test_a_config_that_ssh_refuses_is_a_usage_error(environment: dict[str, str]) -> None:
    configured(environment, "Host build\n  NoSuchOption yes\n")
    with pytest.raises(UsageError, match="ssh rejects its configuration for build"):
        find_route(Server(address="build", user=""), environment)


def test_without_ssh_the_users_file_is_read_all_the_same(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment["PATH"] = "/nonexistent"
    monkeypatch.setenv("HOME", environment["HOME"])  # paramiko's parser looks there
    configured(environment, "Host build\n  HostName 10.0.0.5\n  User ci\n  IdentityFile ~/k\n")
    found = find_route(Server(address="build", user="", port=2222), environment)
    assert (found.address, found.user, found.port) == ("10.0.0.5", "ci", 2222)
    assert found.identities == (Path(environment["HOME"], "k"),)


def test_paths_of_the_accounts_home_follow_another_home() -> None:
    text = f"userknownhostsfile {OWN}/.ssh/known_hosts /etc/known\nidentityfile ~/.ssh/a\n"
    options = ssh_program._parsed(f"{text}identityfile ~/.ssh/b\n", Path("/elsewhere"))
    assert options["userknownhostsfile"] == ("/elsewhere/.ssh/known_hosts", "/etc/known")
    assert options["identityfile"] == ("~/.ssh/a", "~/.ssh/b")


def test_files_of_the_entry_count_in_place_of_the_users(
    environment: dict[str, str], tmp_path: Path
) -> None:
    configured(environment, "Host build\n  User own\n  Port 1\n")
    for name, text in (("a", "Host build\n  User first\n"), ("b", "Host build\n  Port 2200\n")):
        (tmp_path / name).write_text(text)
    files = (str(tmp_path / "a"), str(tmp_path / "b"))
    found = find_route(Server(address="build", user="", config=files), environment)
    assert (found.user, found.port) == ("first", 2200)
    none = find_route(Server(address="build", user="me", config=("none",)), environment)
    assert (none.user, none.port) == ("me", 22)


@pytest.mark.parametrize(
    ("command", "expanded"),
    [
        ("nc %h %p", "nc build1 2222"),
        ("ssh -W %h:%p %r@gate", "ssh -W build1:2222 me@gate"),
        ("echo 100%%", "echo 100%"),
    ],
)
def test_a_command_of_the_project_is_run_with_consent_only(
    environment: dict[str, str], command: str, expanded: str
) -> None:
    configured(environment, "Host build1\nProxyJump other\n")
    server = Server(address="build1", user="me", port=2222, proxy_command=command)
    with pytest.raises(UsageError, match=r"`ssh\.proxy_command` of the project") as caught:
        find_route(server, environment)
    assert "--allow-ssh-commands" in caught.value.remedy
    found = find_route(server, environment, may_run=True)
    assert (found.proxy_command, found.jumps) == (expanded, ())


def test_a_jump_host_of_the_project_needs_no_consent(environment: dict[str, str]) -> None:
    server = Server(address="build1", user="me", proxy="root@gate")
    assert find_route(server, environment).jumps == (Server(address="gate", user="root"),)


def test_keys_of_the_project_are_offered_after_files(environment: dict[str, str]) -> None:
    server = Server(address="a", user="me", keys_only=True, key_data=(Secret("KEY"),))
    found = find_route(server, environment)
    assert (found.identities, found.identities_only) == ((), True)
    assert found.key_data == (Secret("KEY"),)


ODD_NAMES = ("x$(>pwned)y", "x`id`", "a;b", "x|y", "$HOME")


@pytest.mark.parametrize("name", ODD_NAMES)
@pytest.mark.parametrize("folders", [os.environ["PATH"], "/nonexistent"])
@pytest.mark.parametrize("key", ["HostName", "User"])
def test_no_name_reaches_the_shell_that_runs_a_proxy_command(
    environment: dict[str, str], name: str, key: str, folders: str
) -> None:
    configured(environment, "Host *\n  ProxyCommand nc %h %r %n\n")
    environment["PATH"] = folders
    server = Server(
        address=name if key == "HostName" else "build", user=name if key == "User" else ""
    )
    with pytest.raises(UsageError, match=f"{key} with characters that ssh does not accept"):
        find_route(server, environment)


@pytest.mark.parametrize("name", ["x$(>pwned)y", "x`id`", "x|y"])
@pytest.mark.parametrize("key", ["HostName", "User"])
def test_a_name_of_the_configuration_reaches_no_shell_either(
    environment: dict[str, str], name: str, key: str
) -> None:
    configured(environment, f"Host *\n  {key} {name}\n  ProxyCommand nc %h %r\n")
    environment["PATH"] = environment["HOME"]
    with pytest.raises(UsageError, match=f"~/.ssh/config has a {key} with characters"):
        find_route(Server(address="build", user=""), environment)


def test_a_match_of_the_user_runs_nothing_with_such_a_name(environment: dict[str, str]) -> None:
    mark = Path(environment["HOME"], "ran")
    configured(environment, f'Match exec "true %n $(touch {mark})"\n  Port 2200\n')
    with pytest.raises(UsageError, match="HostName with characters"):
        find_route(Server(address="x;true", user=""), environment)
    assert not mark.exists()


@pytest.mark.parametrize("error", [KeyError("uid not found"), OSError("No username set")])
@pytest.mark.parametrize(
    "text",
    [
        "Host *\n  IdentityFile ~/.ssh/key\n",
        "Host *\n  IdentityFile ~/.ssh/%u\n",
        "Match user ci\n  Port 2200\n",
        "Host *\n  ProxyCommand nc %h %p\n",
    ],
)
def test_a_user_without_a_name_may_have_a_configuration(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, text: str, error: Exception
) -> None:
    def unknown() -> str:
        raise error

    monkeypatch.setattr("getpass.getuser", unknown)
    configured(environment, text)
    environment["PATH"] = "/nonexistent"
    found = find_route(Server(address="build", user=""), environment)
    assert (found.address, found.user) == ("build", str(os.getuid()))


@pytest.mark.parametrize(
    "text",
    [
        "CanonicalizeHostname yes\n",
        "CanonicalizeMaxDots many\n",
        "Match nonsense\n",
        "Match host\n",
        "Match all canonical\n",
    ],
)
def test_what_paramiko_cannot_read_is_an_error_of_the_file(
    environment: dict[str, str], text: str
) -> None:
    configured(environment, text)
    environment["PATH"] = "/nonexistent"
    with pytest.raises(UsageError, match="config cannot be used without an ssh program"):
        find_route(Server(address="build", user=""), environment)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("%d/.ssh/%u-%i", "{home}/.ssh/{own}-{uid}"),
        ("~/%h-%n-%k", "{home}/10.0.0.5-build-farm"),
        ("~/%l-%L", "{home}/{node}-{short}"),
        ("~/%j%%", "{home}/a@gate%"),
        ("${KEYS}/%r", "/keys/ci"),
        ("~/${KEYS}${KIND}", "{home}//keysed"),
    ],
)
@pytest.mark.parametrize("option", ["IdentityFile", "CertificateFile"])
def test_tokens_and_variables_are_replaced(
    environment: dict[str, str], option: str, written: str, found: str
) -> None:
    environment.update(KEYS="/keys", KIND="ed")
    configured(
        environment,
        "Host build\n  HostName 10.0.0.5\n  User ci\n  HostKeyAlias farm\n  ProxyJump a@gate\n"
        f"  {option} {written}\n",
    )
    node = socket.gethostname()
    names = {
        "home": environment["HOME"],
        "own": pwd.getpwuid(os.getuid()).pw_name,
        "uid": os.getuid(),
        "node": node,
        "short": node.partition(".")[0],
    }
    made = find_route(Server(address="build", user=""), environment)
    files = made.identities if option == "IdentityFile" else made.certificates
    assert files == (Path(found.format(**names)),)


def test_a_variable_that_is_not_set_is_an_error(environment: dict[str, str]) -> None:
    configured(environment, "IdentityFile ${NO_SUCH_VARIABLE}/key\n")
    with pytest.raises(UsageError, match="NO_SUCH_VARIABLE"):
        find_route(Server(address="build", user=""), environment)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("IdentityAgent $OWN_AGENT", "/run/own"),
        ("IdentityAgent ${OWN_AGENT}", "/run/own"),
        ("IdentityAgent %d/agent", "{home}/agent"),
        ("IdentityAgent ~/agent-%r", "{home}/agent-me"),
        ("IdentityAgent none", ""),
        ("IdentityAgent SSH_AUTH_SOCK", "/run/usual"),
        ("", "/run/usual"),
    ],
)
def test_the_agent_is_the_one_that_the_config_names(
    environment: dict[str, str], written: str, found: str
) -> None:
    environment.update(OWN_AGENT="/run/own", SSH_AUTH_SOCK="/run/usual")
    configured(environment, f"{written}\n")
    made = find_route(Server(address="build", user="me"), environment)
    assert made.agent == found.format(home=environment["HOME"])


@pytest.mark.parametrize(
    ("written", "methods"),
    [
        ("", ("publickey", "keyboard-interactive", "password")),
        ("BatchMode yes", ("publickey",)),
        ("PasswordAuthentication no", ("publickey", "keyboard-interactive")),
        ("KbdInteractiveAuthentication no", ("publickey", "password")),
        ("PubkeyAuthentication no", ("keyboard-interactive", "password")),
        ("PreferredAuthentications password,publickey", ("password", "publickey")),
        ("PreferredAuthentications gssapi-with-mic,publickey", ("publickey",)),
    ],
)
def test_only_allowed_methods_are_tried_in_the_order_preferred(
    environment: dict[str, str], written: str, methods: tuple[str, ...]
) -> None:
    configured(environment, f"{written}\n")
    assert find_route(Server(address="build", user="me"), environment).methods == methods


@pytest.mark.parametrize(
    ("written", "strictness"),
    [("", "ask"), ("ask", "ask"), ("yes", "yes"), ("accept-new", "accept-new"), ("no", "no")],
)
def test_host_keys_are_treated_as_the_config_says(
    environment: dict[str, str], written: str, strictness: str
) -> None:
    configured(environment, f"StrictHostKeyChecking {written}\n" if written else "")
    assert find_route(Server(address="build", user="me"), environment).strictness == strictness


def test_algorithms_are_those_of_the_config(environment: dict[str, str]) -> None:
    configured(
        environment,
        "HostKeyAlgorithms +ssh-rsa\nPubkeyAcceptedAlgorithms rsa-sha2-256\n"
        "CASignatureAlgorithms ssh-ed25519\nRequiredRSASize 3072\nNumberOfPasswordPrompts 1\n"
        "RevokedHostKeys ~/revoked\n"
        'KnownHostsCommand /bin/sh -c "echo %H"\n',
    )
    found = find_route(Server(address="build", user="me"), environment)
    assert found.host_algorithms[-1] == "ssh-rsa"
    assert found.key_algorithms == ("rsa-sha2-256",)
    assert found.ca_algorithms == ("ssh-ed25519",)
    assert (found.rsa_bits, found.prompts) == (3072, 1)
    assert found.revoked == Path(environment["HOME"], "revoked")
    assert found.known_command == ("/bin/sh", "-c", "echo %H")


@pytest.mark.parametrize(
    ("server", "command"),
    [
        (Server(address="build", user="me"), "ssh me@build"),
        (Server(address="192.0.2.1", user="root", port=2299), "ssh root@192.0.2.1 -p 2299"),
        (Server(address="2001:db8::1", user="ci", port=22), "ssh ci@2001:db8::1"),
    ],
)
def test_the_command_that_does_the_same_names_the_port(
    environment: dict[str, str], server: Server, command: str
) -> None:
    assert find_route(server, environment).command == command
