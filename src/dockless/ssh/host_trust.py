"""Whether a server is the host that was asked for: by its key, or by a certificate of its key."""

import os
import threading
import time
from collections.abc import Callable, Sequence

from dockless.errors import AuthError, DocklessError
from dockless.model.printable import bounded
from dockless.model.server import SSH_PORT
from dockless.processes.run import run
from dockless.ssh import known_hosts
from dockless.ssh.config import Route
from dockless.ssh.config_tokens import expanded
from dockless.ssh.host_certificates import authority, fault
from dockless.ssh.known_hosts import HostKey, KnownHostsLine
from dockless.ssh.login import Ask, HostQuestion
from dockless.ssh.revoked_keys import is_listed
from dockless.ssh.signatures import certificate, plain_key
from dockless.ssh.wire import as_line, kind_of

_SECONDS = 30.0
_ADDING = threading.Lock()


class HostTrust:
    """What is known of one host.

    Args:
        route: The host.
        accept_new: Whether an unknown key is added to known_hosts.
        note: Called with a line for a key that was added.
        ask: Asks whether an unknown key is right.
    """

    def __init__(
        self, route: Route, note: Callable[[str], None], ask: Ask, *, accept_new: bool
    ) -> None:
        self._route = route
        self._accepts = accept_new or route.strictness in ("accept-new", "no")
        self._note = note
        self._ask = ask
        files = (*route.known_hosts, *route.system_known_hosts)
        self._files = tuple(file for file in files if str(file) != os.devnull)
        self._known = known_hosts.read(self._files)
        self._known += self._commanded("ORDER", None)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the keys that are known of the host."""
        return known_hosts.kinds(self._known, self._route.known_as)

    @property
    def has_authority(self) -> bool:
        """Whether an authority is known that may have signed the host's key."""
        return bool(known_hosts.authorities(self._known, self._route.known_as))

    def check(self, shown: bytes) -> None:
        """Verify what a server has shown; add a new key where that is wished for.

        Args:
            shown: Its key or certificate, in SSH's wire format.

        Raises:
            AuthError: It is not the host, or it is not known whether it is.
            ValueError: Nothing was shown.
        """
        route = self._route
        if not kind_of(shown):
            raise ValueError("no key was shown")
        if route.is_own:
            return
        blob = plain_key(shown)
        key = HostKey(kind_of(blob), blob)
        known = (*self._known, *self._commanded("HOSTNAME", key))
        signer = _key_of_authority(shown)
        for each in filter(None, (key, signer)):
            if known_hosts.is_revoked(known, route.known_as, each) or is_listed(
                route.revoked, each.blob
            ):
                raise AuthError(
                    f"The host key of {route.name} is revoked in "
                    f"{route.revoked or 'known_hosts'}: {_shown(key)}.",
                    "Do not trust this host.",
                )
        why = self._fault(shown, signer, known)
        if why == "":
            return
        verdict = known_hosts.judge(known, route.known_as, key)
        if verdict == "unknown" and (self._accepts or self._is_confirmed(key)):
            self._add(key)
        elif verdict == "changed":
            raise self._changed(key)
        elif verdict != "known":
            raise self._unknown(key, why)

    def _fault(
        self, shown: bytes, signer: HostKey | None, known: Sequence[KnownHostsLine]
    ) -> str | None:
        """Return why a certificate does not vouch for the host; None where there is none."""
        found = certificate(shown)
        route = self._route
        if found is None or signer is None:
            return None
        if signer not in known_hosts.authorities(known, route.known_as):
            return "its certificate is of an authority that is not known"
        name = route.known_as if route.has_alias else route.address
        why = fault(found, shown, name, route.ca_algorithms, time.time())
        return f"its certificate does not count: {why}" if why else ""

    def _commanded(self, purpose: str, key: HostKey | None) -> tuple[KnownHostsLine, ...]:
        """Return what KnownHostsCommand prints; nothing where there is none, or it fails."""
        route = self._route
        if not route.known_command:
            return ()
        tokens = {
            "I": purpose,
            "H": route.known_as,
            "t": key.kind if key else "NONE",
            "f": key.fingerprint if key else "NONE",
            "K": as_line(key.blob).split()[1].decode() if key else "NONE",
            **route.tokens,
        }
        argv = tuple(expanded(each, tokens) for each in route.known_command)
        try:
            done = run(argv, os.environ, timeout=_SECONDS)
        except DocklessError as error:
            raise AuthError(
                f"The KnownHostsCommand of {route.name} failed: {error.what}", "Correct it."
            ) from None
        if done.code:
            raise AuthError(
                f"The KnownHostsCommand of {route.name} failed with exit code {done.code}"
                f"{f': {bounded(done.stderr)}' if done.stderr else ''}.",
                "Correct it, or remove it from ~/.ssh/config.",
            )
        return tuple(known_hosts.parsed(done.stdout.decode(errors="replace")))

    def _is_confirmed(self, key: HostKey) -> bool:
        """Whether somebody says that an unknown key is right; without a terminal, nobody does."""
        route = self._route
        if route.strictness != "ask":
            return False
        question = HostQuestion(
            host=route.name,
            user=route.user,
            method="host key",
            text=f"The host key of {route.name} is not known: {_shown(key)}. Is it right? (yes/no)",
            is_shown=True,
            is_whole=True,
        )
        said = self._ask(question)
        # as with ssh, its fingerprint may be typed or pasted in place of yes
        return said is not None and said.reveal().strip() in ("yes", key.fingerprint)

    def _add(self, key: HostKey) -> None:
        route = self._route
        named = [file for file in route.known_hosts if str(file) != os.devnull]
        if not named:
            return
        with _ADDING:
            known_hosts.add(named[0], route.known_as, key, hashed=route.hashes)
        self._note(f"{route.name}: added its {key.kind} key {key.fingerprint} to known_hosts")

    def _unknown(self, key: HostKey, why: str | None) -> AuthError:
        route = self._route
        named = [file for file in route.known_hosts if str(file) != os.devnull]
        port = f"-p {route.port} " if route.port != SSH_PORT else ""
        scan = f"ssh-keyscan -t {_stem(key.kind)} {port}{route.address} >> {{}}"
        if route.has_alias or route.jumps or route.proxy_command:
            # ssh-keyscan writes another name, and knows no way through other hosts
            scan = f"ssh -o StrictHostKeyChecking=accept-new {port}{route.user}@{route.name} true"
        add = f"then add it with `{scan.format(named[0])}`, or " if named else "then "
        alias = f" as {route.known_as}" if route.has_alias else ""
        return AuthError(
            f"The host key of {route.name} is not known{alias}: {_shown(key)}"
            f"{f' ({why})' if why else ''}.",
            f"Compare it with `ssh-keygen -lf /etc/ssh/ssh_host_{_stem(key.kind)}_key.pub` there; "
            f"{add}use --accept-new-host-keys.",
        )

    def _changed(self, key: HostKey) -> AuthError:
        route = self._route
        files = (
            file
            for file in self._files
            if known_hosts.judge(known_hosts.read([file]), route.known_as, key) == "changed"
        )
        file = next(files, None)
        remedy = (
            f"run `ssh-keygen -R '{route.known_as}' -f {file}` and add the new one"
            if file
            else "have the source of KnownHostsCommand corrected"
        )
        ignored = (
            " StrictHostKeyChecking no does not count, as a credential would be sent to it."
            if route.strictness == "no"
            else ""
        )
        return AuthError(
            f"The host key of {route.name} has changed: it is {_shown(key)} now. "
            f"Someone may be impersonating this host.{ignored}",
            f"If its administrator says that the new key is right, {remedy}.",
        )


def _key_of_authority(shown: bytes) -> HostKey | None:
    found = certificate(shown)
    if found is None:
        return None
    blob = authority(found)
    return HostKey(kind_of(blob), blob)


def _shown(key: HostKey) -> str:
    return f"{key.kind} {key.fingerprint}"


def _stem(kind: str) -> str:
    return "ecdsa" if kind.startswith("ecdsa") else kind.removeprefix("ssh-")
