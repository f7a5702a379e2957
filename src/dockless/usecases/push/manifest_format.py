"""The media types of manifests: the OCI's, or Docker's where the registry accepts no others."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from dockless.errors import PushError
from dockless.oci.content import Content
from dockless.oci.digest import Digest
from dockless.ports import Image


class Learn(Protocol):
    """Stores whether a registry accepts OCI manifests."""

    def __call__(self, *, takes_oci: bool) -> None:
        """Remember it."""


def _nothing(*, takes_oci: bool) -> None:
    """Remember nothing."""
    del takes_oci


def _silent(text: str) -> None:
    """Show nothing."""
    del text


class ManifestFormat(Struct, frozen=True, kw_only=True):
    """The requested format, and what is known of the registry.

    Attributes:
        asked: `oci`, `docker`, or `auto`: Docker's types only where others are refused.
        refused: Whether the registry has refused the OCI's types before.
        learn: Stores what it accepts.
        say: Shows a sentence, once in a run, even where nothing but warnings is shown.
    """

    asked: Literal["auto", "oci", "docker"] = "auto"
    refused: bool = False
    learn: Learn = _nothing
    say: Callable[[str], None] = _silent


_OF_THE_SOURCE = "Push it to a registry that takes OCI manifests, or convert the source first."


class DockerForm:
    """An image with Docker's media types, as a `ports.Image`.

    Args:
        image: The image as its source has it.
        why: Why it gets these types, as a sentence; empty where that was asked for.
        optional: Whether it stays as it is where these types cannot say what it is.
    """

    digest_is_new = True
    known_digest = None

    def __init__(self, image: Image, why: str, *, optional: bool = False) -> None:
        self._image = image
        self._optional = optional
        self._why = why
        self._content: Content | None = None

    def content(self) -> Content:
        """Return the image as it is pushed.

        Raises:
            PushError: Docker's types cannot say what it is.
        """
        if self._content is None:
            from dockless.oci.docker_manifest import NoDockerFormError, docker_form  # noqa: PLC0415 - rare

            try:
                self._content = docker_form(self._image.content())
            except NoDockerFormError as error:
                if self._optional:
                    self._content = self._image.content()
                    return self._content
                what = f"{self._why} The image cannot be pushed with Docker's media types: {error}."
                remedy = error.remedy if self._image.digest_is_new else _OF_THE_SOURCE
                raise PushError(what.strip(), remedy) from None
        return self._content

    def paths(self, digests: Collection[Digest]) -> Mapping[Digest, Path]:
        """Return a file for each of these blobs."""
        return self._image.paths(digests)


def is_docker_form(content: Content, digests: Collection[Digest | None]) -> bool:
    """Whether these are all the digest that an image has with Docker's media types only."""
    named = set(digests)
    if len(named) != 1 or named & {None, content.root.digest}:
        return False
    from dockless.oci.docker_manifest import NoDockerFormError, docker_form  # noqa: PLC0415 - rare

    try:
        return named == {docker_form(content).root.digest}
    except NoDockerFormError:
        return False
