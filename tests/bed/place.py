"""A place that is the same on every machine and in every run, for files that outlive a version.

What dockless writes may hold the folder it ran in, the registry's name and the machine's boot. Here
the folder is `/mnt`, the registries have names of their own on port 443, which a proxy leads to
loopback, and the boot is one that no machine had.
"""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bed import aws, inside
from bed.certificates import Certificates, make
from bed.dockless import Dockless
from bed.proxy import connect_proxy
from bed.registry import Login, Registry, docker_registry

HOST, OPEN, REFUSING, CLOUD = "registry.example", "open.example", "old.example", aws.HOST
WITH_PORT = "open.example:5000"
LOGIN = Login("pusher", 'a "fixture" is no secret: tøp')
TOKEN = "a token that ends in 2099"
_NAMES = (HOST, OPEN, REFUSING, CLOUD)


@dataclass(frozen=True, slots=True)
class Place:
    """Registries, and dockless before them.

    Attributes:
        program: dockless, in `/mnt`; its environment leads to the registries.
        registry: `registry.example`, which wants `LOGIN`.
        open: `open.example`, with and without a port: it asks nobody for a password.
        cloud: A registry of ECR's kind, which wants `TOKEN`.
        certificates: Theirs.
        ways: Where the proxy takes each `name:port`; a further one may be added.
    """

    program: Dockless
    registry: Registry
    open: Registry
    cloud: Registry
    certificates: Certificates
    ways: dict[str, str]

    @property
    def trust(self) -> tuple[str | Path, ...]:
        """The options that every command needs to trust the registries."""
        return ("--ca-file", self.certificates.ca)

    @property
    def store(self) -> Path:
        """The blob store: programs here are root in a user namespace of their own."""
        return self.store_of_0_1_0 / "0"

    @property
    def store_of_0_1_0(self) -> Path:
        """Where version 0.1.0 had the store."""
        return self.program.folder / "cache" / "dockless"

    @property
    def store_as_found(self) -> Path:
        """The store before this version has seen it, wherever that is."""
        older = self.store_of_0_1_0
        return older if (older / "locks").exists() else self.store

    @property
    def account(self) -> dict[str, str]:
        """The environment with the login of `registry.example`, where no keyring has it."""
        return {"DOCKLESS_USERNAME": LOGIN.username, "DOCKLESS_PASSWORD": LOGIN.password}

    def with_keys(self, before: Path | None, after: Path | None = None) -> Dockless:
        """Return dockless with these keys in the user's kernel keyring; see `bed.inside`."""
        return replace(self.program, before=_before(self.program.folder, before, after))

    def also(self, **extra: str) -> Dockless:
        """Return dockless with more environment."""
        return replace(self.program, extra={**self.program.extra, **extra})


@contextlib.contextmanager
def place(folder: Path, program: Dockless, boot: str) -> Iterator[Place]:
    """Run the registries of the place for as long as the block lasts.

    Args:
        folder: A folder that exists, for their files.
        program: dockless with folders of its own.
        boot: The ID of the boot.
    """
    certificates = make(folder / "certificates", *_NAMES)
    (program.folder / "boot").write_text(f"{boot}\n")
    with contextlib.ExitStack() as stack:

        def started(name: str, login: Login | None) -> Registry:
            (folder / name).mkdir()
            made = docker_registry(folder / name, login=login, certificates=certificates)
            return stack.enter_context(made)

        registry, free = started("registry", LOGIN), started("open", None)
        cloud = started("cloud", Login("AWS", TOKEN))
        leads = {HOST: registry.host, OPEN: free.host, CLOUD: cloud.host}
        ways = {f"{name}:443": where for name, where in leads.items()} | {WITH_PORT: free.host}
        proxy = stack.enter_context(connect_proxy(ways))
        environment = {
            **program.extra,
            "HTTPS_PROXY": proxy.url,
            "NO_PROXY": "127.0.0.1,localhost",
        }
        ours = Dockless(program.folder, environment, _before(program.folder))
        yield Place(ours, registry, free, cloud, certificates, ways)


def _before(folder: Path, before: Path | None = None, after: Path | None = None) -> tuple[str, ...]:
    keys = (str(before or ""), str(after or ""))
    namespaces = ("unshare", "--user", "--map-root-user", "--mount")
    return (*namespaces, sys.executable, str(inside.__file__), str(folder / "boot"), *keys)
