from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace

from dockless.errors import AuthError, NetworkError, UsageError
from dockless.model import kinds
from dockless.model.login import Login, LoginTarget
from dockless.model.secret import Credential, Secret
from dockless.usecases.login.steps import (
    LoginContext,
    LogoutContext,
    check_tools,
    log_in,
    log_out,
)

ME = Credential(username="me", password=Secret("pass"))
GHCR = LoginTarget(kinds.GHCR, "ghcr.io", "ghcr.io/acme")
NOW = 1_000.0


@dataclass
class Store:
    """A keyring in memory."""

    name: str = "keyring (memory)"
    held: dict[tuple[str, str], float | None] = field(default_factory=dict)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    closed: AuthError | None = None

    def logins(self) -> list[Login]:
        if self.closed:
            raise self.closed
        return [Login(scope=scope, username=user, place=self.name) for scope, user in self.held]

    def put(self, scope: str, credential: Credential, expires: float | None = None) -> None:
        self.held[scope, credential.username] = expires

    def cache(self, scope: str, credential: Credential, identity: str) -> None:
        assert credential is ME
        self.tokens.append((scope, identity))

    def remove(self, scope: str, username: str = "") -> tuple[str, ...]:
        if self.closed:
            raise self.closed
        gone = [key for key in self.held if key[0] == scope and username in ("", key[1])]
        for key in gone:
            del self.held[key]
        return tuple(user for _, user in gone)


@dataclass
class Tool:
    """The file of a tool."""

    path: Path = Path("config.json")
    warning: str = ""
    fails: UsageError | None = None
    hosts: set[str] = field(default_factory=set)

    def check(self, host: str) -> None:
        if self.fails and host:
            raise self.fails

    def add(self, host: str) -> str:
        if self.fails:
            raise self.fails
        self.hosts.add(host)
        return self.warning

    def remove(self, host: str) -> bool:
        if self.fails:
            raise self.fails
        there = host in self.hosts
        self.hosts.discard(host)
        return there


@dataclass
class LoginRun:
    """A login, with what it says and what it stores."""

    store: Store = field(default_factory=Store)
    tools: Sequence[Tool] = ()
    source: str = ""
    unseen: str = ""
    required: bool = True
    refuses: AuthError | NetworkError | None = None
    notes: list[str] = field(default_factory=list)
    remembered: list[str] = field(default_factory=list)

    def check(self, credential: Credential) -> bool:
        assert credential is ME
        if self.refuses:
            raise self.refuses
        return self.required

    def remember(self, username: str) -> str:
        self.remembered.append(username)
        return "It is recorded."

    def context(self) -> LoginContext:
        return LoginContext(
            kept=self.store,
            credential=lambda: (ME, self.source),
            check=self.check,
            remember=self.remember,
            identity="profile",
            tools=self.tools,
            note=self.notes.append,
            clock=lambda: NOW,
            unseen=self.unseen,
        )

    def run(self, ttl: float | None = None) -> None:
        log_in(GHCR, ttl, self.context())


@pytest.mark.parametrize(("ttl", "expires"), [(None, None), (60.0, 1_060.0), (0.5, 1_000.5)])
def test_a_password_is_stored_for_the_scope(ttl: float | None, expires: float | None) -> None:
    login = LoginRun()
    login.run(ttl)
    assert login.store.held == {("ghcr.io/acme", "me"): expires}
    assert login.store.tokens == []
    assert "ghcr.io/acme as me" in login.notes[0]
    assert "keyring (memory)" in login.notes[0]
    assert login.notes[1:] == ["It is recorded."]


def test_a_token_that_is_issued_for_each_push_is_cached_for_the_host() -> None:
    login = LoginRun(source="aws")
    login.run()
    assert login.store.held == {}
    assert login.store.tokens == [("ghcr.io", "aws profile")]
    assert "with a token from aws" in login.notes[0]


@pytest.mark.parametrize(("source", "warned"), [("", True), ("aws", False), ("gcloud", False)])
def test_a_stored_login_that_a_tool_does_not_see_is_warned_of(source: str, *, warned: bool) -> None:
    login = LoginRun(source=source, tools=[Tool()], unseen="podman does not see it.")
    login.run()
    assert ("Warning: podman does not see it." in login.notes) is warned


@pytest.mark.parametrize("error", [AuthError("Rejected."), NetworkError("Silent.")])
@pytest.mark.parametrize("source", ["", "aws"])
def test_nothing_is_stored_that_the_registry_did_not_accept(
    error: AuthError | NetworkError, source: str
) -> None:
    tool = Tool()
    login = LoginRun(tools=[tool], source=source, refuses=error)
    with pytest.raises(type(error)):
        login.run()
    assert (login.store.held, login.store.tokens, login.notes) == ({}, [], [])
    assert (login.remembered, tool.hosts) == ([], set())


def test_a_registry_that_asks_nobody_is_said_to() -> None:
    login = LoginRun(required=False)
    login.run()
    assert ("ghcr.io/acme", "me") in login.store.held
    assert "could not be checked" in login.notes[-1]


def test_other_tools_get_the_host_and_their_warnings_are_shown() -> None:
    tools = [Tool(Path("one.json")), Tool(Path("two.json"), warning="It has a password.")]
    login = LoginRun(tools=tools)
    login.run()
    assert [tool.hosts for tool in tools] == [{"ghcr.io"}] * 2
    assert login.notes[-1] == "Warning: It has a password."


def test_a_file_that_cannot_be_written_does_not_undo_the_login() -> None:
    login = LoginRun(tools=[Tool(fails=UsageError("It cannot be written."))])
    with pytest.raises(UsageError, match=r"It cannot be written\. The login itself is stored\."):
        login.run()
    assert ("ghcr.io/acme", "me") in login.store.held
    assert any("Logged in" in note for note in login.notes)


@dataclass
class Logout:
    """Keyrings and files of which logins are removed."""

    stores: list[Store]
    tool: Tool = field(default_factory=lambda: Tool(hosts={"ghcr.io"}))
    others: Sequence[Tool] = ()
    forgotten: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    warning: str = ""

    def forget(self, host: str) -> str:
        self.forgotten.append(host)
        return self.warning

    def run(self, scope: str, username: str = "") -> None:
        context = LogoutContext(
            held=self.stores,
            tools=[self.tool, *self.others],
            forget=self.forget,
            note=self.notes.append,
        )
        log_out([scope] if scope else None, username, context)


def left(logout: Logout) -> list[str]:
    return sorted({each.scope for store in logout.stores for each in store.logins()})


def held(*keys: tuple[str, str]) -> Store:
    return Store(held=dict.fromkeys(keys))


def test_a_logout_removes_the_logins_of_every_keyring() -> None:
    logout = Logout([held(("ghcr.io", "me")), held(("ghcr.io", "you"), ("quay.io", "me"))])
    logout.run("ghcr.io")
    assert left(logout) == ["quay.io"]
    assert (logout.tool.hosts, logout.forgotten) == (set(), ["ghcr.io"])
    assert logout.notes[-1] == "Logged out of ghcr.io: me, you."


def test_what_another_account_needs_stays() -> None:
    logout = Logout([held(("ghcr.io", "me"), ("ghcr.io", "you"))])
    logout.run("ghcr.io", "me")
    assert left(logout) == ["ghcr.io"]
    assert (logout.tool.hosts, logout.forgotten) == ({"ghcr.io"}, [])
    assert logout.notes == ["Logged out of ghcr.io: me."]


@pytest.mark.parametrize("scope", ["quay.io", "ghcr.io/acme", "localhost:5000"])
def test_a_logout_without_a_login_says_so(scope: str) -> None:
    logout = Logout([held(("ghcr.io", "me"))], warning="It could not be removed.")
    logout.run(scope)
    assert logout.notes[-1] == f"There was no login for {scope}."
    assert "Warning: It could not be removed." in logout.notes
    assert logout.forgotten == [scope.partition("/")[0]]


def test_a_token_has_no_user() -> None:
    logout = Logout([held(("ghcr.io", ""))])
    logout.run("ghcr.io")
    assert logout.notes[-1] == "Logged out of ghcr.io: a token."


def test_other_tools_are_asked_for_a_host_and_never_for_a_namespace() -> None:
    host = LoginTarget(kinds.GHCR, "ghcr.io", "ghcr.io")
    check_tools(GHCR, ())
    check_tools(host, (Tool(),))
    with pytest.raises(UsageError, match="not for a namespace such as"):
        check_tools(GHCR, (Tool(),))


def test_a_file_of_a_tool_that_cannot_be_changed_is_found_out_first() -> None:
    host = LoginTarget(kinds.GHCR, "ghcr.io", "ghcr.io")
    broken = UsageError("It does not parse.")
    with pytest.raises(UsageError, match="does not parse"):
        check_tools(host, (Tool(), Tool(fails=broken)))


BROKEN = UsageError("auth.json is broken.", "Repair it.")


@pytest.mark.parametrize("scope", ["ghcr.io", "quay.io", ""])
def test_the_broken_file_of_a_tool_keeps_nothing_else_and_is_told_with_what_is_gone(
    scope: str,
) -> None:
    other = Tool(Path("other.json"), hosts={"ghcr.io", "quay.io"})
    broken = Tool(Path("auth.json"), fails=BROKEN)
    logout = Logout([held(("ghcr.io", "me"), ("quay.io", "you"))], tool=broken, others=[other])
    with pytest.raises(UsageError) as caught:
        logout.run(scope)
    wanted = [scope] if scope else ["ghcr.io", "quay.io"]
    users = {"ghcr.io": "me", "quay.io": "you"}
    assert set(left(logout)) == set(users) - set(wanted)
    assert other.hosts == set(users) - set(wanted)
    assert logout.forgotten == wanted
    removed = ", ".join(
        f"docker-credential-dockless in other.json, the login for {each} ({users[each]})"
        for each in wanted
    )
    assert caught.value.what == f"auth.json is broken. Removed all the same: {removed}."
    assert caught.value.remedy == "Repair it. Then log out again."


@pytest.mark.parametrize("scope", ["ghcr.io", "quay.io", ""])
def test_a_locked_keyring_keeps_its_own_logins_and_the_helper_only(scope: str) -> None:
    locked = held(("ghcr.io", "other"))
    locked.closed = AuthError("The keyring is locked.", "Unlock it.")
    logout = Logout([locked, held(("ghcr.io", "me"), ("quay.io", "you"))])
    with pytest.raises(AuthError) as caught:
        logout.run(scope)
    locked.closed = None
    assert [key[0] for key in logout.stores[1].held] == [
        each for each in ("ghcr.io", "quay.io") if scope and each != scope
    ]
    assert locked.held == {("ghcr.io", "other"): None}
    assert logout.tool.hosts == {"ghcr.io"}, "it serves what may be left"
    assert caught.value.what.startswith("The keyring is locked. Removed all the same: the login")


def test_where_nothing_can_be_removed_that_is_said() -> None:
    logout = Logout([held()], tool=Tool(fails=BROKEN))
    with pytest.raises(UsageError, match=r"is broken\. Removed all the same: nothing\."):
        logout.run("ghcr.io")
    assert logout.notes == []


@pytest.mark.parametrize("order", [0, 1, 2])
def test_a_file_that_cannot_be_written_does_not_keep_a_login_from_the_other_tools(
    order: int,
) -> None:
    tools = [Tool(Path(f"{name}.json")) for name in "ab"]
    tools.insert(order, Tool(fails=UsageError("It cannot be written.")))
    login = LoginRun(tools=tools)
    with pytest.raises(UsageError, match=r"It cannot be written\. The login itself is stored\."):
        login.run()
    assert [tool.hosts for tool in tools if not tool.fails] == [{"ghcr.io"}] * 2


@pytest.mark.parametrize(("wrong", "origin"), [(1, "prompt"), (2, "prompt"), (0, "environment")])
def test_a_rejected_password_is_asked_for_again(wrong: int, origin: str) -> None:
    run = LoginRun()
    tries: list[str] = []

    def credential() -> tuple[Credential, str]:
        tries.append("asked")
        return Credential(username="me", password=Secret("x"), origin=origin), ""

    def check(_: Credential) -> bool:
        if len(tries) <= wrong:
            raise AuthError("It is wrong.", "Log in.")
        return True

    log_in(GHCR, None, replace(run.context(), credential=credential, check=check))
    assert len(tries) == wrong + 1
    assert run.notes[:wrong] == ["It is wrong."] * wrong
    assert run.store.held == {("ghcr.io/acme", "me"): None}


@pytest.mark.parametrize(("origin", "most"), [("prompt", 3), ("environment", 1), ("stdin", 1)])
def test_a_password_is_asked_for_three_times_at_most(origin: str, most: int) -> None:
    run = LoginRun()
    tries: list[str] = []

    def credential() -> tuple[Credential, str]:
        tries.append("asked")
        return Credential(username="me", password=Secret("x"), origin=origin), ""

    def check(_: Credential) -> bool:
        raise AuthError("It is wrong.", "Log in.")

    with pytest.raises(AuthError, match="It is wrong"):
        log_in(GHCR, None, replace(run.context(), credential=credential, check=check))
    assert len(tries) == most
    assert run.store.held == {}


@pytest.mark.parametrize(
    ("scope", "kept"),
    [
        ("ghcr.io", ["ghcr.io/acme", "ghcr.io/acme/web"]),
        ("ghcr.io/acme", ["ghcr.io/acme/web"]),
        ("quay.io", []),
        ("ghcr.io:5000", []),
    ],
)
def test_logins_that_are_left_for_namespaces_are_named(scope: str, kept: list[str]) -> None:
    every = ("ghcr.io", "ghcr.io/acme", "ghcr.io/acme/web", "ghcr.io:5000", "ghcr.iox/a", "quay.io")
    logout = Logout([held(*((each, "me") for each in every))])
    logout.run(scope)
    said = [f"{each} is still logged in; log out with `dockless logout {each}`." for each in kept]
    assert [each for each in logout.notes if "still logged in" in each] == said


def test_a_logout_of_everything_leaves_nothing_to_say() -> None:
    logout = Logout([held(("ghcr.io", "me"), ("ghcr.io/acme", "me"))])
    logout.run("")
    assert not any("still" in each for each in logout.notes)
