"""A set-up: a server, a client, and somebody at a terminal or nobody."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Group = Literal["keys", "logins", "host keys", "servers", "shells"]
Listener = Literal["", "silent", "closing", "web"]
Prompt = Literal["passphrase", "password", "host key"]

HOST = "build.example.test"
"""The name of every server; it leads to 127.0.0.1."""

PASSWORD, PASSPHRASE = "t0p 'se\"cret", "open sesame"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A key that the stand-in for an agent has.

    Attributes:
        key: The key, by its name among `world.KEYS`; the stand-in signs with Ed25519 only.
        refuses: Whether it refuses to sign, as a hardware key that nobody touches.
        fido: Whether it says that it is a hardware key, which the server does not know.
    """

    key: str
    refuses: bool = False
    fido: bool = False


FIDO = Held(key="third", refuses=True, fido=True)
"""A hardware key that nobody touches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A set-up.

    In its lines and its script, `{home}`, `{keys}`, `{shells}` and `{server}` stand for folders.

    Attributes:
        name: What it is called; each has a name of its own.
        group: The table that it is in.
        account: The account that is logged in to; see `world.ACCOUNTS`.
        server: Lines of sshd_config(5), which count before the usual ones.
        listener: What listens in place of sshd: a program that accepts and says nothing, one that
            closes at once, or a web server; empty for sshd.
        client: Lines of ssh_config(5), the user's own.
        script: A script of sh, run in the client's home, where `put KEY [NAME]` puts a private
            key and its public half into `~/.ssh`, `public KEY NAME` the latter alone, `known LINE`
            adds a line to known_hosts, and `authorize TEXT` one to authorized_keys of the account.
        authorized: The keys that the account accepts.
        known: Whether the server's key is in known_hosts beforehand.
        agent: Keys that a real ssh-agent holds, with the certificates beside them.
        held: Keys that a stand-in for an agent has, in place of that.
        environment: Further variables of the client.
        answers: What is typed at each kind of prompt; None where there is no terminal.
        differs: Why dockless is to do something else than ssh; empty where it must not.
        may_differ: The same, where it depends on the version of OpenSSH.
    """

    name: str
    group: Group
    account: str = "pat"
    server: str = ""
    listener: Listener = ""
    client: str = ""
    script: str = ""
    authorized: tuple[str, ...] = ("ed25519",)
    known: bool = True
    agent: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[Prompt, str] | None = None
    differs: str = ""
    may_differ: str = ""
