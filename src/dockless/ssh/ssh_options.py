"""The options of a command line about how hosts are reached, and how many at once."""

import resource
from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Struct

from dockless.concurrency import cores
from dockless.ssh.config import find_route
from dockless.ssh.connection import Ssh
from dockless.ssh.keys import KeyOf, KeyRing, Passphrase, as_written

_FILES_A_HOST = 16
_HOSTS_A_CORE = 8


class SshOptions(Struct, frozen=True, kw_only=True):
    """How hosts are reached.

    Attributes:
        accept_new: Whether the keys of unknown hosts are accepted.
        may_run: Whether a project's ssh_config may run programs.
        parallel: Hosts at once; None for a number by the cores.
    """

    accept_new: bool
    may_run: bool
    parallel: int | None

    def connections(
        self,
        passphrase: Passphrase,
        environment: Mapping[str, str],
        note: Callable[[str], None],
        key_of: KeyOf = as_written,
    ) -> Ssh:
        """Return how connections are made.

        Args:
            passphrase: Gives the passphrases of keys.
            environment: Names the agent and the home that has the configuration.
            note: Called with every host key that was added.
            key_of: Gives the private keys of the project.
        """
        routes = partial(find_route, environment=environment, may_run=self.may_run)
        keys = KeyRing(passphrase, key_of)
        return Ssh(find_route=routes, keys=keys, accept_new=self.accept_new, note=note)

    def at_once(self) -> int:
        """Return the number of hosts at once, from the cores and the limit of open files."""
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.parallel or _HOSTS_A_CORE * cores()
        return max(1, min(wanted, most // _FILES_A_HOST))
