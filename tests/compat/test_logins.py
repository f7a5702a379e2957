"""Logins, settings and tools that an older version left."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bed.dockless import SCRIPT, Dockless
from bed.place import CLOUD, HOST, LOGIN, OPEN, TOKEN, WITH_PORT, Place
from bed.process import output
from bed.pushes import Pusher
from bed.registry import Login
from bed.tools import SYSTEM_PATH, crane

_PASSPHRASE = "the fixture's file"
_TESTS = Path(__file__).parents[1]


@pytest.fixture
def ring(there: Place, wrote: Path) -> Dockless:
    """Dockless with the entries of a keyring, the project's file and nothing else."""
    shutil.copy(wrote / "logins" / "docker-config.json", there.program.project)
    shutil.copytree(wrote / "images", there.program.project / "images")
    return there.also(
        DOCKLESS_KEYRING="bed.jsonring.JsonKeyring",
        JSON_KEYRING=str(wrote / "logins" / "entries.json"),
        PYTHONPATH=str(_TESTS),
    )


def push(there: Place, program: Dockless, *options: str) -> str:
    """Push, which must succeed; return what stdout says."""
    done = program.run("push", "images/shop.tar", *options, *there.trust)
    assert done.code == 0, done.stderr
    return done.stdout


def known(program: Dockless) -> set[tuple[str, str, bool, bool]]:
    """Return what is listed: registry, username, whether the default, whether it ends."""
    done = program.run("whoami", "--format", "json")
    assert done.code == 0, done.stderr
    return {
        (each["registry"], each["username"], each["default"], each["ends"] is not None)
        for each in json.loads(done.stdout)["logins"]
    }


def helped(program: Dockless, host: str) -> Login:
    """Return the login that `docker-credential-dockless` gives."""
    done = program.script("docker-credential-dockless").run("get", stdin=host.encode())
    assert done.code == 0, done.stdout
    answer = json.loads(done.stdout)
    return Login(answer["Username"], answer["Secret"])


def test_every_entry_of_a_keyring_is_read(ring: Dockless) -> None:
    assert known(ring) == {
        (HOST, LOGIN.username, True, False),
        (f"{HOST}/team", LOGIN.username, True, False),
        (OPEN, "first", False, False),
        (OPEN, "second", True, False),
        (f"{OPEN}/token", "<token>", True, False),
        (WITH_PORT, "third", True, False),
        (CLOUD, "AWS", True, True),
    }
    assert {name: helped(ring, name) for name in (HOST, OPEN, f"{OPEN}/token", WITH_PORT)} == {
        HOST: LOGIN,
        OPEN: Login("second", "2 second"),
        f"{OPEN}/token": Login("<token>", "an identity token"),
        WITH_PORT: Login("third", "3 third"),
    }


def test_logging_out_removes_the_old_entries(ring: Dockless, wrote: Path) -> None:
    for login in ("first", "second"):
        assert ring.run("logout", OPEN, "--username", login).code == 0
    for name in (HOST, f"{HOST}/team", f"{OPEN}/token", WITH_PORT, CLOUD):
        assert ring.run("logout", name).code == 0
    assert json.loads((wrote / "logins" / "entries.json").read_text()) == []


def test_a_push_needs_no_more_than_the_keyring_and_the_project_s_file(
    there: Place, ring: Dockless
) -> None:
    said = push(there, ring)
    assert said.startswith(f"{HOST}/team/shop@sha256:")
    (there.program.project / "docker-config.json").unlink()
    done = ring.run("push", "images/shop.tar", "--explain")
    assert HOST not in done.stdout


def test_a_kept_token_is_used_and_nobody_asked_for_another(
    there: Place, ring: Dockless, tmp_path: Path
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "aws").write_text(f"#!/bin/sh\ntouch '{scripts}/asked'\nexit 1\n")
    (scripts / "aws").chmod(0o755)
    (scripts / "sitecustomize.py").write_text("import sys\nsys.modules['boto3'] = None\n")
    search = {"PATH": f"{scripts}:{SYSTEM_PATH}", "PYTHONPATH": f"{scripts}:{_TESTS}"}
    program = replace(ring, extra={**ring.extra, **search})
    push(there, program, "--image", f"{CLOUD}/acme/shop:1")
    assert not (scripts / "asked").exists()
    assert helped(program, CLOUD) == Login("AWS", TOKEN)


@pytest.mark.usefixtures("ring")
def test_keys_of_the_kernel_are_read(there: Place, wrote: Path) -> None:
    inside = there.with_keys(wrote / "logins" / "kernel.json")
    program = replace(inside, extra={**inside.extra, "DOCKLESS_KEYRING": "kernel-user"})
    assert known(program) == {
        (HOST, LOGIN.username, True, False),
        (OPEN, "timed", True, True),
    }
    (there.program.project / "docker-config.json").unlink()  # only the index has the user
    push(there, program, "--image", f"{HOST}/kernel/shop:1")
    assert helped(program, OPEN) == Login("timed", "4 timed")


@pytest.mark.usefixtures("ring")
def test_an_encrypted_file_is_read(there: Place, wrote: Path) -> None:
    shutil.copytree(wrote / "logins" / "data", there.program.folder / "data", dirs_exist_ok=True)
    chosen = {"DOCKLESS_KEYRING": "file", "DOCKLESS_KEYRING_PASSWORD": _PASSPHRASE}
    # opening it takes seconds on purpose, so one program does all; only the index has the user
    (there.program.project / "docker-config.json").unlink()
    push(there, there.also(**chosen), "--image", f"{HOST}/file/shop:1")


@pytest.mark.parametrize("engine", ["skopeo", "crane"])
def test_other_tools_still_find_us_by_their_files(
    there: Place, ring: Dockless, wrote: Path, tmp_path: Path, engine: str
) -> None:
    push(there, ring)
    for part in ("home", "config"):
        source = wrote / "logins" / part
        shutil.copytree(source, there.program.folder / part, dirs_exist_ok=True)
    environment = ring.environment() | {
        "PATH": f"{SCRIPT.parent}:{SYSTEM_PATH}",
        "SSL_CERT_FILE": str(there.certificates.ca),
    }
    name = f"{HOST}/team/shop"
    argv: dict[str, tuple[str | Path, ...]] = {
        "skopeo": ("skopeo", "list-tags", f"docker://{name}"),
        "crane": (crane(), "ls", name),
    }
    if engine == "skopeo":  # which would read Docker's file, too
        (there.program.home / ".docker" / "config.json").unlink()
        environment["REGISTRY_AUTH_FILE"] = _only_file(there.program.folder / "config")
    assert "latest" in output(argv[engine], environment=environment)
    assert Pusher(ring, there.registry, tmp_path).digest("team/shop:latest")


def _only_file(folder: Path) -> str:
    (path,) = (each for each in folder.rglob("*.json") if each.is_file())
    return str(path)


def test_logging_out_takes_us_out_of_other_tools_files(
    there: Place, ring: Dockless, wrote: Path
) -> None:
    files = []
    for part in ("home", "config"):
        source = wrote / "logins" / part
        shutil.copytree(source, there.program.folder / part, dirs_exist_ok=True)
        files += [path for path in (there.program.folder / part).rglob("*.json") if path.is_file()]
    assert [HOST in path.read_text() for path in files] == [True, True]
    done = ring.run("logout", HOST)
    assert done.code == 0, done.stderr
    assert [HOST in path.read_text() for path in files] == [False, False]
    assert not (there.program.project / "docker-config.json").exists()


def test_an_engine_is_found_where_it_was_installed(there: Place, wrote: Path) -> None:
    (tool,) = json.loads((wrote / "tools.json").read_text())
    path = there.program.folder / "data" / tool["path"]
    path.parent.mkdir(parents=True)
    shutil.copy(crane(), path)
    path.chmod(int(tool["mode"], 8))
    done = there.also(DOCKLESS_TOOLS_DIR="").run("tools", "path")
    assert (done.code, done.stdout.strip()) == (0, str(path))
