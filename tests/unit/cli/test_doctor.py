import os
from collections.abc import Callable

import pytest
from click.testing import Result

from dockless.cli import doctor as command
from dockless.cli import prompts
from dockless.credentials.resolve import FoundCredential
from dockless.diagnosis.asked_registry import Asked, asked_of
from dockless.diagnosis.examination import Examination
from dockless.diagnosis.page import Check
from dockless.diagnosis.user_logins import user_logins
from dockless.errors import UsageError
from dockless.model.finding import Finding, State
from dockless.model.options import CommandOptions
from dockless.model.secret import Credential, Secret

Run = Callable[..., Result]


def examination(asked: Asked | None, *, write: bool) -> Examination:
    logins = user_logins(CommandOptions(), prompts)
    return Examination(CommandOptions(), asked, logins, os.environ, write=write)


@pytest.mark.parametrize("option", [("--username", "me"), ("--password-stdin",)])
def test_a_credential_without_a_registry_is_a_usage_error(run: Run, option: tuple[str]) -> None:
    done = run("doctor", *option, input="secret")
    assert isinstance(done.exception, UsageError)
    assert "dockless doctor HOST" in done.exception.remedy


@pytest.mark.parametrize(
    ("text", "username", "repository"),
    [
        ("docker.io", "Me", "docker.io/me/dockless-doctor"),
        ("ghcr.io", "me", "ghcr.io/me/dockless-doctor"),
        ("registry.example.com", "me", "registry.example.com/dockless-doctor"),
        ("docker.io", "me@example.com", "docker.io/library/dockless-doctor"),
        ("docker.io/you/app", "me", "docker.io/you/app"),
    ],
)
def test_the_default_repository_is_in_the_accounts_own_namespace(
    project: object, text: str, username: str, repository: str
) -> None:
    assert project
    checks = examination(asked_of(text), write=False)
    checks._found = FoundCredential(
        credential=Credential(username=username, password=Secret("x")), asked=()
    )
    assert str(checks.repository()) == repository


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("note", 0), ("problem", 1)])
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_exit_code_says_whether_anything_is_wrong(
    run: Run, monkeypatch: pytest.MonkeyPatch, state: State, code: int, form: str
) -> None:
    finding = Finding(area="system", subject="x", state=state, what="Seen.", remedy="Repair it.")
    check = Check(area="system", subject="x", look=lambda: [finding])
    monkeypatch.setattr(Examination, "lanes", lambda _: [(check,)])
    done = run("doctor", "--format", form)
    assert done.exit_code == code
    assert "Seen." in done.stdout


def test_options_that_contradict_each_other_are_refused(run: Run) -> None:
    done = run("doctor", "registry.example.com", "--insecure", "--ca-file", "ca.pem")
    assert isinstance(done.exception, UsageError)


def test_a_registry_is_reached_with_the_options_of_a_push() -> None:
    names = {parameter.name for parameter in command.doctor.params}
    assert {"insecure", "ca_file", "cert_dir", "username", "password_stdin"} <= names


def test_every_area_is_looked_at_without_a_registry_and_more_with_one(project: object) -> None:
    assert project

    def areas(asked: Asked | None, *, write: bool) -> list[str]:
        lanes = examination(asked, write=write).lanes()
        return [check.area for lane in lanes for check in lane]

    alone = areas(None, write=True)
    assert alone == [
        *("system", "engines", "containers", "keyrings", "logins", "logins", "cache"),
        *("proxies", "certificates", "clock"),
    ]
    asked = asked_of("registry.example.com")
    more = ["certificates", "connection", "connection", "tls", "registry", "registry", "registry"]
    assert areas(asked, write=False) == [*alone[:-1], *more, "clock"]
    assert areas(asked, write=True) == [*alone[:-1], *more, "upload", "clock"]
