import pytest

from dockless.credentials.account import Account, Accounts
from dockless.credentials.resolve import FoundCredential
from dockless.errors import AuthError
from dockless.model.secret import Credential, Secret
from dockless.oci.reference import Repository

SHOP = Repository.of("registry.example.com", "team/shop")
OTHER = Repository.of("registry.example.com", "team/other")


def token(name: str, expires: float | None) -> Credential:
    return Credential(username="AWS", password=Secret(name), expires=expires)


def test_nothing_is_looked_for_before_it_is_needed() -> None:
    found = [token("a", None)]
    account = Account(found.pop)
    assert found
    assert account() == token("a", None)
    assert not found


def test_a_credential_without_an_end_is_never_looked_for_again() -> None:
    found = [token("a", None), token("b", None)]
    account = Account(lambda: found.pop(0), lambda: 1e9)
    assert account() == account() == token("a", None)


def test_anonymous_stays_anonymous() -> None:
    found = [None, token("b", None)]
    account = Account(lambda: found.pop(0), lambda: 1e9)
    assert account() is None
    assert account() is None


def test_a_token_is_found_anew_shortly_before_its_end() -> None:
    now = 0.0
    found = [token("a", 1000), token("b", 2000), token("c", 3000)]
    account = Account(lambda: found.pop(0), lambda: now)
    names = []
    for moment in (0, 879, 881, 1000, 1990, 2500):
        now = float(moment)
        names.append(account())
    assert [name and name.password.reveal() for name in names] == ["a", "a", "b", "b", "c", "c"]


def test_an_old_token_is_kept_when_there_is_no_newer_one() -> None:
    old, now = token("a", 1000), 0.0
    found = [old, None]
    account = Account(lambda: found.pop(0), lambda: now)
    assert account() is old
    now = 5000.0
    assert account() is old
    assert not found


def test_a_token_that_has_ended_when_it_comes_is_used_and_asked_for_once() -> None:
    found = [token("a", 1000)]
    account = Account(lambda: found.pop(0), lambda: 5000)
    assert account() == account() == token("a", 1000)


def test_why_no_place_had_a_credential_is_told_when_it_is_wanted() -> None:
    notes: list[str] = []
    asked = ("environment: nothing", "the kernel keyring: locked", "file: no entry")
    accounts = Accounts(
        lambda _: FoundCredential(credential=None, asked=asked, troubles=("It is locked.",)),
        notes.append,
    )
    accounts.tell_asked(SHOP)
    assert not notes
    account = accounts.of(SHOP)
    assert not notes
    assert account() is None
    assert notes == ["Warning: It is locked."]
    accounts.tell_asked(SHOP)
    accounts.tell_asked(OTHER)
    assert notes[1:] == [
        "No credential from the kernel keyring: locked",
        "No credential from file: no entry",
    ]


REFUSED = AuthError("It requires a credential.", "Log in.")


@pytest.mark.parametrize("others", [("ro",), ("ro", "an identity token"), ("a b",)])
@pytest.mark.parametrize("wanted", ["bob", "ci-bot"])
def test_a_login_of_somebody_else_is_why_there_is_no_password(
    wanted: str, others: tuple[str, ...]
) -> None:
    accounts = Accounts(
        lambda _: FoundCredential(credential=None, asked=(), wanted=wanted, others=others), print
    )
    accounts.of(SHOP)()
    error = accounts.refusal(SHOP, REFUSED)
    assert error.what == (
        f"No password for {wanted}: the stored login for {SHOP.host} is of {', '.join(others)}."
    )
    assert f"--username {wanted}`" in error.remedy
    assert accounts.refusal(OTHER, REFUSED) is REFUSED


@pytest.mark.parametrize("remedy", ["Unlock it.", "Set DOCKLESS_KEYRING_PASSWORD."])
@pytest.mark.parametrize("name", ["keyring (Secret Service)", "keyring (encrypted file)", "x: y"])
def test_a_keyring_that_cannot_be_read_is_said_once_and_is_what_to_mend(
    name: str, remedy: str
) -> None:
    asked = ("command line: nothing", f"{name}: It is locked.", "cli: cli is not installed")
    found = FoundCredential(
        credential=None,
        asked=asked,
        troubles=(f"It is locked. {remedy}",),
        failed=(name,),
        remedy=remedy,
    )
    notes: list[str] = []
    accounts = Accounts(lambda _: found, notes.append)
    accounts.of(SHOP)()
    accounts.tell_asked(SHOP)
    assert notes == [
        f"Warning: It is locked. {remedy}",
        "No credential from cli: cli is not installed",
    ]
    error = accounts.refusal(SHOP, REFUSED)
    assert (f"the {name}" in error.what, error.remedy) == (True, remedy)
    assert "Log in" not in str(error)
