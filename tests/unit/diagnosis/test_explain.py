import pytest

from dockless.credentials.resolve import FoundCredential
from dockless.diagnosis.explain import found_rows
from dockless.model.secret import Credential, Secret

ME = Credential(username="me", password=Secret("word"), origin="keyring (kernel)")


@pytest.mark.parametrize("program", ["gh", "docker-credential-x", "GITHUB_TOKEN", "aws"])
def test_what_only_a_program_knows_is_not_said_to_be_anonymous(program: str) -> None:
    asked = ("command line: nothing", f"{program}: {program} would be queried")
    rows = list(found_rows(FoundCredential(credential=None, asked=asked)))
    assert rows[1] == ("credential", asked[1], "not asked yet")
    assert rows[-1][1] == "not known yet"
    assert not any("none was found" in row for row in rows)


@pytest.mark.parametrize("asked", [(), ("command line: nothing", "keyring: nothing")])
def test_without_a_credential_the_push_is_anonymous(asked: tuple[str, ...]) -> None:
    *looked, last = found_rows(FoundCredential(credential=None, asked=asked))
    assert [row[2] for row in looked] == ["searched"] * len(asked)
    assert last == ("credential", "anonymous", "none was found")


def test_the_account_is_named_and_the_password_is_not() -> None:
    rows = list(found_rows(FoundCredential(credential=ME, asked=("keyring: found",))))
    assert rows[-1] == ("credential", "me", "keyring (kernel)")
    assert "word" not in str(rows)
