"""How the hosts of a command line are reached, and how many at once."""

import resource
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from dockless.concurrency import cores
from dockless.model.secret import Secret
from dockless.ssh.config import find_route
from dockless.ssh.connection import Ssh
from dockless.ssh.keys import KeyFiles, KeyOf, as_written
from dockless.ssh.login import HostQuestion

_FILES_A_HOST = 16
_HOSTS_A_CORE = 8


class Answers(Protocol):
    """What the user of SSH gives, or a keyring."""

    def passphrase(self, key: str, /) -> Secret | None:
        """Return the passphrase of a key, or None when it is not available."""

    def answer(self, question: HostQuestion, /) -> Secret | None:
        """Return the answer to what a host asks for, or None when it is not available."""


class SshOptions(Protocol):
    """The options of a command line, as far as they are about connections."""

    @property
    def accept_new_host_keys(self) -> bool:
        """Whether the keys of unknown hosts are accepted."""

    @property
    def allow_ssh_commands(self) -> bool:
        """Whether a project's ssh_config may run programs."""


def ssh_connections(
    options: SshOptions,
    answers: Answers,
    environment: Mapping[str, str],
    note: Callable[[str], None],
    key_of: KeyOf = as_written,
) -> Ssh:
    """Return how connections are made.

    Args:
        options: How hosts are reached.
        answers: Gives passphrases, passwords, and answers to what hosts ask for.
        environment: Names the agent and the home that has the configuration.
        note: Called with every host key that was added.
        key_of: Gives the private keys of the project.
    """
    routes = partial(find_route, environment=environment, may_run=options.allow_ssh_commands)
    return Ssh(
        find_route=routes,
        keys=KeyFiles(answers.passphrase, key_of),
        accept_new=options.accept_new_host_keys,
        note=note,
        ask=answers.answer,
    )


def hosts_at_once(parallel: int | None) -> int:
    """Return the number of hosts at once, within the limit of open files.

    Args:
        parallel: The number that is asked for; None for a number by the cores.
    """
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = parallel or _HOSTS_A_CORE * cores()
    return max(1, min(wanted, most // _FILES_A_HOST))
