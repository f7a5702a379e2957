"""Docker that only root may use, on hosts whose user may run it with sudo."""

import json

import pytest

from bed.docker import Docker
from bed.fixtures import SAMPLE
from bed.fleet import Admin
from bed.hosts import Host
from bed.pushes import inspected

FOLDER = "/home/{}/project"


@pytest.mark.parametrize("way", ["invoke", "copy", "relay", "tunnel"])
def test_the_image_of_a_docker_behind_sudo_arrives_and_nothing_is_left(
    admin: Admin, old_docker: Docker, sudo_host: Host, way: str
) -> None:
    admin.knows(sudo_host)
    target, where = f"sudo/{way}:1", ("--host", sudo_host.target, "--source", SAMPLE)
    done = admin.run(target, *where, "--via", way, "--sudo", "--audit")
    assert done.code == 0, done.stderr
    assert f"{sudo_host.address}: no files left behind." in done.stderr
    assert f"docker image {SAMPLE}, with sudo" in done.stderr
    assert admin.pusher().as_it_is(target) == inspected(old_docker.run("image", "inspect", SAMPLE))


def test_sudo_is_not_used_unasked_and_the_error_names_it(admin: Admin, sudo_host: Host) -> None:
    admin.knows(sudo_host)
    done = admin.run("sudo/none:1", "--host", sudo_host.target, "--source", SAMPLE)
    assert done.code == 3
    assert "this account has no permission to use docker" in done.stderr
    assert "use --sudo" in done.stderr


@pytest.mark.parametrize("name", ["docker_host", "podman_host"])
def test_sudo_that_wants_a_password_or_is_not_there_is_one_error(
    request: pytest.FixtureRequest, admin: Admin, name: str
) -> None:
    host = request.getfixturevalue(name)
    admin.knows(host)
    host.run("mount --bind /dev/null /usr/bin/sudo" if host.user == "root" else "true")
    where = ("--host", host.target, "--source", SAMPLE, "--sudo")
    try:
        done = admin.run("sudo/refused:1", *where)
    finally:
        host.run("umount /usr/bin/sudo" if host.user == "root" else "true")
    assert done.code in (3, 7)
    said = "sudo cannot be started" if host.user == "root" else "a password is required"
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_check_looks_with_sudo_too(admin: Admin, sudo_host: Host) -> None:
    admin.knows(sudo_host)
    where = ("--host", sudo_host.target, "--source", SAMPLE)
    without, with_sudo = admin.check(*where), admin.check(*where, "--sudo")
    assert (without.code, with_sudo.code) == (3, 0), with_sudo.stderr
    found = [json.loads(each.stdout)["hosts"][0] for each in (without, with_sudo)]
    assert "cannot be used" in found[0]["tools"]["docker"]
    assert found[1]["tools"]["docker"].startswith("20.10")
    assert found[1]["image"].startswith(f"docker has {SAMPLE}, sha256:")


def test_what_is_built_there_is_built_with_sudo(
    admin: Admin, old_docker: Docker, sudo_host: Host
) -> None:
    admin.knows(sudo_host)
    folder = FOLDER.format(sudo_host.user)
    sudo_host.run(
        f"mount -t tmpfs tmpfs /home/{sudo_host.user}; mkdir {folder}; "
        f"printf 'FROM {SAMPLE}\\nLABEL built=there\\n' >{folder}/Dockerfile; "
        f"chown -R {sudo_host.user} /home/{sudo_host.user}"
    )
    try:
        done = admin.run("sudo/built:1", "--host", sudo_host.target, "--build", "--sudo")
    finally:
        sudo_host.run(f"umount /home/{sudo_host.user}")
    assert done.code == 0, done.stderr
    built = admin.pusher().as_it_is("sudo/built:1")
    base = inspected(old_docker.run("image", "inspect", SAMPLE))
    assert (built.diff_ids, built.config == base.config) == (base.diff_ids, False)
