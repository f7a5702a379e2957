"""Registries of one's own: behind nginx, on a path, with client certificates, and proxies."""

from dataclasses import replace
from pathlib import Path

import pytest

from bed.certificates import Certificates, make
from bed.dockless import Dockless
from bed.failures import complaint
from bed.names import named
from bed.nginx import nginx
from bed.registry import Login, Registry, docker_registry


def test_a_client_certificate_opens_the_door_that_nginx_keeps(
    program: Dockless,
    tmp_path: Path,
    own_registry: Registry,
    certificates: Certificates,
    old_archive: Path,
) -> None:
    with nginx(tmp_path, certificates, own_registry.host, client_certificate=True) as host:
        image = ("--image", f"{host}/team/app:1")
        done = program.run("push", old_archive, *image, "--cert-dir", certificates.folder)
        assert done.code == 0, done.stderr
        without = program.run("push", old_archive, *image, "--ca-file", certificates.ca)
    assert host in complaint(without, without.code)
    assert without.code in (1, 4, 6)


@pytest.mark.parametrize("engine", ["crane", "skopeo"])
def test_a_registry_on_a_path_behind_a_proxy(
    program: Dockless,
    tmp_path: Path,
    own_registry: Registry,
    certificates: Certificates,
    old_archive: Path,
    engine: str,
) -> None:
    with nginx(tmp_path, certificates, own_registry.host, prefix="mirror/inner/") as host:
        image = ("--image", f"{host}/mirror/inner/team/app:1")
        trust = ("--ca-file", certificates.ca, "--engine", engine)
        done = program.run("push", old_archive, *image, *trust)
        assert done.code == 0, done.stderr
    paths = [request.path for request in own_registry.requests() if request.method == "PUT"]
    assert paths
    assert all(path.startswith("/v2/team/app/") for path in paths)


@pytest.mark.sampled(7)
@pytest.mark.parametrize("engine", ["crane", "skopeo"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_is_used_with_its_own_password_and_never_shown(
    program: Dockless, tmp_path: Path, old_archive: Path, engine: str, variable: str
) -> None:
    name, login = "registry.inside.example", Login("me", "pw")
    certificates = make(tmp_path / "certificates", name)
    with named(tmp_path / "inside", certificates, login, name) as there:
        proxy = there.proxy.url.replace("http://", "http://user:s3cretproxy@")
        inside = replace(
            program, extra={variable: proxy, "DOCKLESS_USERNAME": "me", "DOCKLESS_PASSWORD": "pw"}
        )
        options = ("--ca-file", certificates.ca, "--engine", engine)
        done = inside.run("push", old_archive, "--image", f"{name}/app:1", *options)
        assert done.code == 0, done.stderr
        assert set(there.proxy.asked) == {f"{name}:443"}
        assert set(there.proxy.authorizations) == {"basic dxnlcjpzm2nyzxrwcm94eq=="}
        other = inside.run("push", old_archive, "--image", "nowhere.example/app:1", "--retries=0")
        assert complaint(other, 6)
        assert "s3cretproxy" not in done.stderr + other.stderr


@pytest.mark.parametrize("exempt", ["127.0.0.0/8", "127.0.0.1", "*"])
def test_no_proxy_is_heard_by_us_and_by_the_engine(
    program: Dockless, tmp_path: Path, old_archive: Path, exempt: str
) -> None:
    folder = tmp_path / "registry"
    folder.mkdir()
    with docker_registry(folder) as registry:
        inside = replace(
            program, extra={"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": f"x.example,{exempt}"}
        )
        done = inside.run("push", old_archive, "--image", f"{registry.host}/app:1")
    assert done.code == 0, done.stderr
