"""The kinds of registry that can be asked for by name, and what each needs."""

import re
from typing import Literal

from msgspec import Struct

from dockless.oci.reference import DOCKER_HUB, is_registry


class Kind(Struct, frozen=True, kw_only=True):
    """A kind of registry.

    Attributes:
        name: What `--registry` calls it.
        hosts: A regular expression of the hosts that agree with it, in lower case.
        prefix: What goes between the host and a bare name: `required` and `optional` take the
            namespace or else the username; `namespace` takes a namespace only, and only before
            the project's name.
        host: The host of its images; empty for a private server.
        may_ask: Whether a missing server may be asked for at a terminal.
        lowers_prefix: Whether the prefix is put in lower case.
        domain: What follows the short name of a registry of this kind; empty where it has none.
        token_user: The username that goes with a token or key of this kind when none is given.
    """

    name: str
    hosts: str
    prefix: Literal["required", "optional", "namespace"]
    host: str = ""
    may_ask: bool = False
    lowers_prefix: bool = False
    domain: str = ""
    token_user: str = ""

    def host_of(self, text: str) -> str:
        """Return a registry's host; its short name, such as `myregistry`, is completed."""
        short = self.domain and text != "localhost" and re.fullmatch("[a-zA-Z0-9-]+", text)
        return f"{text}{self.domain}" if short else text

    def agrees(self, host: str) -> bool:
        """Whether `host[:port]` is a registry of this kind."""
        return re.fullmatch(self.hosts, host.lower()) is not None


DOCKERHUB = Kind(
    name="dockerhub", hosts=r"((index|registry-1)\.)?docker\.io", prefix="required", host=DOCKER_HUB
)
ECR = Kind(
    name="ecr",
    hosts=r".+\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?|public\.ecr\.aws",
    prefix="namespace",
    token_user="AWS",  # noqa: S106 - the name that goes with every token, no secret
)
GCR = Kind(
    name="gcr",
    hosts=r"(.+\.)?gcr\.io|.+-docker\.pkg\.dev",
    prefix="namespace",
    token_user="_json_key",  # noqa: S106 - the same, for a service-account key
)
ACR = Kind(
    name="acr",
    hosts=r".+\.azurecr\.(io|cn|us)",
    prefix="namespace",
    may_ask=True,
    domain=".azurecr.io",
    token_user="00000000-0000-0000-0000-000000000000",  # noqa: S106 - the same
)
GHCR = Kind(name="ghcr", hosts=r"ghcr\.io", prefix="required", host="ghcr.io", lowers_prefix=True)
PRIVATE = Kind(name="private", hosts=r".*", prefix="optional", may_ask=True)

# private stands last, because it agrees with any host
KINDS = (DOCKERHUB, ECR, GCR, ACR, GHCR, PRIVATE)


def named(name: str) -> Kind:
    """Return the kind of this name, in any case; raise ValueError when there is none."""
    for kind in KINDS:
        if kind.name == name.lower():
            return kind
    names = ", ".join(kind.name for kind in KINDS)
    raise ValueError(f"{name!r} is not a kind of registry ({names})")


def advice(text: str, origin: str) -> str:
    """Return what to do about a text that is no kind of registry.

    Args:
        text: What was given.
        origin: The option or variable that it was given with.
    """
    host = text.lower().partition("://")[2].rstrip("/") or text.rstrip("/")
    if not is_registry(host.partition("/")[0]):
        return "Give one of these; `private` is every other kind, and needs the registry's host."
    if (kind := infer(host.partition("/")[0])) is not PRIVATE:
        return f"Write {kind.name}, which is the kind of {host.partition('/')[0]}."
    image = "DOCKLESS_IMAGE=" if origin.startswith("DOCKLESS_") else "--image "
    return f"Leave {origin} out, and name the host in the image: {image}{host}/NAME[:TAG]."


def infer(host: str) -> Kind:
    """Return the kind of registry that `host[:port]` is; any unknown host is private."""
    return next(kind for kind in KINDS if kind.agrees(host))
