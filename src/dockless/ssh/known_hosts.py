"""The keys of hosts that are known: reading and adding to known_hosts files.

The format is that of sshd(8), 'SSH_KNOWN_HOSTS FILE FORMAT': patterns, hashed names, `@revoked`
and `@cert-authority`.
"""

import base64
import binascii
import contextlib
import fcntl
import hashlib
import hmac
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import IO, Literal

from msgspec import Struct

from dockless.concurrency import waited_for
from dockless.errors import AuthError, time_is_over
from dockless.processes.regular import read_regular

_LOCK_SECONDS = 30.0
_LOOK_SECONDS = 0.05

_MARKERS = ("", "@revoked", "@cert-authority")

Verdict = Literal["known", "unknown", "changed", "revoked"]


class HostKey(Struct, frozen=True):
    """The public key of a host.

    Attributes:
        kind: Its algorithm, such as `ssh-ed25519`.
        blob: The key in SSH's wire format.
    """

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """`SHA256:…`, as ssh-keygen -l prints it."""
        digest = hashlib.sha256(self.blob).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


class KnownHostsLine(Struct, frozen=True, kw_only=True):
    """A line of a known_hosts file.

    Attributes:
        names: Its patterns, as written.
        key: The key.
        revoked: Whether the key is not to be trusted.
        is_authority: Whether it is one that signs the keys of hosts, and no host's own.
    """

    names: str
    key: HostKey
    revoked: bool
    is_authority: bool = False


def read(files: Sequence[Path]) -> tuple[KnownHostsLine, ...]:
    """Return every line of these files that can be understood; a file may be missing."""
    return tuple(line for file in files for line in _lines(file))


def judge(known: Sequence[KnownHostsLine], name: str, key: HostKey) -> Verdict:
    """Judge whether a host's key matches its name."""
    if is_revoked(known, name, key):
        return "revoked"
    mine = [line for line in known if _matches(line.names, name)]
    trusted = [line for line in mine if not line.revoked and not line.is_authority]
    if any(line.key == key for line in trusted):
        return "known"
    return "changed" if trusted else "unknown"


def is_revoked(known: Sequence[KnownHostsLine], name: str, key: HostKey) -> bool:
    """Whether a line says that a host's key, or the key of an authority, is not to be trusted."""
    lines = (line for line in known if line.revoked and line.key == key)
    return any(_matches(line.names, name) for line in lines)


def authorities(known: Sequence[KnownHostsLine], name: str) -> tuple[HostKey, ...]:
    """Return the keys of those who may sign the key of this host."""
    return tuple(line.key for line in known if line.is_authority and _matches(line.names, name))


def kinds(known: Sequence[KnownHostsLine], name: str) -> tuple[str, ...]:
    """Return the algorithms of the keys that are known of a host, to ask it for these first."""
    lines = (line for line in known if not line.revoked and not line.is_authority)
    found = (line.key.kind for line in lines if _matches(line.names, name))
    return tuple(dict.fromkeys(found))


def add(file: Path, name: str, key: HostKey, *, hashed: bool) -> None:
    """Add a key to a file, unless another process has just done so.

    Raises:
        AuthError: The file cannot be written, or it knows another key by now.
    """
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "a+b") as stream:
            if not waited_for(partial(_taken, stream, time.monotonic() + _LOCK_SECONDS)):
                raise time_is_over(f"The lock for adding a key to {file}")
            verdict = judge(read([file]), name, key)
            if verdict == "changed":
                raise AuthError(f"A different key of {name} has just been added to {file}.")
            if verdict == "unknown":
                stream.seek(0)
                text = stream.read()
                joint = b"" if not text or text.endswith(b"\n") else b"\n"
                written = _hashed(name) if hashed else name
                blob = base64.b64encode(key.blob).decode()
                stream.write(joint + f"{written} {key.kind} {blob}\n".encode())
    except OSError as error:
        raise AuthError(f"{file} cannot be written: {error.strerror}.") from None


def _taken(stream: IO[bytes], until: float, seconds: float) -> bool:
    """Lock a file, waiting for another holder for a limited time.

    Raises:
        AuthError: `until` has come.
    """
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if time.monotonic() > until:
            raise AuthError(
                f"Another program has held the lock of {stream.name} for {_LOCK_SECONDS:g} "
                "seconds.",
                "End it, and push again.",
            ) from None
        time.sleep(min(seconds, _LOOK_SECONDS))
        return False
    return True


def parsed(text: str) -> Iterator[KnownHostsLine]:
    """Yield the lines of a known_hosts file's text that can be understood."""
    for line in text.splitlines():
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in _MARKERS:  # noqa: PLR2004 - names, kind, key
            continue
        with contextlib.suppress(binascii.Error, ValueError):
            key = HostKey(words[1], base64.b64decode(words[2], validate=True))
            yield KnownHostsLine(
                names=words[0],
                key=key,
                revoked=marker == "@revoked",
                is_authority=marker == "@cert-authority",
            )


def _lines(file: Path) -> Iterator[KnownHostsLine]:
    with contextlib.suppress(OSError):
        yield from parsed(read_regular(file).decode(errors="replace"))


def _matches(patterns: str, name: str) -> bool:
    if patterns.startswith("|1|"):
        return _matches_hash(patterns, name)
    low, found = name.lower(), False
    for pattern in patterns.lower().split(","):
        # a port stands behind brackets, which are no pattern here
        plain = pattern.removeprefix("!").replace("[", "[[]")
        if fnmatchcase(low, plain):
            if pattern.startswith("!"):
                return False
            found = True
    return found


def _matches_hash(text: str, name: str) -> bool:
    try:
        _, _, salt, digest = text.split("|")
        wanted = base64.b64decode(digest)
        made = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
    except (ValueError, binascii.Error):
        return False
    return hmac.compare_digest(made, wanted)


def _hashed(name: str) -> str:
    salt = secrets.token_bytes(20)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"
