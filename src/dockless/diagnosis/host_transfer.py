"""Which transfer method a push from a host would choose, as far as a check finds out."""

from collections.abc import Callable, Mapping
from functools import partial

from msgspec import Struct

from dockless.engines import portable
from dockless.engines.installed import InstalledEngines
from dockless.errors import EngineError
from dockless.model.endpoint import Endpoint
from dockless.model.host import Facts, TransferMethod
from dockless.model.options import PushOptions
from dockless.oci.reference import Repository
from dockless.sources.on_host import HostImage
from dockless.usecases.hosts.obstacles import Obstacles, RemoteWish
from dockless.usecases.hosts.transfer_method import ORDER, choose


class CheckedHost(Struct, frozen=True, kw_only=True):
    """What was found out of a host, as `obstacles.HostQuestions`.

    No credential is looked for: one that an engine would expose, or that is a registry token, may
    have a push choose another method.

    Attributes:
        facts: What it has.
        lacks: Why each engine that it has cannot be used; empty where one can.
        reached: Whether it reaches the registry; None where that is not known.
        installed: Returns the engines of this machine.
    """

    facts: Facts
    lacks: Mapping[str, str]
    reached: bool | None
    installed: Callable[[], InstalledEngines]

    def exposed_by(self, engine: str, repository: Repository | None) -> str:  # noqa: ARG002 - the port's names
        """Return nothing: no credential is looked for."""
        return ""

    def has_registry_token(self) -> bool:
        """Return that the credential is none, for the same reason."""
        return False

    def unusable(self, engine: str) -> str:
        """Return why an engine that the host has cannot be used, as part of a sentence."""
        return self.lacks[engine].rstrip(".")

    def misfit(self) -> str:
        """Return why this machine's crane cannot run on the host, as part of a sentence."""
        try:
            program = self.installed().selected("crane").path
        except EngineError as error:
            return error.what.rstrip(".")
        return portable.misfit(program, self.facts.system, self.facts.machine, self.facts.libc)

    def missing_here(self) -> str:
        """Return nothing: `auto` relays without a program, too."""
        return ""

    def reaches(self) -> bool | None:
        """Whether the host reaches the registry; None where that is not known."""
        return self.reached


def transfer(
    host: str, found: CheckedHost, endpoint: Endpoint, repository: Repository, image: HostImage
) -> tuple[TransferMethod, str]:
    """Return the method that `--via auto` would choose, and why.

    Args:
        host: The host's name.
        found: What was found out of it.
        endpoint: The registry.
        repository: Where to.
        image: The image; an empty one where there is none.
    """
    wish = RemoteWish(
        options=PushOptions(),
        via="auto",
        repository=repository,
        endpoint=endpoint,
        one_of_several=bool(image.source and image.source.selector),
        size=image.local.size if image.local else None,
    )
    obstacles = Obstacles(wish, found.facts, found)
    return choose("auto", host, {method: partial(obstacles.of, method) for method in ORDER})
