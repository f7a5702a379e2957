"""The %-tokens and variables in values of ssh_config(5)."""

import hashlib
import re
import socket
from collections.abc import Iterator, Mapping

from msgspec import Struct

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


class Names(Struct, frozen=True, kw_only=True):
    """The names that tokens stand for.

    Attributes:
        given: The host as it was asked for.
        address: The host to connect to.
        port: Its TCP port.
        user: The account there.
        known_as: The name by which its key is known.
        jump: What ProxyJump says; empty for nothing.
        home: The home here.
        account: The account here.
        uid: Its number.
    """

    given: str
    address: str
    port: str
    user: str
    known_as: str
    jump: str
    home: str
    account: str
    uid: int

    def tokens(self) -> dict[str, str]:
        """Return each token without its sign, and what it stands for."""
        own = socket.gethostname()
        hashed = f"{own}{self.address}{self.port}{self.user}"
        # OpenSSH takes in the jump host from 9.8 on; with one, either name may be the right one
        return {
            "%": "%",
            "C": hashlib.sha1(f"{hashed}".encode(), usedforsecurity=False).hexdigest(),
            "L": own.partition(".")[0],
            "d": self.home,
            "h": self.address,
            "i": str(self.uid),
            "j": self.jump,
            "k": self.known_as,
            "l": own,
            "n": self.given,
            "p": self.port,
            "r": self.user,
            "u": self.account,
        }


def expanded(text: str, tokens: Mapping[str, str]) -> str:
    """Return text with its %-tokens replaced; what is none stays as it is."""

    def parts() -> Iterator[str]:
        rest = iter(text)
        for character in rest:
            if character != "%":
                yield character
            else:
                token = next(rest, "%")
                yield tokens.get(token, f"%{token}")

    return "".join(parts())


def with_variables(text: str, environment: Mapping[str, str]) -> str:
    """Return text with each `${NAME}` replaced by the variable.

    Raises:
        KeyError: There is no such variable; its name is the argument.
    """
    return _VARIABLE.sub(lambda found: environment[found[1]], text)
