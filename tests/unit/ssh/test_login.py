"""Logins, method by method, to a server that is played here."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import cast

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP521R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from msgspec.structs import replace

from dockless.errors import AuthError
from dockless.model.secret import Secret
from dockless.ssh.config import Route
from dockless.ssh.keys import KeyFiles
from dockless.ssh.login import HostLogin, HostQuestion, ask_nobody
from dockless.ssh.signatures import PrivateKey, public_blob, verify
from dockless.ssh.userauth import AuthReply, UserAuth, read_prompts
from dockless.ssh.wire import split, string

KEYS: Mapping[str, PrivateKey] = {
    "id_ed25519": Ed25519PrivateKey.generate(),
    "id_ecdsa": generate_ec(SECP521R1()),
    "id_rsa": generate_rsa(65537, 2048),
    "other": Ed25519PrivateKey.generate(),
}


class Server:
    """A server's side of a login: what it wants, one method after the other.

    Attributes:
        log: What was asked of it.
        signed: How many signatures it got.
    """

    verified = ("ssh-ed25519", "ecdsa-sha2-nistp521", "rsa-sha2-256")

    def __init__(self, *wanted: str, known: tuple[str, ...] = (), password: str = "") -> None:
        self._wanted = list(wanted)
        self._known = [public_blob(KEYS[name]) for name in known]
        self._password = password.encode()
        self.log: list[str] = []
        self.signed = 0

    def begin(self) -> AuthReply:
        return self._refusal() if self._wanted else AuthReply(is_in=True)

    def signed_data(self, payload: bytes) -> bytes:
        return b"session" + payload

    def request(self, method: str, payload: bytes) -> AuthReply:
        self.log.append(method)
        if method not in self._wanted[0].split(","):
            return self._refusal()
        if method == "publickey":
            return self._key(payload)
        if method == "password":
            return self._passed() if split(payload[1:])[0] == self._password else self._refusal()
        return AuthReply(body=string("") * 3 + b"\0\0\0\1" + string("Password: ") + b"\0")

    def respond(self, texts: list[bytes]) -> AuthReply:
        return self._passed() if texts == [self._password] else self._refusal()

    def _key(self, payload: bytes) -> AuthReply:
        algorithm, rest = split(payload[1:])
        blob, rest = split(rest)
        if blob not in self._known:
            return self._refusal()
        if payload[:1] == b"\0":
            return AuthReply(body=payload[1:])
        self.signed += 1
        named = payload[: len(payload) - len(rest)]
        verify(blob, split(rest)[0], self.signed_data(named), algorithm.decode())
        self._known.remove(blob)  # two of them must be two keys
        return self._passed()

    def _passed(self) -> AuthReply:
        del self._wanted[0]
        return replace(self._refusal(), is_partial=True) if self._wanted else AuthReply(is_in=True)

    def _refusal(self) -> AuthReply:
        return AuthReply(methods=tuple(self._wanted[0].split(",")))


def route(folder: Path, *names: str) -> Route:
    for name in names:
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / name).write_bytes(KEYS[name].private_bytes(*form))
        (folder / name).chmod(0o600)
    return Route(
        name="build1",
        address="build1",
        port=22,
        user="me",
        known_as="build1",
        identities=tuple(folder / name for name in names),
        identities_only=True,
        agent="",
        known_hosts=(),
        system_known_hosts=(),
    )


def typed(*answers: str) -> Callable[[HostQuestion], Secret | None]:
    """Return somebody who types these, and goes away afterwards."""
    left = list(answers)
    return lambda _: Secret(left.pop(0)) if left else None


def log_in(
    server: Server, way: Route, ask: Callable[[HostQuestion], Secret | None] = ask_nobody
) -> None:
    HostLogin(cast("UserAuth", server), way, KeyFiles(lambda _: None), ask).run()


@pytest.mark.parametrize("name", ["id_ed25519", "id_ecdsa", "id_rsa"])
def test_a_key_is_asked_about_and_then_signs_once(tmp_path: Path, name: str) -> None:
    server = Server("publickey", known=(name,))
    log_in(server, route(tmp_path, "other", name))
    assert server.log == ["publickey"] * 3
    assert server.signed == 1


def test_nothing_is_signed_for_a_host_that_knows_no_key(tmp_path: Path) -> None:
    server = Server("publickey,password", known=())
    with pytest.raises(AuthError, match="accepted none of the 2 keys for me") as caught:
        log_in(server, route(tmp_path, "id_ed25519", "id_rsa"))
    assert "would take a password, but there is no terminal to ask at" in caught.value.what
    assert "ssh-copy-id" in caught.value.remedy
    assert "keyring set dockless:ssh:me@build1 me" in caught.value.remedy
    assert server.signed == 0


def test_a_method_that_asks_for_nothing_is_tried_once(tmp_path: Path) -> None:
    class Empty(Server):
        def request(self, method: str, payload: bytes) -> AuthReply:
            found = super().request(method, payload)
            return found if method == "publickey" else self._refusal()

    server = Empty("publickey,keyboard-interactive,password")
    with pytest.raises(AuthError, match="did not accept the key for me"):
        log_in(server, route(tmp_path, "other"))
    assert server.log == ["publickey", "keyboard-interactive"]


def test_a_host_that_asks_for_nothing_is_entered(tmp_path: Path) -> None:
    server = Server()
    log_in(server, route(tmp_path))
    assert server.log == []


@pytest.mark.parametrize("method", ["password", "keyboard-interactive"])
@pytest.mark.parametrize("wrong", [0, 1, 2, 3])
def test_a_password_may_be_typed_again(tmp_path: Path, method: str, wrong: int) -> None:
    server = Server(method, password="right")
    ask = typed(*(f"wrong {number}" for number in range(wrong)), "right")
    if wrong < 3:
        log_in(server, route(tmp_path), ask)
    else:
        with pytest.raises(AuthError, match="does not accept the password for me") as caught:
            log_in(server, route(tmp_path), ask)
        assert "wrong" not in str(caught.value)
    assert len(server.log) == min(wrong + 1, 3)


@pytest.mark.parametrize(
    "wanted",
    [
        ("publickey", "password"),
        ("publickey", "keyboard-interactive"),
        ("password", "publickey"),
        ("publickey", "publickey,password"),
    ],
)
def test_what_is_partly_done_goes_on(tmp_path: Path, wanted: tuple[str, ...]) -> None:
    server = Server(*wanted, known=("id_ed25519",), password="right")
    log_in(server, route(tmp_path, "other", "id_ed25519"), typed("right"))


def test_two_keys_may_be_wanted(tmp_path: Path) -> None:
    server = Server("publickey", "publickey", known=("id_ed25519", "id_rsa"))
    log_in(server, route(tmp_path, "id_ed25519", "id_rsa"))
    assert server.signed == 2


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (
            ("publickey", "password"),
            "wants a password for me after a key, and there is no terminal",
        ),
        (("publickey", "hostbased"), "accepts a key of me, and wants hostbased after it"),
        (("hostbased",), "accepts no key for me, but hostbased"),
        (("password",), "wants a password for me, and there is no terminal to ask at"),
    ],
)
def test_what_a_host_wants_is_said(tmp_path: Path, wanted: tuple[str, ...], words: str) -> None:
    server = Server(*wanted, known=("id_ed25519",))
    with pytest.raises(AuthError, match=words) as caught:
        log_in(server, route(tmp_path, "id_ed25519"))
    assert ("keyring set dockless:ssh:me@build1 me" in caught.value.remedy) == (
        "password" in wanted
    )


@pytest.mark.parametrize(
    ("methods", "log"),
    [
        (("publickey",), ["publickey"]),
        (("password", "publickey"), ["password"]),
        (("publickey", "password"), ["publickey", "password"]),
        ((), []),
    ],
)
def test_only_what_is_preferred_is_tried(
    tmp_path: Path, methods: tuple[str, ...], log: list[str]
) -> None:
    server = Server("password,publickey", password="right")
    way = replace(route(tmp_path, "other"), methods=methods)
    if "password" in methods:
        log_in(server, way, typed("right"))
    else:
        with pytest.raises(AuthError):
            log_in(server, way, typed("right"))
    assert server.log == log


def test_a_server_that_ends_the_connection_after_keys_is_told_of(tmp_path: Path) -> None:
    class Impatient(Server):
        def request(self, method: str, payload: bytes) -> AuthReply:
            if len(self.log) == 2:
                raise EOFError
            return super().request(method, payload)

    with pytest.raises(AuthError, match="after 3 keys") as caught:
        log_in(Impatient("publickey"), route(tmp_path, "other", "id_ed25519", "id_rsa"))
    assert "IdentitiesOnly" in caught.value.remedy


@pytest.mark.parametrize("cut", [b"", b"\0\0\0\1", string("") * 3 + b"\0\0\0\2" + string("One: ")])
def test_questions_that_cannot_be_read_are_refused(cut: bytes) -> None:
    with pytest.raises(paramiko.SSHException, match="cannot be read"):
        read_prompts(cut)


def test_a_host_that_asks_too_much_is_refused() -> None:
    body = string("") * 3 + (1000).to_bytes(4, "big") + (string("?") + b"\0") * 1000
    with pytest.raises(paramiko.SSHException, match="too many questions"):
        read_prompts(body)


@pytest.mark.parametrize(
    ("title", "instruction", "shown"),
    [("", "", "Code"), ("Two steps", "", "Two steps Code"), ("A", "b\x1b[2J", r"A b\x1b[2J Code")],
)
def test_what_a_host_says_before_a_question_is_shown(
    tmp_path: Path, title: str, instruction: str, shown: str
) -> None:
    class Talking(Server):
        def request(self, method: str, payload: bytes) -> AuthReply:
            del method, payload
            said = string(title) + string(instruction) + string("")
            return AuthReply(body=said + b"\0\0\0\1" + string("Code: ") + b"\1")

    asked: list[HostQuestion] = []

    def ask(question: HostQuestion) -> Secret:
        asked.append(question)
        return Secret("right")

    log_in(Talking("keyboard-interactive", password="right"), route(tmp_path), ask)
    told = [f"{each.before} {each.text}".strip() for each in asked]
    assert (told, asked[0].is_shown) == ([shown], True)


@pytest.mark.parametrize("text", ["ssh-rsa AAAAB3NzaC1yc2E=", "ssh-rsa !", "", "\0\xff"])
def test_a_damaged_public_key_is_no_error(tmp_path: Path, text: str) -> None:
    way = route(tmp_path, "id_rsa")
    (tmp_path / "id_rsa.pub").write_text(text)
    with pytest.raises(AuthError, match="did not accept the key"):
        log_in(Server("publickey"), way)
