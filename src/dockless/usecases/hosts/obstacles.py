"""Why a transfer method cannot be used from a host."""

from functools import cached_property
from typing import Protocol

from msgspec import Struct

from dockless.model.endpoint import Endpoint, is_loopback
from dockless.model.host import Facts, TransferMethod
from dockless.model.options import PushOptions
from dockless.oci.reference import Repository
from dockless.usecases.hosts.transfer_method import Via

_MEGABYTE = 1000**2
_MARGIN = 1.1
"""An archive is larger than its files by their headers."""


class HostQuestions(Protocol):
    """What is asked of a host, of the registry and of this machine, where a method needs it."""

    def exposed_by(self, engine: str, repository: Repository | None) -> str:
        """Return why an engine would expose the credential; empty where it would not."""

    def has_registry_token(self) -> bool:
        """Whether the credential is a token that the registry takes as it is."""

    def unusable(self, engine: str) -> str:
        """Return why an engine that the host has cannot be used, as part of a sentence."""

    def misfit(self) -> str:
        """Return why this machine's crane cannot run on the host, as part of a sentence."""

    def missing_here(self) -> str:
        """Return why the engine of --engine cannot be used on this machine; empty when it can."""

    def reaches(self) -> bool | None:
        """Whether the host reaches the registry; None where it cannot find out."""


class RemoteWish(Struct, frozen=True, kw_only=True):
    """What is to be pushed from a host, and how.

    Attributes:
        options: The options of the push.
        via: The method that is asked for, or `auto`.
        repository: Where to.
        endpoint: The registry.
        one_of_several: Whether the image is one of several in its archive or layout.
        size: The bytes of its files, which an engine there has to have in one archive; None where
            that is not known, or it is in a file there.
    """

    options: PushOptions
    via: Via
    repository: Repository
    endpoint: Endpoint
    one_of_several: bool
    size: int | None = None


class Obstacles:
    """The obstacles on one host; each question is asked once, and only where it matters.

    Args:
        wish: What is to be pushed.
        facts: What the host has.
        ask: Answers questions.

    Attributes:
        engine: The engine of the host that would be used; empty for none.
    """

    def __init__(self, wish: RemoteWish, facts: Facts, ask: HostQuestions) -> None:
        self._wish = wish
        self._facts = facts
        self._ask = ask
        wanted = wish.options.engine
        names = ("crane", "skopeo") if wanted == "auto" else (wanted,)
        self.engine = next((name for name in names if name in facts.programs), "")

    def of(self, method: TransferMethod) -> str:
        """Return why a method cannot be used, as part of a sentence; empty when it can."""
        if method == "relay":
            return self._ask.missing_here()
        if not self._facts.folder:
            return "no folder there can be written to"
        match method:
            case "invoke":
                return self._unfit or self.no_engine or self._no_route or self._no_space
            case "copy":
                return self._unfit or self._no_copy or self._no_route or self._no_space
            case "tunnel":
                return self._unfit or (self.no_engine and self._no_copy) or self._no_space

    def engine_for(self, method: TransferMethod) -> tuple[str, bool]:
        """Return the engine that a method uses, and whether it is a copy of this machine's."""
        is_copied = method == "copy" or (method == "tunnel" and bool(self.no_engine))
        return ("crane" if is_copied else self.engine), is_copied

    @cached_property
    def _unfit(self) -> str:
        options = self._wish.options
        if self._wish.endpoint.trust.client_cert:
            return "the client certificate is only on this machine"
        if options.platform:
            return "--platform is only for images that are relayed through this machine"
        if options.compression != "gzip":
            return f"--compression {options.compression} is only done on this machine"
        if self._wish.one_of_several:
            return "an image of several is selected on this machine"
        if options.engine == "direct":
            return "--engine direct writes from this machine"
        written = self._wish.repository if options.engine == "auto" else None
        return self._ask.exposed_by(self.engine or "crane", written)

    @cached_property
    def no_engine(self) -> str:
        """Why no engine of the host can be used; empty when one can."""
        if not self.engine:
            wanted = self._wish.options.engine
            return f"it has {'neither crane nor skopeo' if wanted == 'auto' else f'no {wanted}'}"
        if self.engine == "crane":
            return ""
        if self._ask.has_registry_token():
            return "skopeo accepts a registry token only as an argument, which others could read"
        return self._ask.unusable(self.engine)

    @cached_property
    def _no_copy(self) -> str:
        if self._wish.options.engine == "skopeo":
            return "only crane can be copied"
        if not self._facts.runs:
            return "the host has no folder from which programs may run"
        return self._ask.misfit()

    @cached_property
    def _no_space(self) -> str:
        folder, free = self._facts.folder.rpartition("/")[0], self._facts.free
        needed = int((self._wish.size or 0) * _MARGIN)
        if free >= needed:
            return ""
        has, needs = free // _MEGABYTE, -(-needed // _MEGABYTE)
        return f"{folder} has {has} MB free there, and the image needs up to {needs} MB"

    @cached_property
    def _no_route(self) -> str:
        host = self._wish.endpoint.host
        if is_loopback(host):
            return f"{host} is a loopback address of this machine"
        if self._wish.via != "auto":
            return ""  # who asks for a method knows it, and the engine's own words say more
        return f"it does not reach {host}" if self._ask.reaches() is False else ""
