import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockless.credentials.credential_sources import Given, Sources
from dockless.credentials.token_source import TokenSource
from dockless.diagnosis.logins import Search, check_files, check_project
from dockless.errors import UsageError
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository
from fakes.keyring_logins import memory_vault

REPOSITORY = Repository.of("registry.example.com", "team/app")
CREDENTIAL = Credential(username="me", password=Secret("pw"))


def _search(
    sources: Sources, *vaults: object, terminal: bool = False, write: bool = False
) -> Search:
    return Search(
        given=Given(),
        sources=sources,
        keyrings=vaults,  # type: ignore[arg-type] # vaults are keyrings
        terminal=terminal,
        write=write,
    )


def test_a_login_of_a_keyring_is_found(tmp_path: Path) -> None:
    keyring_logins = memory_vault(tmp_path)
    keyring_logins.put("registry.example.com", CREDENTIAL)
    found = _search(Sources(environment={}, home=tmp_path), keyring_logins)(REPOSITORY)
    assert found.credential is not None
    assert found.credential.username == "me"


def test_a_token_that_was_got_on_the_way_is_kept_nowhere(tmp_path: Path) -> None:
    keyring_logins = memory_vault(tmp_path)
    fresh = Credential(
        username="AWS", password=Secret("token"), origin="boto3", expires=time.time() + 9999
    )
    sources = Sources(
        environment={}, home=tmp_path, token_sources=(TokenSource("boto3", "", lambda: fresh),)
    )
    assert _search(sources, keyring_logins)(REPOSITORY).credential == fresh
    assert keyring_logins.logins() == ()


def test_a_file_that_is_broken_is_named_once_and_is_not_none(tmp_path: Path) -> None:
    file = tmp_path / ".docker/config.json"
    file.parent.mkdir()
    file.write_text("{broken")
    [found] = check_files({}, tmp_path)
    assert (found.state, found.subject) == ("problem", str(file))
    assert found.what == "is not a file of registry logins in JSON."


@pytest.mark.parametrize("name", ["aws", "az", "gcloud"])
def test_programs_that_write_files_of_their_own_run_with_write_only(
    tmp_path: Path, name: str
) -> None:
    sources = Sources(
        environment={}, home=tmp_path, token_sources=(TokenSource(name, "", lambda: CREDENTIAL),)
    )
    quiet = _search(sources, terminal=True)(REPOSITORY)
    assert quiet.credential is None
    assert f"{name}: {name} would be queried" in quiet.asked
    assert _search(sources, write=True)(REPOSITORY).credential == CREDENTIAL


@pytest.mark.parametrize(
    ("helper", "asked"), [("secretservice", False), ("pass", False), ("ecr-login", True)]
)
def test_helpers_that_may_open_a_dialog_run_at_a_terminal_only(
    tmp_path: Path, helper: str, *, asked: bool
) -> None:
    program = tmp_path / f"docker-credential-{helper}"
    program.write_text("""#!/bin/sh\necho '{"Username": "me", "Secret": "pw"}'\n""")
    program.chmod(0o755)
    config = tmp_path / ".docker/config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"credHelpers": {"registry.example.com": helper}}))
    sources = Sources(environment={"PATH": str(tmp_path)}, home=tmp_path)
    found = _search(sources)(REPOSITORY)
    assert (found.credential is not None) == asked
    assert _search(sources, terminal=True)(REPOSITORY).credential is not None


def test_every_file_that_is_wrong_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    docker, auth = tmp_path / "docker", tmp_path / "auth.json"
    docker.mkdir()
    (docker / "config.json").write_text('{"auths": "secret"')
    auth.write_text("{}")
    environment = {"DOCKER_CONFIG": str(docker), "REGISTRY_AUTH_FILE": str(auth)}
    wrong, files = check_files(environment, tmp_path)
    assert (wrong.subject, wrong.state) == (str(docker / "config.json"), "problem")
    assert wrong.remedy
    assert "secret" not in str(wrong)
    assert files.facts["files"] == (str(auth),)


@pytest.mark.parametrize(
    ("text", "state", "what"),
    [
        ('{"auths": {"a.example": {"auth": "bWU6c2VjcmV0"}}}', "ok", "a.example"),
        ("{}", "ok", "no registry"),
        ('{"auths": {"a.example": {"auth": "c2VjcmV0"}}}', "problem", "a.example"),
        ("secret", "problem", "JSON"),
    ],
)
def test_dockers_variable_is_checked_where_it_is_set(
    tmp_path: Path, text: str, state: str, what: str
) -> None:
    found, _ = check_files({"DOCKER_AUTH_CONFIG": text}, tmp_path)
    assert (found.subject, found.state) == ("DOCKER_AUTH_CONFIG", state)
    assert what in found.what
    assert bool(found.remedy) == (state == "problem")
    assert "secret" not in str(found)
    assert len(list(check_files({"DOCKER_AUTH_CONFIG": ""}, tmp_path))) == 1


def test_a_project_that_cannot_be_read_is_a_problem() -> None:
    def read() -> Iterator[None]:
        raise UsageError("deploy.yml is no YAML.")

    [found] = check_project(read)
    assert (found.state, bool(found.remedy)) == ("problem", True)
    [found] = check_project(lambda: None)
    assert found.state == "ok"
