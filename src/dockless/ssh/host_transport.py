"""A connection whose server's key is verified here.

paramiko does not verify `ssh-rsa`, which a configuration may allow for an old server, and does not
tell a certificate from its key.
"""

from collections.abc import Sequence
from typing import Any

import paramiko

from dockless.ssh.signatures import VERIFIED, key_kind, plain_key, verify
from dockless.ssh.wire import CERTIFICATE, kind_of

_USUAL = (*(f"{each}{CERTIFICATE}" for each in VERIFIED), *VERIFIED)
_KNOWN = frozenset({*_USUAL, "ssh-rsa", f"ssh-rsa{CERTIFICATE}"})
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)


class HostTransport(paramiko.Transport):
    """A connection to a host.

    Args:
        wire: What it is spoken over.
        algorithms: The host keys and signatures to ask for, in this order.

    Attributes:
        shown: The key or certificate that the server has shown, and proved to have.
    """

    def __init__(self, wire: Any, algorithms: Sequence[str]) -> None:  # noqa: ANN401 - it need only send and receive
        self._algorithms = tuple(algorithms)
        self.shown = b""
        # paramiko's own window of 2 MiB: with a larger one, sshd moves a third as much
        super().__init__(wire)
        security = self.get_security_options()
        security.ciphers = [cipher for cipher in _CIPHERS if cipher in security.ciphers]

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """What is asked for; paramiko reads it."""
        return self._algorithms

    def _verify_key(self, host_key: bytes, sig: bytes) -> None:
        """Verify what the server shows, and that it is the same with every exchange of keys."""
        shown, algorithm = bytes(host_key), str(self.host_key_type)
        if kind_of(shown) != key_kind(algorithm):
            raise paramiko.SSHException("its key is of another kind than was agreed")
        if self.shown and self.shown != shown:
            raise paramiko.SSHException("its key changed during the connection")
        try:
            plain = algorithm.removesuffix(CERTIFICATE)
            verify(plain_key(shown), bytes(sig), bytes(self.H or b""), plain)
        except ValueError as error:
            raise paramiko.SSHException(f"its key does not prove who it is: {error}") from None
        self.shown = shown


def algorithms(wanted: Sequence[str], known: Sequence[str], *, has_authority: bool) -> list[str]:
    """Return the host keys and signatures to ask for.

    A host is asked for the key that is known of it, not for another one that it has, too.

    Args:
        wanted: HostKeyAlgorithms; nothing for the usual.
        known: The kinds of the keys that are known of the host.
        has_authority: Whether an authority is known that may have signed its key.
    """

    def rank(algorithm: str) -> int:
        if algorithm.endswith(CERTIFICATE):
            return 0 if has_authority else 2
        return 1 if key_kind(algorithm) in known else 2

    return sorted((each for each in wanted or _USUAL if each in _KNOWN), key=rank)
