import os
from pathlib import Path

import pytest

from dockless.errors import UsageError
from dockless.model.server import Server
from dockless.ssh.config import Route, find_route
from dockless.ssh.project_config import configuration, first_command


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home/.ssh").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def route(name: str, home: Path, *, may_run: bool = False) -> Route:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"]}
    return find_route(
        Server(address="build", user="", config=(name,)), environment, may_run=may_run
    )


RUNNING = (
    "Host build\n  ProxyCommand touch {mark}; nc %h %p",
    'Match exec "touch {mark}"\n  User a',
    'match host build EXEC="touch {mark}"',
    'Match !exec "touch {mark}"',
    '"Match" exec "touch {mark}"',
    'Match=exec "touch {mark}"',
    'Match host * ex"ec" "touch {mark}"',
    'Match host build "exec" "touch {mark}"',
    'Match e"x"ec "touch {mark}"',
    "Match host build 'ex'ec 'touch {mark}'",
    'Match host * !e"xec" "touch {mark}"',
    'Match host "build" exec "touch {mark}"',
    'Match ex\\\\ec "touch {mark}"',
    "Match host build sessiontype exec",
    "Match host=* all",
    "Match host",
    "Include {include}",
    "Host build\n\tproxycommand=touch {mark}",
    "KnownHostsCommand /bin/touch {mark}",
    "PKCS11Provider {mark}.so",
    "LocalCommand touch {mark}",
    "NoSuchKeyword yes",
    '\x0cMatch exec "touch {mark}"',
)  # fmt: skip


@pytest.mark.parametrize("text", RUNNING)
def test_a_projects_configuration_runs_nothing_unasked(
    home: Path, project: Path, text: str
) -> None:
    mark = project / "ran"
    (project / "more").write_text(f'Match exec "touch {mark}"\n')
    filled = text.format(mark=mark, include=project / "more")
    (project / "ssh_config").write_text(f"# harmless\n{filled}\n")
    with pytest.raises(UsageError, match=r"may run programs, .*: line [23]") as caught:
        route("ssh_config", home)
    assert not mark.exists()
    assert "--allow-ssh-commands" in caught.value.remedy
    assert "DOCKLESS_ALLOW_SSH_COMMANDS" in caught.value.remedy


def test_what_is_allowed_is_run(home: Path, project: Path) -> None:
    mark = project / "ran"
    text = f'Match exec "touch {mark}"\n  User ci\nHost build\n  ProxyCommand nc %h %p\n'
    (project / "ssh_config").write_text(text)
    found = route("ssh_config", home, may_run=True)
    assert (found.user, found.proxy_command) == ("ci", "nc build 22")
    assert mark.exists()


WEAKENING = (
    "UserKnownHostsFile known",
    "userknownhostsfile=/dev/null",
    "GlobalKnownHostsFile ./known",
    "HostKeyAlias other",
    "StrictHostKeyChecking no",
    "StrictHostKeyChecking accept-new",
    "StrictHostKeyChecking off",
    "RevokedHostKeys none",
    "HostKeyAlgorithms ssh-rsa",
    "CASignatureAlgorithms +ssh-rsa",
    "RequiredRSASize 512",
    "NoHostAuthenticationForLocalhost yes",
    "VerifyHostKeyDNS yes",
    "UpdateHostKeys yes",
    "ControlPath ./socket",
    "ForwardAgent yes",
    "ForwardAgent $SSH_AUTH_SOCK",
    "ForwardX11 yes",
    "ForwardX11Trusted yes",
    "SendEnv AWS_*",
    "SetEnv LD_PRELOAD=/tmp/x.so",
    "IdentityAgent ./agent",
    "AddKeysToAgent yes",
    "GSSAPIAuthentication yes",
    "GSSAPIDelegateCredentials yes",
    "HostbasedAuthentication yes",
    "RemoteForward 9000 localhost:22",
    "LocalForward 9000 localhost:22",
    "SecurityKeyProvider ./x.so",
    "CertificateFile ./cert",
    "Tunnel yes",
)


@pytest.mark.parametrize("line", WEAKENING)
def test_a_project_neither_replaces_host_keys_nor_sends_anything_unasked(
    home: Path, project: Path, line: str
) -> None:
    (project / "ssh_config").write_text(f"Host *\n  {line}\n")
    with pytest.raises(UsageError, match=r"change which host keys are trusted.*: line 2") as caught:
        route("ssh_config", home)
    assert "--allow-ssh-commands" in caught.value.remedy


def test_a_project_replaces_known_host_keys_when_it_is_allowed(home: Path, project: Path) -> None:
    text = "Host *\n  UserKnownHostsFile /known\n  HostKeyAlias farm\n"
    (project / "ssh_config").write_text(text)
    found = route("ssh_config", home, may_run=True)
    assert (found.known_hosts, found.known_as) == ((Path("/known"),), "farm")


@pytest.mark.parametrize(
    "line",
    [
        "ForwardAgent no",
        "StrictHostKeyChecking yes",
        "stricthostkeychecking ASK",
        "IdentityAgent none",
        "ControlMaster no",
        "UpdateHostKeys no",
        "VerifyHostKeyDNS=no",
    ],
)
def test_what_is_switched_off_needs_no_consent(line: str) -> None:
    assert first_command(f"Host *\n  {line}\n".encode()) == 0


HARMLESS = """
# a comment with ProxyCommand
Host build
  HostName 10.0.0.5
  User=ci
  IdentityFile ~/.ssh/ci
  ProxyCommand none
Match host build user ci
\tPort 2200
"""


@pytest.mark.parametrize("name", ["ssh_config", "./ssh_config", "../project/ssh_config"])
def test_what_runs_nothing_is_used_without_a_word(home: Path, project: Path, name: str) -> None:
    (project / "ssh_config").write_text(HARMLESS)
    found = route(name, home)
    assert (found.address, found.user, found.proxy_command) == ("10.0.0.5", "ci", "")


MATCHES = (
    "all",
    "host build,*.example.com,!web",
    "ALL",
    "!host web-1 user ci",
    "canonical host 10.0.0.?",
    "final all",
    "originalhost [::1] localuser root",
    "host git@build tagged a_b localnetwork 10.0.0.0/8",
)


@pytest.mark.parametrize("criteria", MATCHES)
def test_a_match_that_compares_names_only_runs_nothing(criteria: str) -> None:
    assert first_command(f"Match {criteria}\n\tmatch\t{criteria}".encode()) == 0


@pytest.mark.parametrize("name", ["ssh_config", "./ssh_config", "../project/ssh_config"])
@pytest.mark.parametrize("line", ["Port none", "Match host", "HostName", "User a b"])
def test_the_file_that_ssh_rejects_is_named(
    home: Path, project: Path, name: str, line: str
) -> None:
    (project / "ssh_config").write_text(f"Host build\n{line}\n")
    with pytest.raises(UsageError) as caught:
        route(name, home, may_run=line == "Match host")
    assert caught.value.remedy == f"Correct {name}."
    assert "/dev/stdin" not in caught.value.what


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_file_may_have_the_line_ends_of_other_systems(end: str) -> None:
    assert first_command(HARMLESS.replace("\n", end).encode()) == 0


def test_the_users_own_file_may_run_programs(home: Path, project: Path) -> None:
    del project
    (home / ".ssh/work").write_text("Host build\n  ProxyCommand nc %h %p\n")
    assert route("~/.ssh/work", home).proxy_command == "nc build 22"


def test_a_link_in_the_users_folder_does_not_make_a_projects_file_his(
    home: Path, project: Path
) -> None:
    (project / "evil").write_text("Host build\n  ProxyCommand touch ran\n")
    with pytest.raises(UsageError, match="may run programs"):
        route("~/.ssh/../../project/evil", home)
    (home / ".ssh/link").symlink_to(project / "evil")
    with pytest.raises(UsageError, match="may run programs"):
        route("~/.ssh/link", home)


@pytest.mark.parametrize(
    "name",
    ['x"\nProxyCommand touch ran\n#"', "conf*", "a?", "~/.ssh/[ab]", "$HOME/x", "a\\b", "%d"],
)
def test_a_name_is_a_path_and_no_more(home: Path, project: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not the plain path"):
        configuration((name,), home, project, may_run=True)
    assert list(project.iterdir()) == []


def test_a_file_that_is_not_there_says_nothing(home: Path, project: Path) -> None:
    del project
    assert route("nothing", home).address == "build"
