"""Other people's tools use dockless's keyring through `docker-credential-dockless`."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bed.docker import Docker
from bed.dockless import SCRIPT, Dockless, dockless
from bed.fixtures import SAMPLE
from bed.process import output
from bed.registry import Login, Registry
from bed.tools import buildx, crane

_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_LOADED = """
import sys
from dockless.cli import credential_helper
sys.argv = ["docker-credential-dockless", "list"]
try:
    credential_helper.main()
except SystemExit:
    print(*sys.modules, file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Bed:
    """A registry with a login in the kernel's keyring, which other tools' files lead to."""

    program: Dockless
    registry: Registry
    login: Login

    @property
    def host(self) -> str:
        return self.registry.host

    def log_in(self) -> None:
        user, password = self.login
        argv = ("login", self.host, "--username", user, "--password-stdin")
        configured = ("--configure-docker", "--configure-containers")
        trust = ("--ca-file", self.registry.ca_file)
        done = self.program.run(*argv, *trust, *configured, stdin=password.encode())
        assert done.code == 0, done.stderr

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of another tool, with our scripts and its files in it."""
        found = self.program.environment()
        path = f"{SCRIPT.parent}:{_PATH}"
        return found | {"PATH": path, "SSL_CERT_FILE": str(self.registry.ca_file)} | more

    def run(self, *argv: str | Path, stdin: bytes = b"", **more: str) -> str:
        return output(argv, stdin=stdin, environment=self.environment(**more))

    def keyring(self, *arguments: str, stdin: str = "") -> str:
        helper = self.program.script("docker-credential-dockless")
        return helper.run(*arguments, stdin=stdin.encode()).stdout


@pytest.fixture
def bed(tmp_path: Path, locked_registry: Registry, login: Login) -> Iterator[Bed]:
    program = dockless(tmp_path / "dockless", DOCKLESS_KEYRING="kernel")
    yield Bed(program, locked_registry, login)
    program.run("logout", locked_registry.host)


def test_docker_pushes_with_it(bed: Bed, old_docker: Docker) -> None:
    target = f"{bed.host}/helper/docker:1"
    argv = ("docker", f"--host={old_docker.address}", "push", target)
    old_docker.run("tag", SAMPLE, target)
    try:
        with pytest.raises(RuntimeError, match="no basic auth credentials"):
            bed.run(*argv)
        bed.log_in()
        assert "digest: sha256:" in bed.run(*argv)
    finally:
        old_docker.run("rmi", target)


def test_docker_logs_in_and_out_through_it(bed: Bed, old_docker: Docker) -> None:
    bed.log_in()
    bed.keyring("erase", stdin=bed.host)
    user, password = bed.login
    docker = ("docker", f"--host={old_docker.address}")
    as_user = ("--username", user, "--password-stdin")
    bed.run(*docker, "login", bed.host, *as_user, stdin=password.encode())
    kept = json.loads(bed.keyring("get", stdin=bed.host))
    assert kept == {"ServerURL": bed.host, "Username": user, "Secret": password}
    config = (bed.program.home / ".docker" / "config.json").read_text()
    assert json.loads(config)["auths"] == {bed.host: {}}
    bed.run(*docker, "logout", bed.host)
    assert bed.keyring("get", stdin=bed.host) == "credentials not found in native keychain\n"


def test_buildkit_pushes_with_it(bed: Bed, new_docker: Docker) -> None:
    bed.log_in()
    plugins = bed.program.home / ".docker" / "cli-plugins"
    plugins.mkdir()
    (plugins / "docker-buildx").symlink_to(buildx())
    (bed.program.project / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    target = f"{bed.host}/helper/buildkit:1"
    argv = ("docker", f"--host={new_docker.address}", "buildx", "build", "--push", "--tag", target)
    settings = str(bed.program.folder / "buildx")
    bed.run(*argv, bed.program.project, BUILDX_CONFIG=settings)
    trust = f"--cert-dir={bed.registry.ca_file.parent}"
    assert bed.run("skopeo", "inspect", trust, f"docker://{target}")


@pytest.mark.parametrize("tool", ["podman", "buildah"])
def test_podman_and_buildah_know_the_login(bed: Bed, tool: str) -> None:
    bed.log_in()
    assert bed.run(tool, "login", "--get-login", bed.host) == bed.login.username


def test_skopeo_copies_with_it(bed: Bed, oci_layout: Path) -> None:
    bed.log_in()
    trust = f"--dest-cert-dir={bed.registry.ca_file.parent}"
    bed.run("skopeo", "copy", trust, f"oci:{oci_layout}:1", f"docker://{bed.host}/helper/skopeo:1")


def test_crane_pushes_with_it(bed: Bed, oci_layout: Path) -> None:
    bed.log_in()
    reported = bed.run(crane(), "push", oci_layout, f"{bed.host}/helper/crane:1")
    assert reported.startswith(f"{bed.host}/helper/crane@sha256:")


def test_dockless_does_not_start_its_own_helper(bed: Bed, old_archive: Path) -> None:
    bed.log_in()
    bed.keyring("erase", stdin=bed.host)
    image = ("--image", f"{bed.host}/helper/own:1")
    done = bed.program.run("push", old_archive, *image, "--ca-file", bed.registry.ca_file)
    assert done.code == 4
    assert "requires a credential" in done.stderr


def test_the_helper_starts_without_what_only_a_command_line_needs(bed: Bed) -> None:
    python = shutil.which("python", path=str(SCRIPT.parent)) or ""
    environment = os.environ | {"DOCKLESS_KEYRING": "kernel", "HOME": str(bed.program.home)}
    done = subprocess.run(
        (python, "-c", _LOADED), env=environment, capture_output=True, check=True, timeout=60
    )
    loaded = set(done.stderr.decode().split())
    assert {"click", "rich", "urllib3", "keyring", "yaml", "sh"} & loaded == set()
