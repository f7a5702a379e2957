"""Where the servers and the clients run: namespaces of their own, with accounts of their own.

The loopback there is another one than the machine's, so that each sshd has port 22 to itself, and
`/etc` is a copy: with accounts and hosts of its own, no setting of ssh, and PAM that asks for a
password. (A file that is covered by another is so no more when somebody replaces it outside.) The
client is root, whose home is in the test's folder, for OpenSSH as for dockless.
"""

import base64
import contextlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from bed.dockless import Dockless, dockless
from bed.process import output, running
from ssh_matrix.agent import StandInKey
from ssh_matrix.setup import FIDO, HOST, PASSPHRASE, PASSWORD

ACCOUNTS: Mapping[str, str] = {
    "pat": "/bin/bash",
    "noisy": "/bin/bash",
    "dash": "/bin/dash",
    "fish": "/usr/bin/fish",
    "tcsh": "/bin/tcsh",
    "csh": "/bin/bsd-csh",
    "zsh": "/usr/bin/zsh",
    "ash": "{folder}/shells/ash",
    "rbash": "/bin/rbash",
    "git": "/usr/bin/git-shell",
    "nologin": "/usr/sbin/nologin",
    "open": "/bin/bash",
    "false": "/bin/false",
    "menu": "{folder}/shells/menu",
    "powershell": "{folder}/shells/powershell",
}
"""The accounts of the servers, and their login shells; `open` has no password."""

_SHELLS: Mapping[str, str] = {
    # busybox tells by its name which of its programs it is
    "ash": 'exec busybox ash "$@"\n',
    "menu": "echo 'Welcome to the appliance. Choose 1 to 4 in the web interface.'\nexit 1\n",
    "through": "exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/22; cat <&3 & cat >&3; kill $!'\n",
    "powershell": "echo \"exec : The term 'exec' is not recognized as the name of a cmdlet, "
    'function, script file, or operable program." >&2\nexit 1\n',
}
_RSA = ("-t", "rsa", "-b", "2048")
_FIRST_UID = 30000
_PAM = "auth required pam_unix.so\naccount required pam_permit.so\nsession required pam_permit.so\n"
_RC = "echo 'Welcome to a noisy host'\necho 'with a word on stderr' >&2\n"

KEYS: Mapping[str, tuple[str, ...]] = {
    "ed25519": ("-t", "ed25519"),
    "other": ("-t", "ed25519"),
    "third": ("-t", "ed25519"),
    "fourth": ("-t", "ed25519"),
    "ecdsa": ("-t", "ecdsa"),
    "ecdsa384": ("-t", "ecdsa", "-b", "384"),
    "ecdsa521": ("-t", "ecdsa", "-b", "521"),
    "ecdsa_pem": ("-t", "ecdsa", "-m", "PEM"),
    "ecdsa_pkcs8": ("-t", "ecdsa", "-m", "PKCS8"),
    "rsa": _RSA,
    "rsa_pkcs1": (*_RSA, "-m", "PEM"),
    "rsa_pkcs8": (*_RSA, "-m", "PKCS8"),
    "locked": ("-t", "ed25519", "-N", PASSPHRASE),
    "locked_pkcs1": (*_RSA, "-m", "PEM", "-N", PASSPHRASE),
    "locked_pkcs8": ("-t", "ecdsa", "-m", "PKCS8", "-N", PASSPHRASE),
    "ca": ("-t", "ed25519"),
    "host_ed25519": ("-t", "ed25519"),
    "host_rsa": _RSA,
    "host_ecdsa": ("-t", "ecdsa"),
    "host_late": ("-t", "ed25519"),
}
"""The keys that there are, each with how ssh-keygen makes it."""

_CERTIFICATES: Mapping[str, tuple[str, ...]] = {
    "signed": ("-t", "ed25519"),
    "signed_rsa": _RSA,
    "expired": ("-t", "ed25519"),
}
_MADE = """\
set -eu
mount --make-rprivate /
mount --bind {folder}/etc /etc
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd
ip link set lo up
echo made
exec sleep 7200
"""


@dataclass(frozen=True, slots=True)
class World:
    """The namespaces.

    Attributes:
        folder: Holds everything: `keys`, `accounts`, `etc`, `shells`, and a folder for each server.
        pid: The process that keeps them.
    """

    folder: Path
    pid: int

    @property
    def keys(self) -> Path:
        """The folder of `KEYS`, and of certificates."""
        return self.folder / "keys"

    @property
    def inside(self) -> tuple[str, ...]:
        """What starts a program there."""
        return ("nsenter", "--target", str(self.pid), "--mount", "--net")

    @property
    def client(self) -> Path:
        """The folder of dockless; see `client_program`."""
        return self.folder / "client"

    def client_program(self, environment: Mapping[str, str]) -> Dockless:
        """Return dockless with an empty home, which is OpenSSH's, too."""
        shutil.rmtree(self.client, ignore_errors=True)
        program = dockless(self.client, **environment)
        (program.home / ".ssh").mkdir(mode=0o700)
        # entering a mount namespace leads to its root folder
        before = (*self.inside, "env", "--chdir", str(program.project))
        return Dockless(self.client, environment, before)


@contextlib.contextmanager
def world(folder: Path) -> Iterator[World]:
    """Make the namespaces, the accounts and the keys.

    Args:
        folder: A folder that other accounts may enter.
    """
    for name in ("keys", "accounts", "shells"):
        (folder / name).mkdir()
    subprocess.run(("cp", "--archive", "/etc", folder), check=True)
    _shells(folder)
    _etc(folder)
    _keys(folder / "keys")
    argv = ("unshare", "--mount", "--net", "sh", "-c", _MADE.format(folder=folder))
    with running(argv, folder / "world.log") as daemon:
        daemon.wait_for("made")
        yield World(folder, daemon.child.pid)


def _shells(folder: Path) -> None:
    for name, text in _SHELLS.items():
        path = folder / "shells" / name
        path.write_text(f"#!/bin/sh\n{text}")
        path.chmod(0o755)


def _etc(folder: Path) -> None:
    hashed = output(("openssl", "passwd", "-6", "-stdin"), stdin=PASSWORD.encode())
    passwd, shadow = [], []
    for line in Path("/etc/passwd").read_text().splitlines():
        words = line.split(":")
        if words[0] == "root":
            words[5:] = [str(folder / "client" / "home"), "/bin/bash"]
        passwd.append(":".join(words))
    for number, (name, shell) in enumerate(ACCOUNTS.items(), _FIRST_UID):
        home = folder / "accounts" / name
        home.mkdir()
        shutil.chown(home, number, number)
        if name == "noisy":
            (home / ".bashrc").write_text(_RC)
        passwd.append(f"{name}:x:{number}:{number}::{home}:{shell.format(folder=folder)}")
        shadow.append(f"{name}:{'' if name == 'open' else hashed}:19000:0:99999:7:::")
    etc = folder / "etc"
    (etc / "passwd").write_text("\n".join(passwd) + "\n")
    (etc / "shadow").write_text("root:*:19000:0:99999:7:::\n" + "\n".join(shadow) + "\n")
    (etc / "shadow").chmod(0o600)
    (etc / "hosts").write_text(f"127.0.0.1 localhost {HOST}\n")
    (etc / "pam.d" / "sshd").write_text(_PAM)
    (etc / "ssh" / "ssh_config").write_text("")


def _keys(folder: Path) -> None:
    def keygen(*argv: str | Path) -> None:
        subprocess.run(("ssh-keygen", "-q", *argv), check=True, cwd=folder, capture_output=True)

    for name, options in (*KEYS.items(), *_CERTIFICATES.items()):
        passphrase = () if "-N" in options else ("-N", "")
        keygen(*options, *passphrase, "-C", name, "-f", name)
    for name in ("signed", "signed_rsa"):
        keygen("-s", "ca", "-I", "somebody", "-n", ",".join(ACCOUNTS), f"{name}.pub")
    keygen("-s", "ca", "-I", "late", "-n", "pat", "-V", "20200101:20200102", "expired.pub")
    for name in ("host_ed25519", "host_rsa", "host_ecdsa"):
        keygen("-s", "ca", "-I", "host", "-h", "-n", HOST, f"{name}.pub")
    late = ("-n", HOST, "-V", "20200101:20200102")
    keygen("-s", "ca", "-I", "host", "-h", *late, "host_late.pub")
    _unusual(folder)


def _unusual(folder: Path) -> None:
    """Make the keys that ssh-keygen does not."""
    made = Ed25519PrivateKey.generate()
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "ed25519_pkcs8").write_bytes(made.private_bytes(*form))
    (folder / "ed25519_pkcs8").chmod(0o600)
    public = made.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    (folder / "ed25519_pkcs8.pub").write_bytes(public + b"\n")
    blob = base64.b64encode(StandInKey(FIDO, folder).blob).decode()
    (folder / "fido.pub").write_text(f"sk-ssh-ed25519@openssh.com {blob}\n")
