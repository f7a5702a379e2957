"""`dockless hosts`: the numbered list, and what each host has."""

import json
import socket

import pytest

from bed.docker import Docker
from bed.fixtures import SAMPLE
from bed.fleet import Admin
from bed.hosts import Host

DEPLOY = """\
service: shop
image: acme/shop
servers:
  web: [{one}, {two}]
  jobs:
    hosts: [{one}]
ssh:
  user: root
"""


def deploy(admin: Admin, *hosts: Host) -> None:
    folder = admin.program.project / "config"
    folder.mkdir()
    one, two = (each.address for each in hosts)
    (folder / "deploy.yml").write_text(DEPLOY.format(one=one, two=two))


def test_the_list_has_the_numbers_of_servers(admin: Admin, docker_host: Host, island: Host) -> None:
    deploy(admin, docker_host, island)
    done = admin.program.run("hosts")
    assert done.stdout.splitlines() == [
        f"  1  root@{docker_host.address}:22 (web)",
        f"  2  root@{island.address}:22 (web)",
    ]
    chosen = admin.program.run("hosts", "--servers", "2")
    assert chosen.stdout == f"  2  root@{island.address}:22 (web)\n"
    listed = json.loads(admin.program.run("hosts", "--format", "json").stdout)["hosts"]
    assert [each["number"] for each in listed] == [1, 2]


def test_a_check_says_what_each_host_has(
    admin: Admin, docker_host: Host, equipped_island: Host
) -> None:
    deploy(admin, docker_host, equipped_island)
    admin.knows(docker_host, equipped_island)
    argv = ("hosts", "--check", "--source", SAMPLE, "--image", f"{admin.registry.host}/shop:1")
    done = admin.program.run(*argv, "--format", "json")
    assert done.code == 0, done.stderr
    first, second = json.loads(done.stdout)["hosts"]
    assert first["account"] == "root on Linux x86_64"
    assert first["tools"]["docker"].startswith("20.10")
    assert first["image"].startswith(f"docker has {SAMPLE}, sha256:")
    assert first["engines"]["crane"] == {"usable": True, "lacks": ""}
    assert first["engines"]["skopeo"] == {"usable": False, "lacks": "not installed"}
    assert first["freeBytes"] > 1_000_000
    assert [each["clockAheadSeconds"] for each in (first, second)] == [0, 0]
    assert (first["reachesRegistry"], second["reachesRegistry"]) == (True, False)
    assert (first["way"], second["way"]) == ("invoke", "relay")
    assert first["why"] == "it can"
    assert f"it does not reach {admin.registry.host}" in second["why"]
    text = admin.program.run(*argv).stdout
    assert "registry  reached" in text
    assert "registry  not reached" in text
    assert "transfer  invoke: it can" in text


@pytest.mark.parametrize(
    ("name", "code", "missing"),
    [("only/there:1", 8, 1), ("no/such:1", 3, 2), ("/no/such.tar", 3, 2)],
)
def test_a_host_without_the_image_fails_the_check(
    *,
    admin: Admin,
    old_docker: Docker,
    docker_host: Host,
    skopeo_host: Host,
    name: str,
    code: int,
    missing: int,
) -> None:
    old_docker.run("tag", SAMPLE, "only/there:1")
    admin.knows(docker_host, skopeo_host)
    second = ("--host", skopeo_host.target)
    argv = ("hosts", "--check", "--source", name, "--image", f"{admin.registry.host}/shop:1")
    done = admin.program.run(*argv, "--host", docker_host.target, *second, "--format", "json")
    assert done.code == code, done.stderr
    found = json.loads(done.stdout)["hosts"]
    assert [bool(each["lacking"]) for each in found] == [missing == 2, True]
    assert all(each["error"] is None for each in found)
    one = admin.program.run(*argv, *second)
    assert one.code == 3
    assert name in one.stderr


def test_a_host_that_nobody_gets_to_does_not_hide_the_others(
    admin: Admin, docker_host: Host, island: Host
) -> None:
    deploy(admin, docker_host, island)
    admin.knows(docker_host)
    done = admin.program.run("hosts", "--check", "--source", SAMPLE)
    assert done.code == 8
    assert "root on Linux" in done.stdout
    assert f"The host key of {island.address} is not known" in done.stdout


def test_no_servers_is_a_usage_error(admin: Admin) -> None:
    done = admin.program.run("hosts")
    assert done.code == 2
    assert "No servers are configured." in done.stderr


@pytest.mark.parametrize("numbers", ["3", "0", "x"])
def test_a_wrong_number_prints_the_list(
    admin: Admin, docker_host: Host, island: Host, numbers: str
) -> None:
    deploy(admin, docker_host, island)
    done = admin.program.run("hosts", "--servers", numbers)
    assert done.code == 2
    assert f"1  root@{docker_host.address}:22 (web)" in done.stderr


def test_a_host_that_says_nothing_is_given_up_in_time(admin: Admin) -> None:
    (admin.ssh / "config").write_text("ConnectTimeout 600\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = f"root@127.0.0.1:{silent.getsockname()[1]}"
        done = admin.program.run("hosts", "--check", "--host", target, "--timeout", "1s")
    assert done.code == 6, done.stderr
    assert "did not finish within --timeout" in done.stderr
