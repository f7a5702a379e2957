"""What is believed of a host that shows a key or a certificate."""

import os
import subprocess
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    SSHCertificateBuilder,
    SSHCertificateType,
)
from msgspec.structs import replace

from dockless.errors import AuthError
from dockless.model.secret import Secret
from dockless.ssh.config import Route
from dockless.ssh.host_transport import algorithms
from dockless.ssh.host_trust import HostTrust
from dockless.ssh.known_hosts import HostKey
from dockless.ssh.login import Ask, HostQuestion, ask_nobody
from dockless.ssh.signatures import PrivateKey, public_blob
from dockless.ssh.wire import as_line, from_line

HOST, AUTHORITY, OTHER = (Ed25519PrivateKey.generate() for _ in range(3))
EC, RSA = generate_ec(SECP256R1()), generate_rsa(65537, 2048)
NOW = int(time.time())


def route(folder: Path, known: str = "") -> Route:
    file = folder / "known_hosts"
    file.write_text(known)
    return Route(
        name="build",
        address="build.example.test",
        port=22,
        user="me",
        known_as="build.example.test",
        identities=(),
        identities_only=False,
        agent="",
        known_hosts=(file,),
        system_known_hosts=(),
    )


def line(key: PrivateKey) -> str:
    return as_line(public_blob(key)).decode()


def signed(
    by: PrivateKey = AUTHORITY,
    *names: str,
    key: PrivateKey = HOST,
    ends: int = NOW + 3600,
    kind: SSHCertificateType = SSHCertificateType.HOST,
) -> bytes:
    """Return a certificate of a key."""
    builder = (
        SSHCertificateBuilder()
        .public_key(key.public_key())
        .serial(1)
        .type(kind)
        .key_id(b"host")
        .valid_principals([name.encode() for name in names or ("build.example.test",)])
        .valid_after(NOW - 3600)
        .valid_before(ends)
    )
    blob = from_line(builder.sign(by).public_bytes())
    assert blob is not None
    return blob


GOOD = signed()
SPOILED = GOOD[:-1] + bytes([GOOD[-1] ^ 1])


def check(
    way: Route, shown: bytes, ask: Ask = ask_nobody, *, accept_new: bool = False
) -> list[str]:
    """Return what was noted."""
    notes: list[str] = []
    HostTrust(way, notes.append, ask, accept_new=accept_new).check(shown)
    return notes


@pytest.mark.parametrize("key", [HOST, EC, RSA])
@pytest.mark.parametrize("by", [AUTHORITY, EC, RSA])
def test_a_certificate_of_a_known_authority_vouches(
    tmp_path: Path, key: PrivateKey, by: PrivateKey
) -> None:
    way = route(tmp_path, f"@cert-authority *.example.test {line(by)}\n")
    assert HostTrust(way, print, ask_nobody, accept_new=False).has_authority
    assert check(way, signed(by, key=key)) == []


@pytest.mark.parametrize(
    ("shown", "why"),
    [
        (signed(OTHER), "an authority that is not known"),
        (signed(AUTHORITY, "other.example.test"), "it is for other.example.test"),
        (signed(AUTHORITY, ends=NOW - 1), "it is not valid at this time"),
        (signed(AUTHORITY, kind=SSHCertificateType.USER), "it is a user's"),
        (SPOILED, "its signature is wrong"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(tmp_path: Path, shown: bytes, why: str) -> None:
    known = f"@cert-authority *.example.test {line(AUTHORITY)}\n"
    with pytest.raises(AuthError, match=why):
        check(route(tmp_path, known), shown)
    # its key may be known by itself, as without a certificate
    assert check(route(tmp_path, f"{known}build.example.test {line(HOST)}\n"), shown) == []


def test_an_authority_is_no_key_of_a_host(tmp_path: Path) -> None:
    way = route(tmp_path, f"@cert-authority * {line(HOST)}\n")
    with pytest.raises(AuthError, match="is not known"):
        check(way, public_blob(HOST))


@pytest.mark.parametrize("key", [HOST, AUTHORITY])
def test_what_is_revoked_does_not_count(tmp_path: Path, key: PrivateKey) -> None:
    known = f"@cert-authority * {line(AUTHORITY)}\n* {line(HOST)}\n@revoked * {line(key)}\n"
    with pytest.raises(AuthError, match="is revoked in known_hosts"):
        check(route(tmp_path, known), signed(), accept_new=True)


@pytest.mark.parametrize("strictness", ["accept-new", "no"])
def test_new_keys_are_accepted_as_ssh_config_says(tmp_path: Path, strictness: str) -> None:
    way = replace(route(tmp_path), strictness=strictness)
    (note,) = check(way, public_blob(HOST))
    assert "added its ssh-ed25519 key" in note
    assert way.known_hosts[0].read_text() == f"build.example.test {line(HOST)}\n"


@pytest.mark.parametrize(
    ("said", "is_right"),
    [("yes", True), ("{fingerprint}", True), ("no", False), ("", False), ("SHA256:abc", False)],
)
def test_an_unknown_key_may_be_said_to_be_right(
    tmp_path: Path, said: str, *, is_right: bool
) -> None:
    asked: list[str] = []
    key = HostKey("ssh-ed25519", public_blob(HOST))

    def ask(question: HostQuestion) -> Secret:
        asked.append(question.text)
        return Secret(said.format(fingerprint=key.fingerprint))

    way = route(tmp_path)
    if is_right:
        check(way, key.blob, ask)
        check(way, key.blob, ask)
    else:
        with pytest.raises(AuthError, match="is not known"):
            check(way, key.blob, ask)
    assert [key.fingerprint in each for each in asked] == [True]


@pytest.mark.parametrize("known", ["", "build.example.test {other}\n"])
def test_nobody_is_asked_where_that_is_not_wanted(tmp_path: Path, known: str) -> None:
    def ask(_: HostQuestion) -> Secret:
        raise AssertionError

    way = route(tmp_path, known.format(other=line(OTHER)))
    way = way if known else replace(way, strictness="yes")
    with pytest.raises(AuthError):
        check(way, public_blob(HOST), ask)


@pytest.mark.parametrize("strictness", ["accept-new", "no", "ask", "yes"])
def test_a_changed_key_is_never_accepted(tmp_path: Path, strictness: str) -> None:
    way = replace(route(tmp_path, f"build.example.test {line(OTHER)}\n"), strictness=strictness)
    with pytest.raises(AuthError, match="has changed") as caught:
        check(way, public_blob(HOST), accept_new=True)
    assert ("StrictHostKeyChecking no does not count" in caught.value.what) == (strictness == "no")


def test_the_remedy_names_the_file_that_has_the_older_key(tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.write_text(f"build.example.test {line(OTHER)}\n")
    way = route(tmp_path)
    way = replace(way, known_hosts=(*way.known_hosts, second))
    with pytest.raises(AuthError) as caught:
        check(way, public_blob(HOST))
    assert f"ssh-keygen -R 'build.example.test' -f {second}" in caught.value.remedy


def test_no_advice_points_to_dev_null(tmp_path: Path) -> None:
    way = replace(route(tmp_path), known_hosts=(Path(os.devnull),))
    with pytest.raises(AuthError) as caught:
        check(way, public_blob(HOST))
    assert "/dev/null" not in str(caught.value)
    assert check(replace(way, strictness="no"), public_blob(HOST)) == []


def test_the_remedy_for_an_alias_adds_the_alias(tmp_path: Path) -> None:
    way = replace(route(tmp_path), known_as="farm", has_alias=True)
    with pytest.raises(AuthError, match="is not known as farm") as caught:
        check(way, public_blob(HOST))
    assert "ssh -o StrictHostKeyChecking=accept-new me@build true" in caught.value.remedy


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (("printf", "%s", f"%H {line(HOST)}\n"), ""),
        (("printf", "%s", f"elsewhere {line(HOST)}\n"), "is not known"),
        (("printf", "%s", f"%H {line(OTHER)}\n"), "has changed"),
        (("false",), "KnownHostsCommand of build failed with exit code 1"),
        (("no-such-program-here",), "KnownHostsCommand of build failed"),
    ],
)
def test_a_known_hosts_command_is_asked(
    tmp_path: Path, program: tuple[str, ...], words: str
) -> None:
    # a percent sign of the program's own is written twice
    written = tuple(each.replace("%s", "%%s") for each in program)
    way = replace(route(tmp_path), known_command=written, tokens={"%": "%"})
    if words:
        with pytest.raises(AuthError, match=words):
            check(way, public_blob(HOST))
    else:
        assert check(way, public_blob(HOST)) == []


@pytest.mark.parametrize("is_krl", [False, True])
def test_revoked_keys_in_a_file_are_heeded(tmp_path: Path, *, is_krl: bool) -> None:
    (tmp_path / "revoked").write_text(f"{line(HOST)}\n")
    if is_krl:
        argv = ("ssh-keygen", "-q", "-k", "-f", tmp_path / "krl", tmp_path / "revoked")
        subprocess.run(argv, check=True)
        (tmp_path / "krl").replace(tmp_path / "revoked")
    way = route(tmp_path, f"build.example.test {line(HOST)}\nbuild.example.test {line(EC)}\n")
    way = replace(way, revoked=tmp_path / "revoked")
    with pytest.raises(AuthError, match=f"revoked in {tmp_path}/revoked"):
        check(way, public_blob(HOST))
    assert check(way, public_blob(EC)) == []
    with pytest.raises(AuthError, match="cannot be read: No such file"):
        check(replace(way, revoked=tmp_path / "none"), public_blob(EC))


@pytest.mark.parametrize(
    ("wanted", "known", "authority", "first"),
    [
        ((), (), False, "ssh-ed25519-cert-v01@openssh.com"),
        ((), ("ssh-rsa",), False, "rsa-sha2-512"),
        ((), ("ssh-rsa",), True, "ssh-ed25519-cert-v01@openssh.com"),
        (("rsa-sha2-256", "ssh-ed25519"), (), False, "rsa-sha2-256"),
        (("rsa-sha2-256", "ssh-ed25519"), ("ssh-ed25519",), False, "ssh-ed25519"),
        (("ssh-rsa", "sk-x"), ("ssh-rsa",), False, "ssh-rsa"),
    ],
)
def test_a_host_is_asked_for_the_key_that_is_known(
    wanted: tuple[str, ...], known: tuple[str, ...], first: str, *, authority: bool
) -> None:
    asked = algorithms(wanted, known, has_authority=authority)
    assert asked[0] == first
    assert ("ssh-rsa" in asked) == ("ssh-rsa" in wanted), "only where it is allowed"


def test_nothing_shown_is_no_key_that_could_be_accepted(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no key"):
        check(replace(route(tmp_path), strictness="no"), b"")
