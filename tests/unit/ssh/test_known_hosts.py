import base64
import fcntl
import subprocess
import time
from pathlib import Path

import pytest

from dockless import concurrency
from dockless.errors import AuthError, NetworkError
from dockless.ssh import known_hosts
from dockless.ssh.known_hosts import HostKey, add, judge, kinds, read

KEY = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519" + b"k" * 36)
OTHER = HostKey("ssh-ed25519", b"\0\0\0\x0bssh-ed25519" + b"o" * 36)
RSA = HostKey("ssh-rsa", b"\0\0\0\x07ssh-rsa" + b"r" * 36)


def line(names: str, key: HostKey = KEY, marker: str = "") -> str:
    return f"{marker}{names} {key.kind} {base64.b64encode(key.blob).decode()} a comment\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ssh" / "known_hosts"


def verdict(tmp_path: Path, text: str, name: str = "build", key: HostKey = KEY) -> str:
    path = tmp_path / "known"
    path.write_text(text)
    return judge(read([path]), name, key)


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ("build", "build"),
        ("one,build,two", "build"),
        ("BUILD", "build"),
        ("*.example.com", "a.example.com"),
        ("build?", "build1"),
        ("[build]:2222", "[build]:2222"),
        ("*,!other", "build"),
    ],
)
def test_a_host_is_known_by_its_names(tmp_path: Path, names: str, name: str) -> None:
    assert verdict(tmp_path, line(names), name) == "known"


@pytest.mark.parametrize(
    ("names", "name"),
    [
        ("build", "build2"),
        ("build", "[build]:2222"),
        ("*,!build", "build"),
        ("[build]:22", "b"),
        ("|1|nonsense", "build"),
    ],
)
def test_another_name_is_another_host(tmp_path: Path, names: str, name: str) -> None:
    assert verdict(tmp_path, line(names), name) == "unknown"


def test_another_key_is_a_changed_one_of_whatever_kind(tmp_path: Path) -> None:
    assert verdict(tmp_path, line("build", OTHER)) == "changed"
    assert verdict(tmp_path, line("build", RSA)) == "changed"
    assert verdict(tmp_path, line("build", OTHER) + line("build")) == "known"


def test_a_revoked_key_is_never_known(tmp_path: Path) -> None:
    assert verdict(tmp_path, line("build") + line("*", marker="@revoked ")) == "revoked"
    assert verdict(tmp_path, line("build", OTHER, "@revoked ")) == "unknown"


def test_what_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    text = f"# a comment\n\nbuild\nbuild ssh-ed25519 ***\n{line('*', marker='@cert-authority ')}"
    assert verdict(tmp_path, text) == "unknown"
    assert read([tmp_path / "absent"]) == ()


def test_the_kinds_that_are_known_are_told(tmp_path: Path) -> None:
    path = tmp_path / "known"
    path.write_text(line("build", RSA) + line("build") + line("other"))
    assert kinds(read([path]), "build") == ("ssh-rsa", "ssh-ed25519")


@pytest.mark.parametrize("how", ["plain", "hashed"])
def test_a_key_is_added_once(file: Path, how: str) -> None:
    hashed = how == "hashed"
    for _ in range(2):
        add(file, "[build]:2222", KEY, hashed=hashed)
    assert len(file.read_text().splitlines()) == 1
    assert judge(read([file]), "[build]:2222", KEY) == "known"
    assert ("build" in file.read_text()) != hashed
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_last_line_without_an_end_stays_a_line(file: Path) -> None:
    file.parent.mkdir()
    file.write_text(line("other").rstrip("\n"))
    add(file, "build", KEY, hashed=False)
    assert judge(read([file]), "other", KEY) == judge(read([file]), "build", KEY) == "known"


def test_a_key_that_another_process_added_meanwhile_is_not_overruled(file: Path) -> None:
    add(file, "build", OTHER, hashed=False)
    with pytest.raises(AuthError, match="A different key of build has just been added"):
        add(file, "build", KEY, hashed=False)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(AuthError, match="cannot be written"):
        add(tmp_path / "taken" / "known_hosts", "build", KEY, hashed=False)


def test_the_fingerprint_is_the_one_that_ssh_keygen_prints(tmp_path: Path) -> None:
    argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    subprocess.run(argv, check=True)
    kind, blob = (tmp_path / "key.pub").read_text().split()[:2]
    shown = subprocess.run(
        ("ssh-keygen", "-lf", tmp_path / "key.pub"), capture_output=True, text=True, check=True
    )
    assert HostKey(kind, base64.b64decode(blob)).fingerprint == shown.stdout.split()[1]


@pytest.mark.parametrize("hashed", [True, False])
def test_a_file_that_another_program_keeps_locked_is_not_waited_for_without_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, hashed: bool
) -> None:
    monkeypatch.setattr(known_hosts, "_LOCK_SECONDS", 0.1)
    file = tmp_path / "known_hosts"
    with file.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        adding = concurrency.alone(lambda: add(file, "build", KEY, hashed=hashed))
        with pytest.raises(AuthError, match="has held the lock of "):
            adding.result(30)
        monkeypatch.setattr(concurrency._TimeLimit, "until", time.monotonic() - 1)
        adding = concurrency.alone(lambda: add(file, "build", KEY, hashed=hashed))
        with pytest.raises(NetworkError, match="within --timeout"):
            adding.result(30)
    assert not file.read_text()
