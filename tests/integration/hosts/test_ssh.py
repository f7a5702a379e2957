"""Getting to hosts over SSH as OpenSSH users expect it."""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bed.dockless import Dockless, Result
from bed.failures import complaint
from bed.fleet import PASSPHRASE, Admin, Key
from bed.hosts import Host
from bed.process import output


def account(result: Result) -> str:
    """Return who we were on the one host that was looked at."""
    assert result.code == 0, result.stderr
    (found,) = json.loads(result.stdout)["hosts"]
    return str(found["account"])


def config(admin: Admin, text: str) -> None:
    (admin.ssh / "config").write_text(text)


def fingerprint(host: Host, folder: Path) -> str:
    path = folder / "host.pub"
    path.write_text(host.key)
    return output(("ssh-keygen", "-lf", path)).split()[1]


def test_an_unknown_host_is_refused_with_its_fingerprint(
    admin: Admin, docker_host: Host, tmp_path: Path
) -> None:
    done = admin.run("ssh/unknown:1", "--host", docker_host.target)
    said = complaint(done, 4)
    assert f"The host key of {docker_host.address} is not known" in said
    assert fingerprint(docker_host, tmp_path) in said
    assert f"ssh-keyscan -t ed25519 {docker_host.address} >> {admin.ssh}/known_hosts" in said
    assert not (admin.ssh / "known_hosts").exists()


def test_the_command_that_is_given_makes_the_host_known(admin: Admin, docker_host: Host) -> None:
    said = admin.run("ssh/unknown:1", "--host", docker_host.target).stderr
    command = said.partition("add it with `")[2].partition("`")[0]
    subprocess.run(command, shell=True, check=True, capture_output=True)  # noqa: S602 - as told
    assert account(admin.check("--host", docker_host.target)).startswith("root on Linux")


@pytest.mark.parametrize("hashes", ["no", "yes"])
def test_a_new_host_is_added_when_asked_for(admin: Admin, docker_host: Host, hashes: str) -> None:
    config(admin, f"HashKnownHosts {hashes}\n")
    done = admin.check("--host", docker_host.target, "--accept-new-host-keys")
    assert account(done).startswith("root")
    known = admin.ssh / "known_hosts"
    assert "added its ssh-ed25519 key SHA256:" in done.stderr
    assert (docker_host.address in known.read_text()) == (hashes == "no")
    assert known.stat().st_mode & 0o777 == 0o600
    argv = ("ssh-keygen", "-F", docker_host.address, "-f", known)
    assert docker_host.key in output(argv), "OpenSSH finds it, too"
    assert account(admin.check("--host", docker_host.target)).startswith("root")


@pytest.mark.parametrize("options", [(), ("--accept-new-host-keys",)])
def test_a_changed_key_is_always_refused(
    admin: Admin, docker_host: Host, bare_host: Host, options: tuple[str, ...]
) -> None:
    known = admin.ssh / "known_hosts"
    known.write_text(f"{docker_host.address} {bare_host.key}\n")
    before = known.read_text()
    said = complaint(admin.run("ssh/changed:1", "--host", docker_host.target, *options), 4)
    assert f"The host key of {docker_host.address} has changed" in said
    assert f"ssh-keygen -R '{docker_host.address}'" in said
    assert known.read_text() == before


def test_a_revoked_key_is_refused(admin: Admin, docker_host: Host) -> None:
    admin.knows(docker_host)
    with (admin.ssh / "known_hosts").open("a") as file:
        file.write(f"@revoked * {docker_host.key}\n")
    said = complaint(admin.run("ssh/revoked:1", "--host", docker_host.target), 4)
    assert "is revoked in known_hosts" in said


def test_ssh_config_says_how_to_get_there(
    admin: Admin, docker_host: Host, key: Key, tmp_path: Path
) -> None:
    (admin.ssh / "id_ed25519").unlink()
    (tmp_path / "elsewhere").mkdir()
    identity = key.give(tmp_path / "elsewhere", "id_rsa")
    known = tmp_path / "known"
    known.write_text(f"build {docker_host.key}\n")
    (admin.ssh / "more").write_text(
        f"Host build\n  HostName {docker_host.address}\n  User root\n  Port 22\n"
        f"  IdentityFile {identity}\n  UserKnownHostsFile {known}\n  HostKeyAlias build\n"
    )
    config(admin, f"Include {admin.ssh}/more\n")
    assert account(admin.check("--host", "build")).startswith("root")


@pytest.mark.parametrize("kind", ["id_ed25519", "id_ecdsa", "id_rsa"])
def test_keys_of_every_kind_open_a_host(
    admin: Admin, docker_host: Host, key: Key, kind: str
) -> None:
    for path in admin.ssh.iterdir():
        path.unlink()
    key.give(admin.program.home, kind)
    admin.knows(docker_host)
    assert account(admin.check("--host", docker_host.target)).startswith("root")


def test_a_host_that_takes_no_key_is_an_error_of_its_own(admin: Admin, docker_host: Host) -> None:
    admin.knows(docker_host)
    output(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", admin.ssh / "other"))
    for suffix in ("", ".pub"):
        (admin.ssh / f"other{suffix}").replace(admin.ssh / f"id_ed25519{suffix}")
    said = complaint(admin.run("ssh/key:1", "--host", docker_host.target), 4)
    assert f"{docker_host.address} did not accept the key for root" in said
    assert f"`ssh root@{docker_host.address}`" in said


@contextlib.contextmanager
def agent(folder: Path, *keys: Path) -> Iterator[str]:
    """Run an agent that holds these keys; yield its socket."""
    folder.mkdir()
    path = folder / "socket"
    with subprocess.Popen(("ssh-agent", "-D", "-a", path), stdout=subprocess.DEVNULL) as child:
        try:
            while not path.exists():
                child.poll()
            environment = os.environ | {"SSH_AUTH_SOCK": str(path)}
            subprocess.run(
                ("ssh-add", "-q", *keys), env=environment, check=True, capture_output=True
            )
            yield str(path)
        finally:
            child.terminate()


def test_the_agent_opens_a_host_unless_only_files_may(
    admin: Admin, docker_host: Host, key: Key, tmp_path: Path
) -> None:
    for path in admin.ssh.iterdir():
        path.unlink()
    admin.knows(docker_host)
    with agent(tmp_path / "agent", key.folder / "id_ecdsa") as running:
        program = Dockless(admin.program.folder, {"SSH_AUTH_SOCK": running})
        held = Admin(program, admin.registry, tmp_path)
        assert account(held.check("--host", docker_host.target)).startswith("root")
        config(admin, "IdentitiesOnly yes\n")
        assert "There was no key to offer" in complaint(
            held.run("ssh/agent:1", "--host", docker_host.target), 4
        )


def test_a_locked_key_is_asked_about_at_a_terminal(
    admin: Admin, docker_host: Host, key: Key
) -> None:
    _lock(admin, docker_host, key)
    with admin.program.terminal("hosts", "--check", "--host", docker_host.target) as terminal:
        terminal.screen.expect("Passphrase for")
        terminal.screen.sendline(PASSPHRASE)
        code, shown = terminal.finish()
    assert code == 0
    assert "root on Linux" in shown
    assert PASSPHRASE not in shown


def test_a_locked_key_without_its_passphrase_says_so(
    admin: Admin, docker_host: Host, key: Key
) -> None:
    _lock(admin, docker_host, key)
    said = complaint(admin.run("ssh/locked:1", "--host", docker_host.target), 4)
    assert f"{admin.ssh}/id_locked is encrypted, and no passphrase was given" in said
    assert PASSPHRASE not in said


def test_the_keyring_has_the_passphrase(
    admin: Admin, docker_host: Host, key: Key, tmp_path: Path
) -> None:
    _lock(admin, docker_host, key)
    program = Dockless(admin.program.folder, {"DOCKLESS_KEYRING": "kernel-user"})
    service, user = "dockless:ssh-key", str(admin.ssh / "id_locked")
    script = (
        "from dockless.credentials.keyrings import backend;"
        "import os, sys;"
        "b = backend('kernel-user', os.environ, None, None);"
        f"b.set_password('{service}', '{user}', sys.stdin.read()) if sys.argv[1] == 'set' "
        f"else b.delete_password('{service}', '{user}')"
    )
    python = program.path.with_name("python")
    output((python, "-c", script, "set"), stdin=PASSPHRASE.encode())
    try:
        held = Admin(program, admin.registry, tmp_path)
        assert account(held.check("--host", docker_host.target)).startswith("root")
    finally:
        output((python, "-c", script, "delete"))


@pytest.mark.parametrize("known", ["at a terminal", "nowhere"])
def test_a_locked_key_of_the_project_is_asked_about_at_a_terminal(
    admin: Admin, docker_host: Host, key: Key, known: str
) -> None:
    for path in admin.ssh.iterdir():
        path.unlink()
    admin.knows(docker_host)
    project = admin.program.project
    for name, text in (
        (".kamal/secrets", f'DEPLOY_KEY="{(key.folder / "id_locked").read_text()}"\n'),
        ("config/deploy.yml", f"{_DEPLOY}servers: [{docker_host.address}]\n"),
    ):
        (project / name).parent.mkdir()
        (project / name).write_text(text)
    if known == "nowhere":
        said = complaint(admin.run("ssh/locked:1"), 4)
        assert "The key DEPLOY_KEY of `ssh.key_data` in deploy.yml is encrypted, and no " in said
        assert said.count("DEPLOY_KEY") == 1
        return
    with admin.program.terminal("hosts", "--check") as terminal:
        terminal.screen.expect("Passphrase for DEPLOY_KEY")
        terminal.screen.sendline(PASSPHRASE)
        code, shown = terminal.finish()
    assert code == 0
    assert "root on Linux" in shown
    assert PASSPHRASE not in shown


_DEPLOY = """\
service: shop
image: acme/shop
ssh: {user: root, keys_only: true, key_data: [DEPLOY_KEY]}
"""


def _lock(admin: Admin, host: Host, key: Key) -> None:
    for path in admin.ssh.iterdir():
        path.unlink()
    key.give(admin.program.home, "id_locked")
    config(admin, "IdentityFile ~/.ssh/id_locked\n")
    admin.knows(host)


def test_a_jump_host_leads_further(admin: Admin, docker_host: Host, island: Host) -> None:
    config(admin, f"Host {island.address}\n  ProxyJump {docker_host.target}\n")
    admin.knows(docker_host, island)
    assert account(admin.check("--host", island.target)).startswith("root")
    assert island.logins()[-1] == docker_host.address


def test_the_key_of_a_host_behind_a_jump_host_is_checked_too(
    admin: Admin, docker_host: Host, island: Host
) -> None:
    config(admin, f"Host {island.address}\n  ProxyJump {docker_host.target}\n")
    admin.knows(docker_host)
    said = complaint(admin.run("ssh/jump:1", "--host", island.target), 4)
    assert f"The host key of {island.address} is not known" in said


def test_a_proxy_command_is_spoken_through(admin: Admin, docker_host: Host, island: Host) -> None:
    known = f"-o UserKnownHostsFile={admin.ssh}/known_hosts -i {admin.ssh}/id_ed25519"
    config(
        admin,
        f"Host {island.address}\n  ProxyCommand ssh {known} -W %h:%p {docker_host.target}\n",
    )
    admin.knows(docker_host, island)
    assert account(admin.check("--host", island.target)).startswith("root")
    assert island.logins()[-1] == docker_host.address


def test_the_last_words_of_a_proxy_command_are_told(admin: Admin, island: Host) -> None:
    config(admin, f"Host {island.address}\n  ProxyCommand echo no way out >&2; exit 3 #%h\n")
    said = complaint(admin.run("ssh/proxy:1", "--host", island.target, "--retries", "0"), 6)
    assert "no way out" in said


def test_a_host_has_an_ipv6_address(admin: Admin, docker_host: Host) -> None:
    with (admin.ssh / "known_hosts").open("w") as file:
        file.write(f"{docker_host.address6} {docker_host.key}\n")
    for target in (f"root@{docker_host.address6}", f"root@[{docker_host.address6}]:22"):
        assert account(admin.check("--host", target)).startswith("root")


def test_nobody_at_home_is_a_network_error(admin: Admin, bridge: object) -> None:
    del bridge
    said = complaint(admin.run("ssh/closed:1", "--host", "root@127.0.0.1:1", "--retries", "0"), 6)
    assert "127.0.0.1 cannot be reached: connection refused" in said


def test_a_name_that_is_none_is_said_to_be_none(admin: Admin) -> None:
    said = complaint(admin.run("ssh/name:1", "--host", "root@no.such.host.invalid"), 6)
    assert "There is no host no.such.host.invalid" in said


def test_a_host_that_says_nothing_is_given_up(admin: Admin) -> None:
    config(admin, "ConnectTimeout 1\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"root@127.0.0.1:{silent.getsockname()[1]}"
        said = complaint(admin.run("ssh/silent:1", "--host", target, "--retries", "0"), 6)
    assert "cannot be reached" in said


@pytest.mark.parametrize(
    "host", ["-oProxyCommand=touch /tmp/x", "root@-h", "a b", "root@host:0", "root@host:70000", ""]
)
def test_what_is_no_host_is_a_usage_error(admin: Admin, host: str) -> None:
    said = complaint(admin.run("ssh/host:1", f"--host={host}"), 2)
    assert "is not [USER@]HOST[:PORT]" in said
