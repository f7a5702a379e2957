"""Set-ups of passwords, of what a server asks for, and of several of these one after the other."""

from functools import partial

from ssh_matrix.setup import PASSPHRASE, PASSWORD, Prompt, Setup

_logins = partial(Setup, group="logins", authorized=())
_PASSWORD = "PasswordAuthentication yes"
_PAM = "UsePAM yes\nKbdInteractiveAuthentication yes"
_BOTH = "AuthenticationMethods publickey,password\nPasswordAuthentication yes"
_TYPED: dict[Prompt, str] = {"password": PASSWORD}

SETUPS = (
    _logins(name="password, at a terminal", server=_PASSWORD, answers=_TYPED),
    _logins(name="password, a wrong one", server=_PASSWORD, answers={"password": "wrong"}),
    _logins(name="password, no terminal", server=_PASSWORD),
    _logins(name="password, nobody answers", server=_PASSWORD, answers={}),
    _logins(
        name="password after a key that the server does not know",
        server=_PASSWORD,
        script="put other",
        answers=_TYPED,
    ),
    _logins(
        name="password and a good key: nobody is asked",
        server=_PASSWORD,
        authorized=("ed25519",),
        script="put ed25519",
        answers={},
    ),
    _logins(name="keyboard-interactive, at a terminal", server=_PAM, answers=_TYPED),
    _logins(name="keyboard-interactive, no terminal", server=_PAM),
    _logins(
        name="keyboard-interactive, a wrong answer", server=_PAM, answers={"password": "wrong"}
    ),
    _logins(
        name="key, then password",
        server=_BOTH,
        authorized=("ed25519",),
        script="put ed25519",
        answers=_TYPED,
    ),
    _logins(
        name="key, then password, no terminal",
        server=_BOTH,
        authorized=("ed25519",),
        script="put ed25519",
    ),
    _logins(
        name="key, then password, but the server does not know the key",
        server=_BOTH,
        script="put other",
        answers=_TYPED,
    ),
    _logins(
        name="key, then keyboard-interactive",
        server=f"AuthenticationMethods publickey,keyboard-interactive\n{_PAM}",
        authorized=("ed25519",),
        script="put ed25519",
        answers=_TYPED,
    ),
    _logins(
        name="password, then key",
        server="AuthenticationMethods password,publickey\nPasswordAuthentication yes",
        authorized=("ed25519",),
        script="put ed25519",
        answers=_TYPED,
    ),
    _logins(
        name="password, then keyboard-interactive",
        server=f"AuthenticationMethods password,keyboard-interactive\n{_PASSWORD}\n{_PAM}",
        answers=_TYPED,
    ),
    _logins(
        name="two keys, one after the other",
        server="AuthenticationMethods publickey,publickey",
        authorized=("ed25519", "ecdsa"),
        script="put ed25519; put ecdsa id_ecdsa",
    ),
    _logins(
        name="two keys, one after the other, but only one is there",
        server="AuthenticationMethods publickey,publickey",
        authorized=("ed25519", "ecdsa"),
        script="put ed25519",
    ),
    _logins(
        name="encrypted key, then password",
        server=_BOTH,
        authorized=("locked",),
        script="put locked",
        answers={"passphrase": PASSPHRASE, "password": PASSWORD},
    ),
    _logins(
        name="PasswordAuthentication no here",
        server=_PASSWORD,
        client="PasswordAuthentication no",
        answers={},
    ),
    _logins(
        name="KbdInteractiveAuthentication no here",
        server=_PAM,
        client="KbdInteractiveAuthentication no",
        answers={},
    ),
    _logins(
        name="PreferredAuthentications publickey",
        server=_PASSWORD,
        client="PreferredAuthentications publickey",
        answers={},
    ),
    _logins(
        name="PreferredAuthentications password,publickey and a good key",
        server=_PASSWORD,
        authorized=("ed25519",),
        client="PreferredAuthentications password,publickey",
        script="put ed25519",
        answers=_TYPED,
    ),
    _logins(
        name="NumberOfPasswordPrompts 1 and a wrong password",
        server=_PASSWORD,
        client="NumberOfPasswordPrompts 1",
        answers={"password": "wrong"},
    ),
    _logins(
        name="BatchMode yes, at a terminal", server=_PASSWORD, client="BatchMode yes", answers={}
    ),
    _logins(
        name="account without a password, and a server that lets it in",
        account="open",
        server="PasswordAuthentication yes\nPermitEmptyPasswords yes",
    ),
    _logins(
        name="methods as sshd has them by default, no terminal",
        server="PasswordAuthentication yes\nKbdInteractiveAuthentication yes",
        script="put other",
    ),
    _logins(name="server that allows no method", server="PubkeyAuthentication no\n" + _PASSWORD),
)
