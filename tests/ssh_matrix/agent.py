"""A stand-in for an agent, which counts signatures and refuses them where a set-up says so."""

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_ssh_private_key,
)

from ssh_matrix.setup import Held

_LIST, _LISTED, _SIGN, _SIGNED, _FAILURE = 11, 12, 13, 14, 5
_SECONDS = 120.0


def text(data: bytes) -> bytes:
    """Return bytes as a string of SSH's wire format."""
    return struct.pack(">I", len(data)) + data


class StandInKey:
    """A key of the stand-in: its `blob` is the public half."""

    def __init__(self, held: Held, folder: Path) -> None:
        loaded = load_ssh_private_key((folder / held.key).read_bytes(), password=None)
        assert isinstance(loaded, Ed25519PrivateKey)
        self.private = loaded
        self.refuses = held.refuses
        public = loaded.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        kind = b"sk-ssh-ed25519@openssh.com" if held.fido else b"ssh-ed25519"
        self.blob = text(kind) + text(public) + (text(b"ssh:") if held.fido else b"")


class StandIn:
    """The agent, while it runs.

    Attributes:
        signatures: How many it was asked for.
    """

    def __init__(self, held: Sequence[Held], folder: Path) -> None:
        self.signatures = 0
        self._keys = [StandInKey(each, folder) for each in held]

    def asked(self) -> int:
        """Return how many signatures it was asked for."""
        return self.signatures

    def answer(self, asked: bytes) -> bytes:
        """Return the answer to a request."""
        if asked[0] == _LIST:
            keys = b"".join(text(key.blob) + text(b"a key") for key in self._keys)
            return bytes([_LISTED]) + struct.pack(">I", len(self._keys)) + keys
        if asked[0] != _SIGN:
            return bytes([_FAILURE])
        self.signatures += 1
        (length,) = struct.unpack(">I", asked[1:5])
        blob, rest = asked[5 : 5 + length], asked[5 + length :]
        (length,) = struct.unpack(">I", rest[:4])
        for key in self._keys:
            if key.blob == blob and not key.refuses:
                signature = key.private.sign(rest[4 : 4 + length])
                return bytes([_SIGNED]) + text(text(b"ssh-ed25519") + text(signature))
        return bytes([_FAILURE])


@contextlib.contextmanager
def stand_in(path: Path, held: Sequence[Held], folder: Path) -> Iterator[StandIn]:
    """Run a stand-in for an agent at a socket.

    Args:
        path: The socket.
        held: What it has.
        folder: The folder of keys.
    """
    agent = StandIn(held, folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(16)
        thread = threading.Thread(target=_serve, args=(server, agent), daemon=True)
        thread.start()
        try:
            yield agent
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join(_SECONDS)


def _serve(server: socket.socket, agent: StandIn) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = server.accept()
            threading.Thread(target=_talk, args=(client, agent), daemon=True).start()


def _talk(client: socket.socket, agent: StandIn) -> None:
    client.settimeout(_SECONDS)
    with client, contextlib.suppress(OSError), client.makefile("rwb") as stream:
        while len(head := stream.read(4)) == 4:
            (length,) = struct.unpack(">I", head)
            stream.write(text(agent.answer(stream.read(length))))
            stream.flush()
