"""An SSH agent behind a socket: what keys it has, and signatures of them.

Source: draft-miller-ssh-agent. An agent may refuse any signature: of a hardware key that is not
touched, of a key that its user did not confirm, of a card that is gone.
"""

import contextlib
import socket
import struct
from collections.abc import Iterator

from dockless.ssh.wire import CERTIFICATE, kind_of, split, string

_LIST, _LISTED = 11, 12
_SIGN, _SIGNED = 13, 14
_FLAGS = {"rsa-sha2-256": 2, "rsa-sha2-512": 4}
_LIST_SECONDS = 30.0
_SIGN_SECONDS = 120.0
_LONGEST = 256 * 1024
_MOST_KEYS = 2048


class NoSignatureError(Exception):
    """A key does not sign: its file cannot be used, or its agent refuses. Its text says so."""


class Agent:
    """The agent behind one socket.

    Args:
        path: The socket; empty for no agent.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket: socket.socket | None = None

    def keys(self) -> tuple[bytes, ...]:
        """Return its public keys and certificates, in its order; none where there is no agent."""
        if not self._path:
            return ()
        try:
            answer = self._asked(bytes([_LIST]), _LIST_SECONDS)
            return tuple(_listed(answer))
        except (OSError, ValueError):
            self.close()
            return ()

    def sign(self, blob: bytes, data: bytes, algorithm: str) -> bytes:
        """Return a signature, with its name before it.

        Raises:
            NoSignatureError: The agent refuses, does not answer in time, or is gone.
        """
        flags = _FLAGS.get(algorithm.removesuffix(CERTIFICATE), 0)
        asked = bytes([_SIGN]) + string(blob) + string(data) + struct.pack(">I", flags)
        try:
            answer = self._asked(asked, _SIGN_SECONDS)
            if answer[:1] == bytes([_SIGNED]):
                return split(answer[1:])[0]
        except (OSError, ValueError):
            self.close()  # an answer that came too late would be taken for the next one
            raise NoSignatureError(
                f"The agent did not sign with its {kind_of(blob)} key."
            ) from None
        raise NoSignatureError(f"The agent refuses to sign with its {kind_of(blob)} key.")

    def close(self) -> None:
        """Disconnect from it; the next question connects again."""
        if self._socket:
            self._socket.close()
        self._socket = None

    def _asked(self, question: bytes, seconds: float) -> bytes:
        if self._socket is None:
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(_LIST_SECONDS)
            self._socket.connect(self._path)
        self._socket.settimeout(seconds)
        self._socket.sendall(string(question))
        (length,) = struct.unpack(">I", self._received(4))
        if length > _LONGEST:
            raise ValueError("too long")
        return self._received(length)

    def _received(self, length: int) -> bytes:
        assert self._socket is not None  # noqa: S101 - it has just been used
        data = b""
        while len(data) < length:
            more = self._socket.recv(length - len(data))
            if not more:
                raise OSError(0, "the agent ended the connection")
            data += more
        return data


def _listed(answer: bytes) -> Iterator[bytes]:
    if answer[:1] != bytes([_LISTED]):
        return
    (count,) = struct.unpack(">I", answer[1:5])
    rest = answer[5:]
    for _ in range(min(count, _MOST_KEYS)):
        blob, rest = split(rest)
        _, rest = split(rest)  # its comment
        yield blob


@contextlib.contextmanager
def agent(path: str) -> Iterator[Agent]:
    """Yield the agent behind a socket, which is disconnected with the block."""
    with contextlib.closing(Agent(path)) as connected:
        yield connected
