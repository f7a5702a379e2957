from pathlib import Path

import pytest

from dockless.credentials.credential_finder import CredentialFinder
from dockless.credentials.credential_sources import Given
from dockless.credentials.prompting import NOBODY
from dockless.credentials.resolve import FindCredential, given_first, no_login, shared_account
from dockless.errors import UsageError
from dockless.model.options import CommandOptions
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository

TARGET = Repository.of("target.example", "acme/shop")
SOURCE = Repository.of("source.example", "acme/shop")
GIVEN = Given(username="me", password=Secret("x"))
VARIABLES = {"DOCKLESS_USERNAME": "me", "DOCKLESS_PASSWORD": "x"}
WAYS = pytest.mark.parametrize(("given", "variables"), [(GIVEN, {}), (Given(), VARIABLES)])


def finder(home: Path, given: Given, variables: dict[str, str]) -> CredentialFinder:
    """Return a finder that has nothing but what is given: no keyring, and no file."""
    return CredentialFinder(
        prompter=NOBODY,
        configured=None,
        given=given,
        environment={"HOME": str(home), "DOCKLESS_KEYRING": "none", **variables},
        home=home,
    )


def users(find: FindCredential) -> list[str]:
    found = [find(each).credential for each in (TARGET, SOURCE)]
    return [each.username if each else "" for each in found]


@WAYS
def test_a_login_that_is_given_is_for_the_target_alone(
    tmp_path: Path, given: Given, variables: dict[str, str]
) -> None:
    made = finder(tmp_path, given, variables)
    assert users(made.for_target(TARGET.host)) == ["me", ""]
    assert users(made.find) == ["me", "me"]


@pytest.mark.parametrize("hosts", [[TARGET.host, SOURCE.host], ["a", "b", "c"]])
@WAYS
def test_one_password_is_refused_for_several_registries(
    tmp_path: Path, hosts: list[str], given: Given, variables: dict[str, str]
) -> None:
    with pytest.raises(UsageError, match=f"several registries, {', '.join(sorted(hosts))}, but"):
        finder(tmp_path, given, variables).for_hosts(hosts, "They name")


@pytest.mark.parametrize("hosts", [[TARGET.host], [TARGET.host, TARGET.host]])
@WAYS
def test_one_password_is_for_the_one_registry_that_is_named(
    tmp_path: Path, hosts: list[str], given: Given, variables: dict[str, str]
) -> None:
    made = finder(tmp_path, given, variables)
    assert users(made.for_hosts(hosts, "They name")) == ["me", ""]


@WAYS
def test_one_password_is_for_no_registry_where_none_is_named(
    tmp_path: Path, given: Given, variables: dict[str, str]
) -> None:
    assert users(finder(tmp_path, given, variables).for_hosts((), "They name")) == ["", ""]


def test_several_registries_without_a_password_are_each_looked_for(tmp_path: Path) -> None:
    made = finder(tmp_path, Given(), {})
    assert users(made.for_hosts([TARGET.host, SOURCE.host], "They name")) == ["", ""]


def test_an_explanation_runs_no_program_and_names_every_place(tmp_path: Path) -> None:
    assert finder(tmp_path, GIVEN, {}).explain(TARGET).asked == ("command line: me",)
    asked = finder(tmp_path, Given(), {}).explain(TARGET).asked
    assert asked[:2] == ("command line: nothing", "environment: nothing")


def test_one_account_is_for_all_that_share_it() -> None:
    login = Credential(username="me", password=Secret("x"))
    assert shared_account(lambda: login)(SOURCE).credential is login
    assert shared_account(lambda: None)(SOURCE).credential is None


def test_a_client_of_its_own_finds_no_login_anywhere() -> None:
    assert users(no_login([TARGET.host])) == ["", ""]


def test_what_a_call_is_given_goes_first_and_for_its_hosts_alone() -> None:
    call, own = (Credential(username=name, password=Secret("x")) for name in ("call", "own"))
    none = no_login(())
    assert users(given_first(call, [TARGET.host], {}, none)) == ["call", ""]
    assert users(given_first(call, [TARGET.host], {SOURCE.host: own}, none)) == ["call", "own"]
    assert users(given_first(None, [TARGET.host], {TARGET.host: own}, none)) == ["own", ""]
    elsewhere = shared_account(lambda: own)
    assert users(given_first(call, iter([SOURCE.host]), {}, elsewhere)) == ["own", "call"]


@pytest.mark.parametrize("password", ["x", "y z", "ä:"])
def test_the_finder_of_a_command_has_what_its_options_give(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKLESS_KEYRING", "none")
    options = CommandOptions(password=Secret(password))
    found = CredentialFinder.of_command(NOBODY, options, "them", None).find(TARGET).credential
    assert found
    assert (found.username, found.password.reveal()) == ("them", password)
    assert found.origin == "command line"


def test_an_empty_password_cannot_be_asked_of_nobody() -> None:
    with pytest.raises(UsageError, match="no terminal to ask"):
        CredentialFinder.of_command(NOBODY, CommandOptions(password=Secret("")), "them", None)
