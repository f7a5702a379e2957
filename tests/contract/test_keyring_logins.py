"""One suite for the logins in every kind of keyring: the fake, and the real ones."""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from bed.keyrings import SecretService
from bed.podman import Account
from bed.process import output
from dockless.credentials import keyrings
from dockless.credentials.keyctl import Keyctl
from dockless.credentials.keyring_logins import SERVICE, KeyringLogins
from dockless.errors import AuthError
from dockless.model.secret import Credential, Secret
from fakes.keyring import MemoryKeyring

CHOICES = ["memory", "secret-service", "kernel", "kernel-user"]


def login(user: str, password: str) -> Credential:
    return Credential(username=user, password=Secret(password))


@pytest.fixture
def on_the_bus(desktop: SecretService, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in desktop.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=CHOICES)
def keyring_logins(request: pytest.FixtureRequest, tmp_path: Path) -> KeyringLogins:
    lock = tmp_path / "lock"
    if request.param == "memory":
        memory = MemoryKeyring()
        return KeyringLogins("memory", lambda: memory, lock)
    if request.param == "secret-service":
        request.getfixturevalue("on_the_bus")
    return KeyringLogins(request.param, partial(keyrings.backend, request.param, {}), lock)


@pytest.fixture
def scope(keyring_logins: KeyringLogins) -> Iterator[str]:
    """A registry that nobody else has, of which nothing is left afterwards."""
    name = f"{uuid.uuid4().hex}.example:5000"
    yield name
    keyring_logins.remove(name)


def revealed(credential: Credential | None) -> tuple[str, str] | None:
    return (credential.username, credential.password.reveal()) if credential else None


@pytest.mark.parametrize(
    "password",
    [
        "simple",
        "with \"quotes' and\\backslash",
        "two\nlines\n",
        "tøp 秘密",
        json.dumps(["x" * 5000]),
    ],
    ids=["simple", "quotes", "lines", "unicode", "long"],
)
def test_a_login_is_kept_as_it_is(keyring_logins: KeyringLogins, scope: str, password: str) -> None:
    keyring_logins.put(scope, login("me", password))
    found = keyring_logins.get(scope)
    assert revealed(found) == ("me", password)
    assert found
    assert found.origin == keyring_logins.name


def test_the_last_login_is_the_default_and_the_others_are_found_by_name(
    keyring_logins: KeyringLogins, scope: str
) -> None:
    keyring_logins.put(scope, login("first", "1"))
    keyring_logins.put(scope, login("second", "2"))
    assert revealed(keyring_logins.get(scope)) == ("second", "2")
    assert revealed(keyring_logins.get(scope, "first")) == ("first", "1")
    assert keyring_logins.get(scope, "third") is None
    keyring_logins.put(scope, login("first", "new"))
    assert revealed(keyring_logins.get(scope)) == ("first", "new")
    listed = [(one.username, one.default) for one in keyring_logins.logins() if one.scope == scope]
    assert listed == [("first", True), ("second", False)]


def test_a_namespace_is_a_scope_of_its_own(keyring_logins: KeyringLogins, scope: str) -> None:
    keyring_logins.put(f"{scope}/team", login("me", "pw"))
    try:
        assert keyring_logins.get(scope) is None
        assert keyring_logins.get(f"{scope}/other") is None
        assert revealed(keyring_logins.get(f"{scope}/team")) == ("me", "pw")
    finally:
        keyring_logins.remove(f"{scope}/team")


def test_an_identity_token_is_kept_as_one(keyring_logins: KeyringLogins, scope: str) -> None:
    keyring_logins.put(
        scope, Credential(username="", password=Secret(""), identity_token=Secret("refresh"))
    )
    found = keyring_logins.get(scope)
    assert found
    assert (found.username, found.identity_token) == ("", Secret("refresh"))


def test_one_login_is_removed_and_then_all(keyring_logins: KeyringLogins, scope: str) -> None:
    for user in ("a", "b", "c"):
        keyring_logins.put(scope, login(user, user))
    assert keyring_logins.remove(scope, "c") == ("c",)
    assert keyring_logins.get(scope, "c") is None
    assert revealed(keyring_logins.get(scope)) in [("a", "a"), ("b", "b")]
    assert sorted(keyring_logins.remove(scope)) == ["a", "b"]
    assert keyring_logins.get(scope) is None
    assert keyring_logins.remove(scope) == ()
    assert scope not in {one.scope for one in keyring_logins.logins()}


def test_a_token_is_kept_for_its_owner_until_shortly_before_its_end(
    keyring_logins: KeyringLogins, scope: str
) -> None:
    now = time.time()
    token = Credential(username="AWS", password=Secret("token"), expires=now + 3600)
    keyring_logins.cache(scope, token, "profile a")
    found = keyring_logins.cached(scope, "profile a")
    assert revealed(found) == ("AWS", "token")
    assert found
    assert found.expires == token.expires
    assert keyring_logins.cached(scope, "profile b") is None
    assert keyring_logins.get(scope) is None
    keyring_logins.cache(
        scope, Credential(username="AWS", password=Secret("short"), expires=now + 60), "profile a"
    )
    assert revealed(keyring_logins.cached(scope, "profile a")) == ("AWS", "token")
    assert keyring_logins.remove(scope) == ("AWS",)
    assert keyring_logins.cached(scope, "profile a") is None


def test_logins_at_once_are_all_kept(keyring_logins: KeyringLogins, scope: str) -> None:
    users = [f"user{number}" for number in range(6)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda user: keyring_logins.put(scope, login(user, user)), users))
    assert {one.username for one in keyring_logins.logins() if one.scope == scope} == set(users)
    assert all(revealed(keyring_logins.get(scope, user)) == (user, user) for user in users)


# `keyrings.cryptfile` imports its parts late, through names that its own packages deprecate
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_encrypted_file_keeps_logins_behind_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    def opened(password: str) -> KeyringLogins:
        environment = {"DOCKLESS_KEYRING_PASSWORD": password}
        backend = partial(keyrings.backend, "file", environment)
        return KeyringLogins("file", backend, tmp_path / "lock", keyrings.FILE_SECONDS)

    opened("right").put("host.example", login("me", "s3cret"))
    assert revealed(opened("right").get("host.example")) == ("me", "s3cret")
    with pytest.raises(AuthError, match="not the password of the encrypted file"):
        opened("wrong").get("host.example")
    with pytest.raises(AuthError, match="needs its password"):
        opened("").get("host.example")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    assert not any(b"s3cret" in path.read_bytes() for path in files)


def test_a_bus_that_never_answers_is_an_error_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(tmp_path / "s"))
        deaf.listen()
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/s")
        opened = partial(keyrings.backend, "secret-service", {})
        keyring_logins = KeyringLogins("secret-service", opened, tmp_path / "lock", 0.5)
        with pytest.raises(AuthError, match="did not respond"):
            keyring_logins.get("host.example")


def test_the_kernel_forgets_by_itself(tmp_path: Path) -> None:
    keyring = Keyctl("user", ttl=1)
    keyring.set_password("dockless-test", tmp_path.name, "secret")
    assert keyring.get_password("dockless-test", tmp_path.name) == "secret"
    deadline = time.monotonic() + 120
    while keyring.get_password("dockless-test", tmp_path.name) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert keyring.get_password("dockless-test", tmp_path.name) is None


@pytest.fixture
def named() -> Iterator[str]:
    """A scope of this test, of which the kernel keeps nothing afterwards."""
    name = f"{uuid.uuid4().hex}.example"
    yield name
    for ring in ("persistent", "user"):
        keyring_logins = KeyringLogins(ring, partial(Keyctl, ring), Path("/"))
        keyring_logins.remove(name)


Ring = Literal["persistent", "user"]
RINGS = pytest.mark.parametrize("ring", ["persistent", "user"])


def users(keyring_logins: KeyringLogins, scope: str) -> dict[str, bool]:
    """Return the logins of a scope, and whether each has an end."""
    return {
        each.username: each.expires is not None
        for each in keyring_logins.logins()
        if each.scope == scope
    }


@RINGS
@pytest.mark.parametrize("ago", [0.1, 1, 30])
def test_a_login_that_has_just_ended_is_not_taken_for_one_without_an_end(
    ring: Ring, ago: float, named: str, tmp_path: Path
) -> None:
    def opened(ttl: int | None) -> KeyringLogins:
        return KeyringLogins(ring, lambda: Keyctl(ring, ttl, SERVICE), tmp_path)

    opened(600).put(named, login("soon", "one"), time.time() - ago)  # its entry is still there
    for number in (1, 2):
        opened(None).put(named, login(f"always{number}", "two"))
    assert users(opened(None), named) == {"always1": False, "always2": False}
    opened(None)._delete(f"{SERVICE}:{named}", "soon")


@RINGS
@pytest.mark.parametrize("host", ["", "other."])
def test_a_login_for_good_outlives_one_that_ends(
    ring: Ring, host: str, named: str, tmp_path: Path
) -> None:
    def opened(ttl: int | None) -> KeyringLogins:
        return KeyringLogins(ring, lambda: Keyctl(ring, ttl, SERVICE), tmp_path)

    opened(None).put(named, login("always", "one"))
    opened(1).put(host + named, login("soon", "two"), time.time() + 1)
    keyring_logins, deadline = opened(None), time.monotonic() + 120
    # the keyring and the list each count the second from when they were written
    while (
        keyring_logins.get(host + named, "soon") or "soon" in users(keyring_logins, host + named)
    ) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert keyring_logins.get(host + named, "soon") is None
    assert users(keyring_logins, named) == {"always": False}
    assert revealed(keyring_logins.get(named)) == ("always", "one")
    assert users(keyring_logins, host + named) == ({} if host else {"always": False})
    assert keyring_logins.remove(named) == ("always",)
    assert keyring_logins.get(named, "always") is None


@RINGS
def test_a_login_that_the_list_does_not_have_is_found(
    ring: Ring, named: str, tmp_path: Path
) -> None:
    keyring_logins = KeyringLogins(ring, partial(Keyctl, ring), tmp_path)
    Keyctl(ring).set_password(f"{SERVICE}:{named}", "me & %41", "one")
    Keyctl(ring).set_password(f"{SERVICE}:{named}/team", "you", "two")
    assert users(keyring_logins, named) == {"me & %41": False}
    assert revealed(keyring_logins.get(named)) == ("me & %41", "one")
    assert keyring_logins.remove(named) == ("me & %41",)
    assert users(keyring_logins, named) == {}
    assert keyring_logins.remove(f"{named}/team") == ("you",)


def test_a_keyring_that_cannot_be_listed_forgets_who_is_named(tmp_path: Path) -> None:
    keyring = MemoryKeyring()
    keyring.set_password(f"{SERVICE}:host.example", "me", "one")
    keyring_logins = KeyringLogins("memory", lambda: keyring, tmp_path)
    assert keyring_logins.remove("host.example", "you") == ()
    assert keyring_logins.remove("host.example", "me") == ("me",)
    assert keyring.secrets == {}


@pytest.mark.parametrize("ring", ["persistent", "user"])
def test_an_ordinary_user_has_a_kernel_keyring_that_root_cannot_read(
    rootless: Account, ring: Literal["persistent", "user"]
) -> None:
    program = (
        "from dockless.credentials.keyctl import Keyctl; import sys;"
        f"k = Keyctl({ring!r}, ttl=60); k.set_password('dockless-test', 'x', 'theirs');"
        "print(k.get_password('dockless-test', 'x'), flush=True);"
        "sys.stdin.read(); k.delete_password('dockless-test', 'x')"
    )
    argv = rootless.argv(Path(sys.executable).resolve(), "-c", program)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"theirs\n"
        assert Keyctl(ring).get_password("dockless-test", "x") is None
        child.communicate(b"", timeout=120)
    assert child.returncode == 0


_IN_NAMESPACE = """
import sys
from dockless.credentials.keyctl import Keyctl
from dockless.errors import AuthError
ring = Keyctl(sys.argv[1], ttl=60)
print(ascii(ring.get_password("dockless-test", sys.argv[2])))
print(("dockless-test", sys.argv[2]) in ring.entries())
for change in (
    lambda: ring.set_password("dockless-test", "other", "theirs"),
    lambda: ring.delete_password("dockless-test", sys.argv[2]),
):
    try:
        change()
    except AuthError as error:
        print(error.what)
"""


@pytest.mark.parametrize("ring", ["persistent", "user"])
@pytest.mark.parametrize("username", ["me", "a b/c%", "usér"])
def test_a_user_namespace_reads_what_was_stored_outside_and_changes_nothing(
    ring: Literal["persistent", "user"], username: str
) -> None:
    kept = Keyctl(ring, ttl=60)
    kept.set_password("dockless-test", username, "pässword\n")
    try:
        # as rootless podman and buildah start credential helpers
        inside = ("unshare", "--user", "--map-root-user", sys.executable, "-c", _IN_NAMESPACE)
        said = output((*inside, ring, username))
        assert kept.get_password("dockless-test", username) == "pässword\n"
    finally:
        kept.delete_password("dockless-test", username)
    password, listed, *refused = said.splitlines()
    assert (password, listed) == (ascii("pässword\n"), "True")
    assert len(refused) == 2
    assert all("can only be read in a user namespace" in each for each in refused)


def test_a_secret_that_does_not_fit_into_the_kernel_is_an_error() -> None:
    with pytest.raises(AuthError, match="does not fit"):
        Keyctl("user").set_password("dockless-test", "long", "x" * 40000)


def test_the_keyring_library_finds_the_kernel_s_keyring() -> None:
    program = "import keyring.backend; print(sorted(map(str, keyring.backend.get_all_keyring())))"
    said = output((sys.executable, "-c", program), environment={"PATH": os.defpath})
    assert "KernelKeyring" in said
