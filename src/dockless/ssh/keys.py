"""The keys offered to a host: the agent's, then key files, in OpenSSH's order."""

import base64
import contextlib
import io
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)
from paramiko.agent import AgentKey, AgentSSH

from dockless.model.secret import Secret
from dockless.processes.regular import read_regular
from dockless.ssh.config import Route

Passphrase = Callable[[Path], Secret | None]
"""Gives the passphrase of a key file, or None when it is not available."""

KeyOf = Callable[[Secret], Secret]
"""Gives a private key of a project, which is named by a secret or written there."""

_AGENT_SECONDS = 30.0
_TRIES = 3


def as_written(key: Secret) -> Secret:
    """Return a private key as it was written."""
    return key


class KeyRing:
    """Key files, each read once and unlocked once, whatever the number of hosts.

    Args:
        passphrase: Gives the passphrases of key files.
        key_of: Gives the private keys that the project itself has.

    Attributes:
        troubles: Why key files could not be used, one sentence each.
        key_troubles: The same of private keys that the project itself has.
    """

    def __init__(self, passphrase: Passphrase, key_of: KeyOf = as_written) -> None:
        self._passphrase = passphrase
        self._key_of = key_of
        self._project_keys: dict[Secret, paramiko.PKey | None] = {}
        self.key_troubles: dict[Secret, str] = {}
        self._lock = threading.Lock()
        self._keys: dict[Path, paramiko.PKey | None] = {}
        self.troubles: dict[Path, str] = {}

    def offers(self, route: Route) -> Generator[paramiko.PKey]:
        """Yield the keys to offer; a locked file is only unlocked when its turn comes."""
        public = [_public(path) for path in route.identities]
        named = [blob for blob in public if blob]
        with _agent(route.agent) as keys:
            held = {key.asbytes(): key for key in keys}
            yield from (held[blob] for blob in named if blob in held)
            if not route.identities_only:
                yield from (key for blob, key in held.items() if blob not in named)
            for path, blob in zip(route.identities, public, strict=True):
                if blob not in held and (key := self._loaded(path)) and key.asbytes() not in held:
                    yield key
            yield from filter(None, map(self._of_the_project, route.key_data))

    def _of_the_project(self, named: Secret) -> paramiko.PKey | None:
        with self._lock:
            if named not in self._project_keys:
                self._project_keys[named] = self._parsed(named)
            return self._project_keys[named]

    def _parsed(self, named: Secret) -> paramiko.PKey | None:
        """Return a private key from its text; what is wrong with it is among the troubles."""
        text = self._key_of(named).reveal().replace("\\n", "\n").strip() + "\n"
        try:
            loaded = _load_text(text.encode())
        except (ValueError, TypeError, UnsupportedAlgorithm):
            loaded = None
        if loaded is None:
            why = "is encrypted, or not a private key in a form that is known"
            self.key_troubles[named] = f"A key of `ssh.key_data` in deploy.yml {why}."
        return loaded

    def _loaded(self, path: Path) -> paramiko.PKey | None:
        with self._lock:
            if path not in self._keys:
                self._keys[path] = self._load(path)
            return self._keys[path]

    def _load(self, path: Path) -> paramiko.PKey | None:
        if not path.is_file():
            return None
        try:
            try:
                return paramiko.PKey.from_path(path)
            except (paramiko.PasswordRequiredException, TypeError):  # TypeError is cryptography's
                return self._unlocked(path)
        except (paramiko.SSHException, UnsupportedAlgorithm, ValueError, OSError) as error:
            why = (
                error.strerror if isinstance(error, OSError) else "not a key, or a wrong passphrase"
            )
            self.troubles[path] = f"{path} cannot be used: {why}."
            return None

    def _unlocked(self, path: Path) -> paramiko.PKey | None:
        """Return an encrypted key; a passphrase that was typed wrong may be typed again."""
        before = None
        for left in reversed(range(_TRIES)):
            secret = self._passphrase(path)
            if secret is None:
                self.troubles[path] = f"{path} is encrypted, and no passphrase was given."
                return None
            passphrase = secret.reveal().encode()
            try:
                return paramiko.PKey.from_path(path, passphrase)  # type: ignore[arg-type] # the stubs say str
            except (paramiko.SSHException, ValueError):
                if passphrase == before or not left:  # a keyring gives the same each time
                    raise
                before = passphrase
        return None


def _load_text(data: bytes) -> paramiko.PKey | None:
    """Return a private key from its text in OpenSSH's, OpenSSL's or PKCS#8's form."""
    load = load_ssh_private_key if b"BEGIN OPENSSH" in data else load_pem_private_key
    loaded = load(data, password=None)
    form = (Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    text = loaded.private_bytes(*form).decode()
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        with contextlib.suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(io.StringIO(text))
    return None


class _Agent(AgentSSH):
    """The agent behind one socket; paramiko's own `Agent` finds it by the environment alone."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(_AGENT_SECONDS)
        try:
            self._socket.connect(path)
            self._connect(self._socket)  # type: ignore[attr-defined] # not in its stubs
        except BaseException:
            self._socket.close()
            raise

    def close(self) -> None:
        """Disconnect from the agent."""
        self._socket.close()


@contextlib.contextmanager
def _agent(path: str) -> Iterator[tuple[AgentKey, ...]]:
    """Yield the agent's keys, none where there is no agent; each host has a connection to it."""
    try:
        agent = _Agent(path) if path else None
    except (paramiko.SSHException, OSError):
        agent = None
    if agent is None:
        yield ()
        return
    with contextlib.closing(agent):
        yield agent.get_keys()


def _public(path: Path) -> bytes | None:
    """Return the public key next to a private one, in SSH's wire format."""
    try:
        words = read_regular(Path(f"{path}.pub")).decode().split()
        return base64.b64decode(words[1], validate=True)
    except (OSError, IndexError, ValueError):
        return None
