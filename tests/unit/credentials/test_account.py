from dockless.credentials.account import Account
from dockless.model.secret import Credential, Secret


def token(name: str, expires: float | None) -> Credential:
    return Credential("AWS", Secret(name), expires=expires)


def test_a_credential_without_an_end_is_never_looked_for_again() -> None:
    kept = token("a", None)
    assert Account(kept, lambda: token("b", None), lambda: 1e9)() is kept


def test_anonymous_stays_anonymous() -> None:
    assert Account(None, lambda: token("b", None), lambda: 1e9)() is None


def test_a_token_is_found_anew_shortly_before_its_end() -> None:
    now = 0.0
    found = [token("b", 2000), token("c", 3000)]
    account = Account(token("a", 1000), lambda: found.pop(0), lambda: now)
    names = []
    for moment in (0, 879, 881, 1000, 1990, 2500):
        now = float(moment)
        names.append(account())
    assert [name and name.password.reveal() for name in names] == ["a", "a", "b", "b", "c", "c"]


def test_an_old_token_is_kept_when_there_is_no_newer_one() -> None:
    old, now = token("a", 1000), 0.0
    account = Account(old, lambda: None, lambda: now)
    now = 5000.0
    assert account() is old


def test_a_token_that_has_ended_when_it_comes_is_used_and_asked_for_once() -> None:
    asked = []
    account = Account(token("a", 1000), lambda: asked.append("again"), lambda: 5000)
    for _ in range(3):
        found = account()
        assert found
        assert found.password == Secret("a")
    assert asked == []
